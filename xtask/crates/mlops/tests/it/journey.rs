//! A user's day, on a bundle in which everything has another name than in ours: with the real
//! Databricks CLI, the local workspace and the real MLflow behind it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use xtask_testkit::{Project, Said};

const TRAIN_JOB: &str = "fit_churn";
const SCORE_JOB: &str = "score_churn";
const TASKS: [&str; 3] = ["Fit", "Judge", "Publish"];
const TEST_TARGET: &str = "check";
const OWN_TARGET: &str = "sandbox";
const NOTEBOOK: &str = "src/fit.py";

fn project() -> Project {
    Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"))
}

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| {
        panic!(
            "stdout is no JSON ({error}):\n{}\n{}",
            said.stdout, said.stderr
        )
    })
}

#[test]
fn a_day_on_another_bundle() {
    let project = project();

    // The main job, and what it says for machines.
    // A proxy that refuses every connection: what talks to this machine's own addresses goes past it.
    let mut command = project.xtask(&["test", "--json", "--junit", ".xtask/out/report.xml"]);
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        command.env(name, "http://127.0.0.1:9");
    }
    let said = Said::from(
        command
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .output()
            .unwrap(),
    );
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let first = json(&said);
    assert_eq!(first["version"], 1);
    assert_eq!(first["verdict"], "passed");
    assert!(first["unit"]["passed"].as_u64().unwrap() > 0, "{first}");
    let integration = &first["integration"];
    let keys: Vec<&str> = integration["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, TASKS);
    assert_eq!(integration["model"]["version"], 1);
    assert!(
        !integration["model"]["metrics"]
            .as_object()
            .unwrap()
            .is_empty(),
        "{first}"
    );
    // Metrics that are no number, read from the workspace and from the memory of green tests alike.
    assert_eq!(integration["model"]["metrics"]["share_of_nothing"], "NaN");
    assert_eq!(integration["model"]["metrics"]["worst"], "Infinity");
    assert_eq!(integration["champion_before"], Value::Null);
    let junit = std::fs::read_to_string(project.root().join(".xtask/out/report.xml")).unwrap();
    for name in TASKS {
        assert!(junit.contains(&format!("name=\"{name}\"")), "{junit}");
    }

    // Nothing changed: nothing is done again, and the answer is the same.
    let again = json(&project.succeed(&["test", "--json"]));
    assert_eq!(again["integration"]["cached"], true);
    assert_eq!(again["integration"]["job_run"], integration["job_run"]);
    assert_eq!(again["integration"]["model"], integration["model"]);

    // One file changed: it is named as the reason, and the new version meets the old champion.
    project.edit(
        NOTEBOOK,
        "# COMMAND ----------",
        "# A new comment\n\n# COMMAND ----------",
    );
    let said = project.succeed(&["test", "--json"]);
    assert!(
        said.stderr.contains(&format!("{NOTEBOOK} changed")),
        "{}",
        said.stderr
    );
    let second = json(&said);
    assert_eq!(second["integration"]["model"]["version"], 2);
    assert_eq!(second["integration"]["champion_before"]["version"], 1);

    // The pieces, on one's own target.
    let planned = project.succeed(&["deploy", "--target", OWN_TARGET, "--dry-run"]);
    assert!(
        planned.stderr.contains("create jobs."),
        "{}",
        planned.stderr
    );
    let _ = project.succeed(&["deploy", "--target", OWN_TARGET, "--yes"]);
    let _ = project.succeed(&["data", "upload", "--target", OWN_TARGET, "--yes"]);
    let _ = project.succeed(&["run", TRAIN_JOB, "--target", OWN_TARGET]);
    let _ = project.succeed(&["run", SCORE_JOB, "--target", OWN_TARGET, "--json"]);
    let gone = project.succeed(&["destroy", "--target", OWN_TARGET, "--yes", "--json"]);
    assert!(gone.stderr.contains("Destroyed"), "{}", gone.stderr);
    let nothing = project.succeed(&["destroy", "--target", OWN_TARGET, "--yes"]);
    assert!(
        nothing.stderr.contains("Nothing of the bundle"),
        "{}",
        nothing.stderr
    );
    let _ = project.succeed(&["deploy", "--target", OWN_TARGET, "--yes"]);

    // Any client can be pointed at the workspace.
    let line =
        "eval \"$(cargo xtask workspace env)\" && cd / && $CLI current-user me --output json";
    let cli = std::env::var("DATABRICKS_CLI").expect("DATABRICKS_CLI names the Databricks CLI");
    let me = Said::from(project.shell(line).env("CLI", cli).output().unwrap());
    assert_eq!(me.code, Some(0), "{}", me.stderr);
    assert!(me.stdout.contains("userName"), "{}", me.stdout);
    let code = "import mlflow
from databricks.sdk import WorkspaceClient
print(WorkspaceClient().current_user.me().user_name)
print([v.version for v in mlflow.MlflowClient().search_model_versions(\"name='MODEL'\")])"
        .replace(
            "MODEL",
            second["integration"]["model"]["name"].as_str().unwrap(),
        );
    let line = "eval \"$(cargo xtask workspace env)\" && .venv/bin/python -c \"$CODE\"";
    let clients = Said::from(project.shell(line).env("CODE", code).output().unwrap());
    assert_eq!(clients.code, Some(0), "{}", clients.stderr);
    assert!(clients.stdout.contains("@"), "{}", clients.stdout);
    assert!(
        clients.stdout.contains("2") && clients.stdout.contains("1"),
        "{}",
        clients.stdout
    );
}

#[test]
fn a_failing_notebook_is_named_with_cell_and_line() {
    let project = project();
    let (cell, line) = insert_second_cell(
        &project,
        "import os\nprint('before', dict(os.environ))\nraise ValueError('broken on purpose')",
    );

    let mut command = project.xtask(&[
        "test",
        "integration",
        "--json",
        "--explain",
        "--junit",
        ".xtask/report.xml",
    ]);
    command
        .env("GITHUB_TOKEN", "ghp_CANARY")
        .env("DATABRICKS_TOKEN", "dapiCANARY");
    let failed = Said::of(command);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    let place = format!("cell {cell}, line {line}: ValueError: broken on purpose");
    assert!(failed.stderr.contains(&place), "{}", failed.stderr);
    assert!(
        failed.stderr.contains("next: cargo xtask test integration"),
        "{}",
        failed.stderr
    );
    let failure = &json(&failed)["integration"]["tasks"][0]["failure"];
    assert_eq!(
        (&failure["cell"], &failure["line"]),
        (&cell.into(), &line.into())
    );
    let junit = std::fs::read_to_string(project.root().join(".xtask/report.xml")).unwrap();
    assert!(junit.contains("broken on purpose"), "{junit}");

    // In CI a line in the log and the job's summary lead other commands to the run.
    let mut ci = project.xtask(&["test", "integration"]);
    let summary = project.root().join(".xtask/summary.md");
    let said = Said::from(
        ci.env("CI", "true")
            .env("GITHUB_STEP_SUMMARY", &summary)
            .output()
            .unwrap(),
    );
    let line = said
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("::xtask-run:: "));
    let found: Value = serde_json::from_str(line.expect("the line for other commands")).unwrap();
    assert_eq!(
        (&found["verdict"], &found["failed_task"]),
        (&"failed".into(), &TASKS[0].into())
    );
    assert!(
        found["job_run"]["url"].as_str().unwrap().contains("/runs/"),
        "{found}"
    );
    assert!(
        std::fs::read_to_string(summary)
            .unwrap()
            .contains("::xtask-run:: {")
    );

    // A run that is not there is the service's word, with its own exit code.
    let unknown = project.run(&["logs", "run:1"]);
    assert_eq!(unknown.code, Some(4), "{}", unknown.stderr);

    // The newest failure, with what was printed before it.
    let logs = project.succeed(&["logs"]);
    assert!(logs.stdout.contains("before"), "{}", logs.stdout);
    assert!(logs.stdout.contains("broken on purpose"), "{}", logs.stdout);

    // The notebook got none of the user's tokens, and the workspace's token was not shown.
    let token = std::fs::read_to_string(project.root().join(".xtask/workspace/token")).unwrap();
    for text in [&failed.stdout, &failed.stderr, &logs.stdout] {
        assert!(!text.contains("CANARY"), "{text}");
        assert!(!text.contains(token.trim()), "{text}");
    }

    // A failure is not remembered.
    let again = project.run(&["test", "integration"]);
    assert_eq!(again.code, Some(1), "{}", again.stderr);
    assert!(!again.stderr.contains("Unchanged"), "{}", again.stderr);

    loops_and_child_runs_are_in_the_logs(&project);
}

/// A job that runs another one, whose tasks are a loop and one that fails before its code.
fn loops_and_child_runs_are_in_the_logs(project: &Project) {
    let bundle = "resources:\n  jobs:\n    inner:\n      name: inner\n      tasks:\n        - task_key: each\n          for_each_task:\n            inputs: '[\"a\", \"b\", \"c\"]'\n            task:\n              task_key: each_one\n              notebook_task:\n                notebook_path: ../src/each.py\n                base_parameters:\n                  item: '{{input}}'\n        - task_key: use\n          run_if: ALL_DONE\n          depends_on:\n            - task_key: each\n          notebook_task:\n            notebook_path: ../src/each.py\n            base_parameters:\n              item: '{{tasks.each.values.nothing}}'\n    outer:\n      name: outer\n      tasks:\n        - task_key: calls\n          run_job_task:\n            job_id: ${resources.jobs.inner.id}\n";
    let write = |path: &str, text: &str| std::fs::write(project.root().join(path), text).unwrap();
    write("resources/loop.yml", bundle);
    write(
        "src/each.py",
        "# Databricks notebook source\nimport sys\nitem = dbutils.widgets.get('item')\nfor _ in range(3):\n    print('.', end='', flush=True)\nprint(' done')\nprint('\\x1b]8;;https://elsewhere.example/\\x1b\\\\a link\\x1b]8;;\\x1b\\\\')\nassert item != 'b', 'not b'\n",
    );
    let _ = project.succeed(&["deploy", "--target", OWN_TARGET, "--yes"]);
    let failed = project.run(&["run", "outer", "--target", OWN_TARGET]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    let id = failed.stderr.split("logs run:").nth(1).unwrap();
    let id = id.split_whitespace().next().unwrap();
    let mut command = project.xtask(&["logs", &format!("run:{id}"), "--target", OWN_TARGET]);
    command.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1");
    let logs = Said::of(command);
    assert_eq!(logs.code, Some(0), "{}", logs.stderr);
    for expected in [
        "calls / each",
        "1 of 3",
        "3 of 3",
        "... done\n",
        "not b",
        "calls / use",
    ] {
        assert!(
            logs.stdout.contains(expected),
            "{expected}: {}",
            logs.stdout
        );
    }
    // Why it failed, although its code said nothing.
    let unused = logs.stdout.split("calls / use").nth(1).unwrap();
    assert!(
        unused.contains("failed:") && unused.contains("nothing"),
        "{unused}"
    );
    // A notebook's links lead nowhere.
    assert!(!logs.stdout.contains("\u{1b}]8;;https"), "{}", logs.stdout);
    assert!(logs.stdout.contains("elsewhere.example"), "{}", logs.stdout);
}

#[test]
fn a_failing_unit_test_keeps_the_job_from_running() {
    let project = project();
    let path = project.root().join("checks/test_broken.py");
    std::fs::write(
        path,
        "def test_broken():\n    assert 1 == 2, 'broken on purpose'\n",
    )
    .unwrap();
    let said = project.run(&["test", "--json"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let cause = "test_broken failed: AssertionError: broken on purpose, checks/test_broken.py:2";
    assert!(said.stderr.contains(cause), "{}", said.stderr);
    assert!(
        said.stderr.contains("next: cargo xtask test unit"),
        "{}",
        said.stderr
    );
    let results = json(&said);
    assert_eq!(
        (&results["verdict"], &results["unit"]["failed"]),
        (&"failed".into(), &1.into())
    );
    assert_eq!(results["integration"], Value::Null);
}

#[test]
fn the_local_workspace_is_told_of_a_spark_cluster() {
    let project = project();
    let remote = "spark-remote = \"sc://127.0.0.1:7\"\n";
    let both = format!("[workspace]\n{remote}spark-master = \"spark://127.0.0.1:7\"");
    project.edit("xtask.toml", "[workspace]", &both);
    let said = project.run(&["workspace", "status"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(
        said.stderr.contains("either spark-master or spark-remote"),
        "{}",
        said.stderr
    );
    project.edit("xtask.toml", remote, "");
    let said = project.succeed(&["workspace", "up", "--explain"]);
    assert!(
        said.stderr.contains("--spark-master spark://127.0.0.1:7"),
        "{}",
        said.stderr
    );
}

#[test]
fn unit_tests_that_run_too_little_of_the_code_fail() {
    let project = project();
    let unit = "unit = [\"checks\"]";
    project.edit("xtask.toml", unit, &format!("{unit}\ncoverage = [\"src\"]"));
    let said = project.run(&["test", "unit", "--json"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let what =
        "the unit tests run too little of the code: Required test coverage of 90.0% not reached";
    assert!(said.stderr.contains(what), "{}", said.stderr);
    assert!(
        said.stderr.contains("src/loyalty/customers.py"),
        "{}",
        said.stderr
    );
    let results = json(&said);
    assert_eq!(
        (&results["unit"]["verdict"], &results["unit"]["failed"]),
        (&"failed".into(), &0.into())
    );

    project.edit("xtask.toml", "[\"src\"]", "[\"src/loyalty\"]");
    project.edit("pyproject.toml", "fail_under = 90", "fail_under = 10");
    let _ = project.succeed(&["test", "unit"]);
    assert!(!project.root().join(".coverage").exists());
}

#[test]
fn ctrl_c_cancels_the_job_and_leaves_no_orphan() {
    let project = project();
    let _ = project.succeed(&["workspace", "up"]);
    let marker = format!("sleeping-{}", std::process::id());
    let sleep = format!("subprocess.run(['sh', '-c', 'sleep 600; : {marker}'])");
    insert_second_cell(&project, &format!("import subprocess\n{sleep}"));
    let mut command = project.xtask(&["test", "integration"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("the notebook sleeps", || processes_with(&marker) > 0);

    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let said = Said::from(child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(130), "{}", said.stderr);
    assert!(said.stderr.contains("cancelled job run"), "{}", said.stderr);
    wait_until("the notebook is gone", || processes_with(&marker) == 0);
}

#[test]
fn a_target_with_a_host_is_reached_with_the_users_own_credentials() {
    // The workspace of another clone stands in for Databricks: nothing of ours starts it or knows its token.
    let other = project();
    let _ = other.succeed(&["workspace", "up"]);
    let read = |name: &str| {
        std::fs::read_to_string(other.root().join(".xtask/workspace").join(name)).unwrap()
    };
    let server: Value = serde_json::from_str(&read("server.json")).unwrap();
    let host = format!("host: {}", server["url"].as_str().unwrap());

    let project = project();
    let yaml = std::fs::read_to_string(project.root().join("databricks.yml")).unwrap();
    let target = format!("  {TEST_TARGET}:\n");
    let (before, after) = yaml.split_once(&target).unwrap();
    let after = after.replacen("profile: mlops-local", &host, 1);
    std::fs::write(
        project.root().join("databricks.yml"),
        format!("{before}{target}{after}"),
    )
    .unwrap();

    let mut command = project.xtask(&["test", "integration", "--json", "--explain"]);
    let said = Said::from(
        command
            .env("DATABRICKS_TOKEN", read("token").trim())
            .output()
            .unwrap(),
    );
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(json(&said)["integration"]["model"]["version"], 1);
    assert!(
        said.stderr.contains(" api post /api/2.2/jobs/run-now"),
        "{}",
        said.stderr
    );
    assert!(
        !project.root().join(".xtask/workspace").exists(),
        "a local workspace was started"
    );
    assert!(
        !said.stderr.contains(read("token").trim()),
        "the token is shown"
    );

    let without = project.run(&["deploy", "--target", TEST_TARGET, "--yes"]);
    assert_eq!(without.code, Some(6), "{}", without.stderr);
    assert!(without.stderr.contains("credentials"), "{}", without.stderr);
}

#[test]
fn what_cannot_be_is_refused_with_what_can() {
    let project = project();
    let target = project.run(&["deploy", "--target", "nowhere"]);
    assert_eq!(target.code, Some(2), "{}", target.stderr);
    assert!(
        target
            .stderr
            .contains(&format!("{OWN_TARGET}, {TEST_TARGET}")),
        "{}",
        target.stderr
    );

    let part = project.run(&["ci", "--only", "nothing"]);
    assert_eq!(part.code, Some(2), "{}", part.stderr);
    assert!(
        part.stderr.contains("next: cargo xtask ci --list"),
        "{}",
        part.stderr
    );

    project.edit(
        "xtask.toml",
        "version = 1",
        "version = 1\nbranhc = \"main\"",
    );
    let field = project.run(&["test"]);
    assert_eq!(field.code, Some(2), "{}", field.stderr);
    assert!(field.stderr.contains("branhc"), "{}", field.stderr);
}

#[test]
fn outside_of_a_project_it_says_so() {
    let project = project();
    let said = Said::from(
        project
            .xtask(&["test"])
            .current_dir(project.home())
            .output()
            .unwrap(),
    );
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(said.stderr.contains("no project found"), "{}", said.stderr);
}

/// Makes the notebook's second cell; answers its number and the number of its last line.
fn insert_second_cell(project: &Project, code: &str) -> (usize, usize) {
    const SEPARATOR: &str = "# COMMAND ----------";
    let path = project.root().join(NOTEBOOK);
    let text = std::fs::read_to_string(&path).unwrap();
    let (first, rest) = text.split_once(SEPARATOR).unwrap();
    let before = format!("{first}{SEPARATOR}\n\n{code}\n");
    std::fs::write(&path, format!("{before}\n{SEPARATOR}{rest}")).unwrap();
    (2, before.lines().count())
}

fn processes_with(marker: &str) -> usize {
    let found = std::process::Command::new("pgrep")
        .args(["-f", marker])
        .output()
        .unwrap();
    String::from_utf8_lossy(&found.stdout).lines().count()
}

fn wait_until(what: &str, ready: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !ready() {
        assert!(Instant::now() < deadline, "waited two minutes until {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
