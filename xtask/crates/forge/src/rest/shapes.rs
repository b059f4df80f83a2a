//! JSON of REST replies.

mod checks;
mod commit;
mod pull;
mod repo;
mod user;

pub(crate) use checks::*;
pub(crate) use commit::*;
pub(crate) use pull::*;
pub(crate) use repo::*;
pub(crate) use user::*;
