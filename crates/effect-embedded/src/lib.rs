//! The embedded registry backend: one SQLite file with the rows and a service catalogue.
