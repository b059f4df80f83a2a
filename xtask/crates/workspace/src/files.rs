//! Confined folders for client paths.

mod path;
mod tree;

pub use path::{RelativePath, WorkspacePath};
pub(crate) use tree::modified_ms;
pub use tree::{Entry, Tree, Upload};
