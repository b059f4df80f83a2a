//! The local workspaces of a clone.

use serde::Deserialize;

/// The local workspaces: their profiles and settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Workspace {
    /// The profile of the first one in the bundle's targets.
    pub profile: String,
    /// The profiles of further workspaces.
    pub others: Vec<String>,
    /// Idle minutes after which a workspace stops.
    pub idle_minutes: u32,
    /// Extras of pyproject.toml to install into the Python environment.
    pub extras: Vec<String>,
    /// The Spark master for notebook sessions.
    pub spark_master: Option<String>,
    /// The Spark Connect server for notebook sessions.
    pub spark_remote: Option<String>,
}

impl Default for Workspace {
    fn default() -> Workspace {
        Workspace {
            profile: "mlops-local".to_owned(),
            others: Vec::new(),
            idle_minutes: 120,
            extras: Vec::new(),
            spark_master: None,
            spark_remote: None,
        }
    }
}

impl Workspace {
    /// The profiles of all of them, the first one first.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.profile)
            .chain(&self.others)
            .map(String::as_str)
    }

    /// Whether there is more than one.
    pub(crate) fn several(&self) -> bool {
        !self.others.is_empty()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let mut seen: Vec<String> = Vec::new();
        for profile in self.profiles() {
            if !is_name(profile) {
                return Err(format!(
                    "workspace: invalid profile {profile:?}: expected 1 to 64 letters, digits, `-`, `_` and `.`, starting \
                     with a letter or digit, and not DEFAULT"
                ));
            }
            // On case-insensitive file systems `a` and `A` are one folder.
            let folder = profile.to_ascii_lowercase();
            if seen.contains(&folder) {
                return Err(format!("workspace: duplicate profile {profile:?}"));
            }
            seen.push(folder);
        }
        if self.spark_master.is_some() && self.spark_remote.is_some() {
            return Err("workspace: set either spark-master or spark-remote".to_owned());
        }
        Ok(())
    }
}

/// Whether a profile is safe as a folder name and as a section of the CLI's configuration file. DEFAULT is
/// the CLI's fallback.
fn is_name(profile: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    profile.len() <= 64
        && profile.starts_with(|c: char| c.is_ascii_alphanumeric())
        && profile.chars().all(allowed)
        && !profile.eq_ignore_ascii_case("DEFAULT")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(others: &[&str]) -> Workspace {
        Workspace {
            others: others.iter().map(|name| (*name).to_owned()).collect(),
            ..Workspace::default()
        }
    }

    #[test]
    fn a_profile_that_would_be_another_folder_or_section_is_refused() {
        for hostile in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "a\0b",
            "a\nb",
            "[x]",
            "a]",
            "a b",
            ".hidden",
            "-x",
            "DEFAULT",
            "default",
            "ü",
            &"x".repeat(65),
        ] {
            let error = with(&[hostile]).check().unwrap_err();
            assert!(error.contains(&format!("{hostile:?}")), "{error}");
            let first = Workspace {
                profile: hostile.to_owned(),
                ..Workspace::default()
            };
            assert!(first.check().is_err(), "{hostile:?}");
        }
    }

    #[test]
    fn further_ones_are_told_apart() {
        let two = with(&["mlops-local-prod", "eu.2_b"]);
        two.check().unwrap();
        let profiles: Vec<&str> = two.profiles().collect();
        assert_eq!(profiles, ["mlops-local", "mlops-local-prod", "eu.2_b"]);
        let error = with(&["MLOps-Local"]).check().unwrap_err();
        assert!(error.contains("duplicate profile"), "{error}");
    }
}
