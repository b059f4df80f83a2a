//! A bundle with one target on Databricks beside local ones, in hostile surroundings: its workspace hangs, refuses,
//! answers with something else, or does not know who asks. Whole commands run in them.

mod bundles;
mod journeys;
mod moves;
pub(crate) mod world;
