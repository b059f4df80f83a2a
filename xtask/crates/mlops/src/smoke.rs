//! The smoke test of a model version before it becomes champion: a few predictions with the code deployed
//! to its target, in a separate process without credentials.

mod code;
mod missing;

use std::process::Command;
use std::time::Duration;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xtask_remote::mlflow::MetricValue;

use crate::child_env;
use crate::context::Context;
use crate::databricks::{Summary, Target};
use crate::error::Failure;
use crate::process;
use crate::temporary::Temporary;
use crate::tools::Toolbox;
use crate::ui::safe_line;

/// The timeout; imports alone take 30 s on a busy machine.
const DEADLINE: Duration = Duration::from_secs(180);
/// How many predictions to show.
const SHOWN: usize = 5;
/// The default smoke test, if `model.smoke` is not set.
const BUILT_IN: &str = include_str!("smoke/built_in.py");
/// The variables that the process inherits: search paths and the locale.
const PASSED_THROUGH: &[&str] = &[
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "JAVA_HOME",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "OMP_NUM_THREADS",
];

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Smoke {
    /// The number of predictions.
    pub(crate) rows: u64,
    /// The first of them.
    #[serde(default)]
    pub(crate) predictions: Vec<Value>,
    /// Their mean, where they are numbers.
    #[serde(default)]
    pub(crate) mean: Option<MetricValue>,
}

impl Smoke {
    /// A one-line summary.
    pub(crate) fn sentence(&self) -> String {
        let first: Vec<String> = self.predictions.iter().map(Value::to_string).collect();
        let mean = self.mean.map(|mean| format!(", mean {mean}"));
        let (rows, mean) = (self.rows, mean.unwrap_or_default());
        let more = match u64::try_from(first.len()) {
            Ok(shown) if shown >= rows => "",
            _ => ", …",
        };
        let first = first.join(", ");
        safe_line(&format!("{rows} predictions{mean}: {first}{more}"))
    }
}

/// Predicts with a version's verified files, the code deployed to `target`, and the project's local Python.
pub(crate) fn predict(
    context: &Context,
    toolbox: &Toolbox,
    target: &Target<'_>,
    summary: &Summary,
    files: &Utf8Path,
) -> anyhow::Result<Smoke> {
    let deployed = code::deployed(context, target, &summary.workspace.file_path)?;
    let source = deployed.join(&context.config.data.source);
    let home = Temporary::folder(&context.local().join("cache/smoke/home"))?;
    let mut command = Command::new(&toolbox.python);
    match &context.config.model.smoke {
        Some(module) => {
            require(&source, module, target)?;
            command.args(["-m", module]);
        }
        None => {
            command.arg(home.file("built_in.py", BUILT_IN.as_bytes())?);
        }
    }
    command.arg("--model").arg(files.canonicalize_utf8()?);
    seclude(context, &mut command, &home, &source);
    let typed = process::typed(&command);
    let ended = process::run_bounded(&context.ui, &context.interrupt, command, DEADLINE)?;
    if !ended.status.success() {
        let again = format!("PYTHONPATH={source} {typed}");
        let failure = failed(target, &ended.stderr);
        let missing = missing::hint(&ended.stderr, files, &source);
        return missing
            .into_iter()
            .fold(failure, Failure::next)
            .next(format!("{again}   # to reproduce"))
            .err();
    }
    result(&ended.stdout)
}

/// The process gets no credentials: only the variables that it needs, an empty home folder and an empty
/// working folder.
fn seclude(context: &Context, command: &mut Command, home: &Utf8Path, source: &Utf8Path) {
    command.env_clear();
    for name in PASSED_THROUGH {
        if let Some(value) = context.env.get(name) {
            command.env(name, child_env::own(&context.env, name, value));
        }
    }
    command
        .env("HOME", home)
        .env("PYTHONPATH", source)
        .env("PYTHONUTF8", "1")
        // No bytecode in the verified files and the deployed code.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(home);
}

