//! Trying a model version before it becomes champion: a few predictions with the code that is deployed where the
//! version is to be used, in a process of its own that has nobody's credentials.

mod code;
mod home;
mod missing;

use std::process::Command;
use std::time::Duration;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xtask_remote::mlflow::MetricValue;

use crate::children;
use crate::context::Context;
use crate::databricks::{Summary, Target};
use crate::error::{Failure, Kind};
use crate::process;
use crate::tools::Toolbox;
use crate::ui::safe_line;
use home::Home;

/// How long it may take; imports alone take half a minute on a busy machine.
const DEADLINE: Duration = Duration::from_secs(180);
/// How many predictions are shown.
const SHOWN: usize = 5;
/// What tries a version where `model.smoke` names nothing.
const BUILT_IN: &str = include_str!("smoke/built_in.py");
/// What the process gets of the environment: what finds programs and libraries, and the language.
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

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Smoke {
    /// How many predictions were made.
    pub(crate) rows: u64,
    /// The first of them.
    #[serde(default)]
    pub(crate) predictions: Vec<Value>,
    /// Their mean, where they are numbers.
    #[serde(default)]
    pub(crate) mean: Option<MetricValue>,
}

impl Smoke {
    /// One line for people to read.
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

/// Predicts with a version's verified files, by the code that is deployed to `target` (whose `summary` says where),
/// and the project's Python here.
///
/// # Errors
/// [`Kind::Usage`] when the deployed code does not have what `model.smoke` names; [`Kind::Failed`] when the version
/// does not predict, takes too long, or says no result.
pub(crate) fn predict(
    context: &Context,
    toolbox: &Toolbox,
    target: &Target<'_>,
    summary: &Summary,
    files: &Utf8Path,
) -> anyhow::Result<Smoke> {
    let deployed = code::deployed(context, target, &summary.workspace.file_path)?;
    let source = deployed.join(&context.config.data.source);
    let home = Home::new(context)?;
    let mut command = Command::new(&toolbox.python);
    match &context.config.model.smoke {
        Some(module) => {
            require(&source, module, target)?;
            command.args(["-m", module]);
        }
        None => {
            let script = home.0.join("built_in.py");
            fs_err::write(&script, BUILT_IN)?;
            command.arg(script);
        }
    }
    command.arg("--model").arg(files.canonicalize_utf8()?);
    seclude(context, &mut command, &home.0, &source);
    let typed = process::typed(&command);
    let ended = process::run_bounded(&context.ui, &context.interrupt, command, DEADLINE)?;
    if !ended.status.success() {
        let again = format!("PYTHONPATH={source} {typed}");
        let failure = failed(target, &ended.stderr);
        let missing = missing::hint(&ended.stderr, files, &source);
        return missing
            .into_iter()
            .fold(failure, Failure::next)
            .next(format!("{again}   # tries it again"))
            .err();
    }
    result(&ended.stdout)
}

/// The process gets nothing that would let it in anywhere: no variable but those that it needs, an empty home, and
/// an empty folder to be in.
fn seclude(context: &Context, command: &mut Command, home: &Utf8Path, source: &Utf8Path) {
    command.env_clear();
    for name in PASSED_THROUGH {
        if let Some(value) = context.env.get(name) {
            command.env(name, children::own(&context.env, name, value));
        }
    }
    command
        .env("HOME", home)
        .env("PYTHONPATH", source)
        .env("PYTHONUTF8", "1")
        // The files stay what was verified, and the deployed code what is deployed.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(home);
}

/// Refuses where the deployed code does not have the module: an old deployment, most likely.
fn require(source: &Utf8Path, module: &str, target: &Target<'_>) -> anyhow::Result<()> {
    let path = source.join(module.replace('.', "/"));
    if path.with_extension("py").is_file() || path.join("__main__.py").is_file() {
        return Ok(());
    }
    let what = format!(
        "the code that is deployed to {} has no {module}",
        target.name
    );
    Failure::new(Kind::Usage, what)
        .details(
            "xtask.toml names it as model.smoke: it tries a version before it becomes champion",
        )
        .next(format!("cargo xtask deploy --target {}", target.name))
        .err()
}

/// The failure, led by the line in which the process says why.
fn failed(target: &Target<'_>, said: &str) -> Failure {
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let error = lines
        .iter()
        .rev()
        .find_map(|line| line.strip_prefix("error: "));
    let why = error.or(lines.last().copied()).unwrap_or("it said nothing");
    let what = format!(
        "the smoke prediction with the code of {} failed: {}",
        target.name,
        safe_line(why)
    );
    let tail = lines[lines.len().saturating_sub(15)..].join("\n");
    Failure::new(Kind::Failed, what).details(tail)
}

/// The result on the last line; only one with predictions that are numbers counts.
fn result(stdout: &str) -> anyhow::Result<Smoke> {
    let last = stdout.lines().rfind(|line| !line.trim().is_empty());
    let last = last.unwrap_or_default();
    let read = read(last);
    let finite = |smoke: &Smoke| smoke.mean.is_none_or(|mean| mean.get().is_finite());
    // Python's json writes NaN and Infinity bare, which no JSON is.
    let words = read.is_none() && (last.contains("NaN") || last.contains("Infinity"));
    let what = match read {
        Some(smoke) if finite(&smoke) => return Ok(smoke),
        None if !words => "the smoke prediction ended without a result on its last line",
        _ => "the version predicts what is no finite number",
    };
    Failure::new(Kind::Failed, what)
        .details(format!("it said: {}", safe_line(last)))
        .next("compare it with `model.smoke` in docs/configuration.md")
        .err()
}

fn read(line: &str) -> Option<Smoke> {
    let object: Map<String, Value> = serde_json::from_str(line).ok()?;
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
            assert!(said.contains("without a result"), "{none}: {said}");
        }
        for endless in [
            "{\"rows\": 2, \"predictions\": [NaN, 1.0], \"mean\": NaN}",
            "{\"rows\": 2, \"predictions\": [1.0], \"mean\": -Infinity}",
            "{\"rows\": 2, \"mean\": \"NaN\"}",
        ] {
            let said = result(endless).unwrap_err().to_string();
            assert!(said.contains("no finite number"), "{endless}: {said}");
        }
    }
}
