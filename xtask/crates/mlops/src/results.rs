//! Results of `cargo xtask test`: the object that `--json` prints, the marker line in CI logs, and the
//! JUnit report. docs/test-results.md describes the fields.

use std::collections::BTreeMap;

use camino::Utf8Path;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};
use serde::{Deserialize, Serialize};

use crate::lineage::{Lineage, MlflowRun, ModelVersion};

/// Version of the object. Within a version, fields are only added.
pub(crate) const VERSION: u32 = 1;
/// The start of the marker line in CI logs. `status` reads nothing else from a log.
pub(crate) const MARKER: &str = "::xtask-run::";

/// How a part ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// All is well.
    Passed,
    Failed,
}

/// The whole result.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Results {
    /// [`VERSION`].
    pub(crate) version: u32,
    /// Failed when one part did.
    pub(crate) verdict: Verdict,
    /// The commit that is checked out, if there is one.
    pub(crate) commit: Option<String>,
    /// The unit tests, where requested.
    pub(crate) unit: Option<Unit>,
    /// The integration test, where it was requested and started.
    pub(crate) integration: Option<Integration>,
}

/// The unit tests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Unit {
    /// How they ended.
    pub(crate) verdict: Verdict,
    /// Whether this is the cached result of an earlier run on the same inputs.
    pub(crate) cached: bool,
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed, or broke.
    pub(crate) failed: u64,
    /// Tests that were left out.
    pub(crate) skipped: u64,
    /// How long they took, in seconds.
    pub(crate) seconds: f64,
}

/// The integration test.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Integration {
    /// How it ended.
    pub(crate) verdict: Verdict,
    /// Whether this is the cached result of an earlier run on the same inputs.
    pub(crate) cached: bool,
    /// The bundle target.
    pub(crate) target: String,
    pub(crate) job_run: JobRun,
    /// Its tasks, in the order in which they started.
    pub(crate) tasks: Vec<Task>,
    /// The MLflow run of the training task.
    pub(crate) mlflow_run: Option<MlflowRun>,
    /// The version that was registered.
    pub(crate) model: Option<ModelVersion>,
    /// The champion before this run.
    pub(crate) champion_before: Option<ModelVersion>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct JobRun {
    pub(crate) run_id: i64,
    /// The page that shows it.
    pub(crate) url: String,
    /// Its result state, as in the Databricks API.
    pub(crate) result: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    /// Its key in the job.
    pub(crate) key: String,
    pub(crate) run_id: i64,
    /// Its result state, as in the Databricks API.
    pub(crate) result: String,
    /// How long it ran, in seconds; 0 where it never started.
    pub(crate) seconds: f64,
    /// Why it failed.
    pub(crate) failure: Option<TaskFailure>,
}

/// Why a task failed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct TaskFailure {
    /// The notebook, where the task runs one.
    pub(crate) notebook: Option<String>,
    /// The cell that failed, from 1.
    pub(crate) cell: Option<usize>,
    /// The line in the notebook's file, from 1.
    pub(crate) line: Option<usize>,
    /// The error in one line.
    pub(crate) error: String,
    /// The last lines of its output.
    pub(crate) output: String,
}

impl Results {
    /// The results of the parts that ran.
    pub(crate) fn new(
        commit: Option<String>,
        unit: Option<Unit>,
        integration: Option<Integration>,
    ) -> Results {
        let failed = unit
            .as_ref()
            .is_some_and(|unit| unit.verdict == Verdict::Failed)
            || integration
                .as_ref()
                .is_some_and(|part| part.verdict == Verdict::Failed);
        let verdict = if failed {
            Verdict::Failed
        } else {
            Verdict::Passed
        };
        Results {
            version: VERSION,
            verdict,
            commit,
            unit,
            integration,
        }
    }

    /// The marker line by which other commands find the run in a CI log.
    pub(crate) fn marker_line(&self) -> anyhow::Result<String> {
        let integration = self.integration.as_ref();
        let line = serde_json::json!({
            "version": VERSION,
            "verdict": self.verdict,
            "commit": self.commit,
            "target": integration.map(|part| &part.target),
            "job_run": integration.map(|part| &part.job_run),
            "failed_task": integration.and_then(|part| {
                part.tasks.iter().find(|task| task.failure.is_some()).map(|task| &task.key)
            }),
            "mlflow_run": integration.and_then(|part| part.mlflow_run.as_ref()),
            "model": integration.and_then(|part| part.model.as_ref()),
        });
        Ok(format!("{MARKER} {}", serde_json::to_string(&line)?))
    }
}

