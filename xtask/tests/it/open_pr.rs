//! Pull requests against a local GitHub, with real git.

mod failures;
mod hostile;
mod merge;
mod preflight;
mod prompts;
mod secrets;
pub(crate) mod world;
mod writes;
