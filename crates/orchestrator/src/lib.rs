//! NodeOrchestrator: contract to plan, the pure run state machine, and the driver that carries its commands out.
