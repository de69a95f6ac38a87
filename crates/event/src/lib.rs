//! ONEX wire models: envelope, topics, registration events, heartbeat, typed intents, result event.
