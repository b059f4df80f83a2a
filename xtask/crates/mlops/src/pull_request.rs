//! What all commands that propose something have in common: the part of the description that we write,
//! and opening a pull request exactly once.

pub(crate) mod block;
pub(crate) mod notebooks;
pub(crate) mod opening;
pub(crate) mod resources;
