//! Shared by commands that open pull requests: our part of the description, and opening exactly once.

pub(crate) mod block;
pub(crate) mod notebooks;
pub(crate) mod opening;
pub(crate) mod resources;
