//! The project's guided commands.
fn main() {}