impl Integration {
    /// Adds what the run made.
    pub(crate) fn with(mut self, lineage: Lineage) -> Integration {
        self.mlflow_run = lineage.mlflow_run;
        self.model = lineage.model;
        self.champion_before = lineage.champion_before;
        self
    }
}

/// The counts in a report that pytest wrote.
pub(crate) fn read_pytest(report: &Utf8Path) -> anyhow::Result<Unit> {
    let text = fs_err::read_to_string(report)?;
    let mut reader = Reader::from_str(&text);
    let mut counts: BTreeMap<String, f64> = BTreeMap::new();
    loop {
        match reader.read_event()? {
            Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == "testsuite" => {
                for attribute in tag.attributes() {
                    let attribute = attribute?;
                    let name = attribute.key.as_ref().to_owned();
                    let value = attribute.value.parse::<f64>();
                    *counts.entry(name).or_default() += value.unwrap_or_default();
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are small"
    )]
    let count = |name: &str| counts.get(name).copied().unwrap_or_default() as u64;
    let (failed, skipped) = (count("failures") + count("errors"), count("skipped"));
    Ok(Unit {
        verdict: if failed == 0 {
            Verdict::Passed
        } else {
            Verdict::Failed
        },
        cached: false,
        passed: count("tests").saturating_sub(failed + skipped),
        failed,
        skipped,
        seconds: counts.get("time").copied().unwrap_or_default(),
    })
}

/// Writes a JUnit report: the suites of pytest as they are, and one case for each task.
pub(crate) fn write_junit(
    file: &Utf8Path,
    pytest: Option<&Utf8Path>,
    results: &Results,
) -> anyhow::Result<()> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let root = BytesStart::new("testsuites");
    writer.write_event(Event::Start(root.clone()))?;
    if let Some(report) = pytest.filter(|report| report.exists()) {
        copy_suites(&fs_err::read_to_string(report)?, &mut writer)?;
    }
    if let Some(integration) = &results.integration {
        write_tasks(integration, &mut writer)?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuites")))?;
    if let Some(folder) = file.parent().filter(|folder| !folder.as_str().is_empty()) {
        fs_err::create_dir_all(folder)?;
    }
    fs_err::write(file, writer.into_inner())?;
    Ok(())
}

fn copy_suites(report: &str, writer: &mut Writer<Vec<u8>>) -> anyhow::Result<()> {
    let mut reader = Reader::from_str(report);
    loop {
        match reader.read_event()? {
            Event::Eof => return Ok(()),
            Event::Decl(_) => {}
            Event::Start(tag) if tag.name().as_ref() == "testsuites" => {}
            Event::End(tag) if tag.name().as_ref() == "testsuites" => {}
            event => writer.write_event(event)?,
        }
    }
}

fn write_tasks(integration: &Integration, writer: &mut Writer<Vec<u8>>) -> anyhow::Result<()> {
    let failures = integration
        .tasks
        .iter()
        .filter(|task| task.failure.is_some())
        .count();
    let mut suite = BytesStart::new("testsuite");
    suite.push_attribute(("name", "integration"));
    suite.push_attribute(("tests", integration.tasks.len().to_string().as_str()));
    suite.push_attribute(("failures", failures.to_string().as_str()));
    writer.write_event(Event::Start(suite))?;
    for task in &integration.tasks {
        let mut case = BytesStart::new("testcase");
        case.push_attribute(("classname", integration.target.as_str()));
        case.push_attribute(("name", task.key.as_str()));
        case.push_attribute(("time", format!("{:.3}", task.seconds).as_str()));
        writer.write_event(Event::Start(case))?;
        if let Some(failure) = &task.failure {
            let mut tag = BytesStart::new("failure");
            tag.push_attribute(("message", failure.error.as_str()));
            writer.write_event(Event::Start(tag))?;
            writer.write_event(Event::Text(BytesText::new(&failure.output)))?;
            writer.write_event(Event::End(BytesEnd::new("failure")))?;
        }
        writer.write_event(Event::End(BytesEnd::new("testcase")))?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuite")))?;
    Ok(())
}
