//! `sqlx::migrate!` reads the directory while compiling; cargo has to know when a file is added.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
