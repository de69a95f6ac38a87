//! Running an effect well: timeout, circuit breaker, redaction, and the conformance suite for registry backends.
