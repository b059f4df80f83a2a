//! Trying a model version before it becomes champion.

use camino::Utf8Path;

use crate::context::Context;
use crate::databricks::{Summary, Target};
use crate::tools::Toolbox;

/// What came of it.
pub(crate) struct Smoke;

impl Smoke {
    /// One line for people to read.
    pub(crate) fn sentence(&self) -> String {
        "no prediction was made: nothing says how".to_owned()
    }
}

/// Predicts with a version's verified files.
///
/// # Errors
/// None yet.
pub(crate) fn predict(
    _context: &Context,
    _toolbox: &Toolbox,
    _target: &Target<'_>,
    _summary: &Summary,
    _files: &Utf8Path,
) -> anyhow::Result<Smoke> {
    Ok(Smoke)
}
