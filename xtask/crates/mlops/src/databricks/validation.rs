//! Validates a bundle for a target.

use serde::Deserialize;
use serde_json::Value;

use super::local_kinds::{self, Resources};
use super::{PLAN, Target};
use crate::bundle;
use crate::ui::safe_line;

/// The part of `databricks bundle validate` that is read.
#[derive(Debug, Deserialize)]
struct Validated {
    #[serde(default)]
    resources: Resources,
    #[serde(rename = "__locations", default)]
    locations: Value,
}

impl Target<'_> {
    /// Validates the bundle and shows warnings. They are not errors: later versions of the CLI have more of
    /// them.
    pub(crate) fn validate(&self) -> anyhow::Result<()> {
        for warning in self.warnings()? {
            self.context.ui.warn(&safe_line(&warning));
        }
        Ok(())
    }

    /// Validates the bundle and returns the CLI's warnings.
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
