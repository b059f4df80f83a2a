//! Confined folders for client paths.

mod path;
mod tree;

pub(crate) use path::{RelativePath, WorkspacePath};
pub(crate) use tree::modified_ms;
pub(crate) use tree::{Entry, Tree};
