//! The forge beside what GitHub publishes: its schema, and gh, its own client. `cargo xtask ci --only github` fetches
//! both and runs these tests; a plain `cargo test` leaves them out.

mod gh;
mod schema;

/// What the environment must say.
fn given(name: &str) -> std::path::PathBuf {
    let value = std::env::var_os(name);
    value
        .unwrap_or_else(|| panic!("{name} is not set: run `cargo xtask ci --only github`"))
        .into()
}
