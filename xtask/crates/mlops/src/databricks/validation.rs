//! Whether a bundle is valid for a target, before anything is made there.

use serde::Deserialize;
use serde_json::Value;

use super::local_kinds::{self, Resources};
use super::{PLAN, Target};
use crate::bundle;
use crate::ui::safe_line;

/// What `databricks bundle validate` prints, as far as it is looked at.
#[derive(Debug, Deserialize)]
struct Validated {
    #[serde(default)]
    resources: Resources,
    #[serde(rename = "__locations", default)]
    locations: Value,
}

impl Target<'_> {
    /// Checks the bundle. Warnings are shown, and stop nothing: later versions of the CLI have more of them.
    ///
    /// # Errors
    /// Those of [`Target::warnings`].
    pub(crate) fn validate(&self) -> anyhow::Result<()> {
        for warning in self.warnings()? {
            self.context.ui.warn(&safe_line(&warning));
        }
        Ok(())
    }

    /// Checks the bundle, and answers the CLI's warnings.
    ///
    /// # Errors
    /// [`Kind::Failed`] with what the CLI says; [`Kind::Usage`] for what a local workspace does not have.
    ///
    /// [`Kind::Failed`]: crate::error::Kind::Failed
    /// [`Kind::Usage`]: crate::error::Kind::Usage
    pub(crate) fn warnings(&self) -> anyhow::Result<Vec<String>> {
        let args = ["validate", "--output", "json", "--include-locations"];
        let what = format!("the bundle is not valid for target {}", self.name);
        let finished = self.succeed_within(self.bundle(&args), &what, PLAN)?;
        if self.local.is_some() {
            let said: Validated = self.understood(&finished.stdout, &what)?;
            local_kinds::check(&self.name, &said.resources, &said.locations)?;
        }
        Ok(bundle::warnings(&finished.stderr))
    }
}
