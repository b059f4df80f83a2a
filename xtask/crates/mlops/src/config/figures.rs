//! The figures that a project adds to `cargo xtask bench`.

use serde::Deserialize;

/// A figure that only the project itself can measure.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProjectFigure {
    /// What `cargo xtask bench` takes.
    pub name: String,
    /// What it is.
    pub about: String,
    /// A Python script and its arguments; the last line that it prints is the figure.
    pub command: Vec<String>,
    /// The unit of the figure.
    pub unit: Unit,
    /// The most that it should be.
    pub at_most: Option<f64>,
    /// The least that it should be.
    pub at_least: Option<f64>,
    /// Whether it takes minutes.
    #[serde(default)]
    pub slow: bool,
}

impl ProjectFigure {
    /// # Errors
    /// When it has no command, or not exactly one goal.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.command.is_empty() {
            return Err(format!("bench \"{}\": its command is empty", self.name));
        }
        if self.at_most.is_some() == self.at_least.is_some() {
            return Err(format!(
                "bench \"{}\": give it either at-most or at-least",
                self.name
            ));
        }
        Ok(())
    }
}

/// Units of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Seconds of wall time.
    Seconds,
    /// Seconds of processor time.
    CpuSeconds,
    /// Milliseconds of wall time.
    Milliseconds,
    /// Millions of bytes.
    Megabytes,
    /// A plain ratio.
    Times,
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const OURS: &str = include_str!("../../../../../xtask.toml");

    #[test]
    fn a_figure_has_one_goal() {
        let figure =
            "[[bench]]\nname = \"x\"\nabout = \"y\"\ncommand = [\"z.py\"]\nunit = \"times\"\n";
        let error = Config::parse(&format!("{OURS}\n{figure}")).unwrap_err();
        assert!(error.contains("either at-most or at-least"), "{error}");
        let config = Config::parse(&format!("{OURS}\n{figure}at-least = 0.9\n")).unwrap();
        assert_eq!(config.bench.last().unwrap().at_least, Some(0.9));
    }
}
