//! The Consul registry backend.
