//! Pull requests against a local GitHub, with real git.

mod failures;
mod forks;
mod head;
mod heavy_user;
mod hostile;
mod merge;
mod preflight;
mod prompts;
mod published;
mod remotes;
mod secrets;
pub(crate) mod world;
mod writes;
