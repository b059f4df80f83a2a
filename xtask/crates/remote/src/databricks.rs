//! The Databricks REST API, as far as the guided commands use it.
//!
//! Paths and shapes: <https://docs.databricks.com/api/workspace>.

pub mod bundle_state;
mod either_registry;
pub mod files;
pub mod identities;
pub mod jobs;
pub mod model_versions;
pub mod models;
pub mod objects;
pub mod registry;
pub mod tag_limits;
pub mod workspace_files;
pub mod workspace_models;

pub(crate) use crate::escape::{path, segment};
