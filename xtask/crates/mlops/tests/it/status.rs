//! `cargo xtask status` and what goes with it, against the local GitHub.

mod drift;
pub(crate) mod environments;
mod failures;
mod looks;
pub(super) mod schema;
mod slow;
mod terminals;
mod watching;
pub(crate) mod world;
