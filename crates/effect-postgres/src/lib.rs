//! The PostgreSQL registry backend.
