//! Benchmarks for `cargo xtask bench`.

use serde::Deserialize;

/// A benchmark.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Figure {
    /// The name for `cargo xtask bench NAME`.
    pub name: String,
    pub about: String,
    /// A Python script and its arguments; its last line of output is the value.
    #[serde(default)]
    pub command: Vec<String>,
    /// The unit of the value.
    pub unit: Unit,
    /// The upper limit.
    pub at_most: Option<f64>,
    /// The lower limit.
    pub at_least: Option<f64>,
    /// Whether it takes minutes.
    #[serde(default)]
    pub slow: bool,
}

impl Figure {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.command.is_empty() {
            return Err(format!("bench \"{}\": command is empty", self.name));
        }
        if self.at_most.is_some() == self.at_least.is_some() {
            return Err(format!(
                "bench \"{}\": set either at-most or at-least",
                self.name
            ));
        }
        Ok(())
    }
}

/// Units of benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Seconds of wall time.
    Seconds,
    /// Seconds of CPU time.
    CpuSeconds,
    /// Milliseconds of wall time.
    Milliseconds,
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
