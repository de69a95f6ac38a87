//! ONEX contract models: reading contract.yaml, diagnostics with code and span, rules, fingerprint.
