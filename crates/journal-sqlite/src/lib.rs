//! The SQLite run journal: WAL, durable, group commit.
