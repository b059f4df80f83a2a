//! What commands share about pull requests: the part of the description that we write, opening one exactly once,
//! whether one may be merged, and merging it.

pub(crate) mod block;
pub(crate) mod merging;
pub(crate) mod notebooks;
pub(crate) mod opening;
pub(crate) mod readiness;
pub(crate) mod resources;