/// Fails if the deployed code does not have the module, most likely an old deployment.
fn require(source: &Utf8Path, module: &str, target: &Target<'_>) -> anyhow::Result<()> {
    let path = source.join(module.replace('.', "/"));
    if path.with_extension("py").is_file() || path.join("__main__.py").is_file() {
        return Ok(());
    }
    Failure::usage(format!(
        "the code deployed to {} has no module {module}",
        target.name
    ))
        .details(
            "model.smoke in xtask.toml names it; it predicts with a version before the version becomes champion",
        )
        .next(format!("cargo xtask deploy --target {}", target.name))
        .err()
}

/// The failure, with the process's error line first.
fn failed(target: &Target<'_>, said: &str) -> Failure {
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let error = lines
        .iter()
        .rev()
        .find_map(|line| line.strip_prefix("error: "));
    let why = error.or(lines.last().copied()).unwrap_or("no output");
    let what = format!(
        "the smoke prediction with the code of {} failed: {}",
        target.name,
        safe_line(why)
    );
    let tail = lines[lines.len().saturating_sub(15)..].join("\n");
    Failure::failed(what).details(tail)
}

/// Parses the result on the last line; predictions must be numbers.
fn result(stdout: &str) -> anyhow::Result<Smoke> {
    let last = stdout.lines().rfind(|line| !line.trim().is_empty());
    let last = last.unwrap_or_default();
    let read = read(last);
    let finite = |smoke: &Smoke| smoke.mean.is_none_or(|mean| mean.get().is_finite());
    // Python's json writes bare NaN and Infinity, which is not JSON.
    let words = read.is_none() && (last.contains("NaN") || last.contains("Infinity"));
    let what = match read {
        Some(smoke) if finite(&smoke) => return Ok(smoke),
        None if !words => "the smoke prediction printed no result on its last line",
        _ => "the version predicts a value that is not a finite number",
    };
    Failure::failed(what)
        .details(format!("last line: {}", safe_line(last)))
        .next("see `model.smoke` in docs/configuration.md")
        .err()
}

fn read(line: &str) -> Option<Smoke> {
    let object: Map<String, Value> = xtask_remote::json::from_str(line).ok()?;
    let mut smoke: Smoke = serde_json::from_value(Value::Object(object)).ok()?;
    smoke.predictions.truncate(SHOWN);
    (smoke.rows > 0).then_some(smoke)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_result_with_predictions_counts() {
        let found =
            result("warning\n{\"rows\": 7, \"predictions\": [1,2,3,4,5,6,7], \"mean\": 4.0}\n\n")
                .unwrap();
        assert_eq!(
            (found.rows, found.predictions.len(), found.mean),
            (7, SHOWN, Some(4.0.into()))
        );
        assert_eq!(
            found.sentence(),
            "7 predictions, mean 4.0000: 1, 2, 3, 4, 5, …"
        );
        let words = result("{\"rows\": 1, \"predictions\": [\"a\\u001b[2J\"]}").unwrap();
        assert_eq!(words.mean, None);
        assert!(!words.sentence().contains('\u{1b}'), "{}", words.sentence());
        for none in [
            "",
            "done",
            "{\"rows\": 0, \"mean\": 1.0}",
            "{\"rows\": -1}",
            "{\"mean\": 1}",
            "[1]",
        ] {
            let said = result(none).unwrap_err().to_string();
            assert!(said.contains("printed no result"), "{none}: {said}");
        }
        for endless in [
            "{\"rows\": 2, \"predictions\": [NaN, 1.0], \"mean\": NaN}",
            "{\"rows\": 2, \"predictions\": [1.0], \"mean\": -Infinity}",
            "{\"rows\": 2, \"mean\": \"NaN\"}",
        ] {
            let said = result(endless).unwrap_err().to_string();
            assert!(said.contains("not a finite number"), "{endless}: {said}");
        }
    }
}
