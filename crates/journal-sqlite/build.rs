//! Decides when cargo rebuilds this crate: also when only a migration was added, which the compiler cannot see.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
