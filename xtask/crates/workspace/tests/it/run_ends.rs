//! Each way in which a run ends: what the real CLI prints, its exit code, and both forms of the state.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::{attempted, databricks, stdout};
use crate::runs::workspace;
use crate::server::Server;

/// Jobs of conditions, where they need no code: `HOLDS` goes well, `BREAKS` fails.
const BUNDLE: &str = r#"
bundle: {name: ends, engine: direct}
resources:
  jobs:
    success:
      name: success
      tasks: [{task_key: prints, notebook_task: {notebook_path: prints.py}}]
    failed:
      name: failed
      tasks:
        - {task_key: raises, notebook_task: {notebook_path: raises.py}}
        - {task_key: after, depends_on: [{task_key: raises}], HOLDS}
    upstream_failed:
      name: upstream_failed
      tasks:
        - {task_key: first, BREAKS}
        - {task_key: second, depends_on: [{task_key: first}], HOLDS}
        - {task_key: third, depends_on: [{task_key: second}], HOLDS}
    made_good:
      name: made_good
      tasks:
        - {task_key: first, BREAKS}
        - {task_key: cleanup, depends_on: [{task_key: first}], run_if: ALL_DONE, HOLDS}
    excluded:
      name: excluded
      tasks:
        - {task_key: first, HOLDS}
        - {task_key: alarm, depends_on: [{task_key: first}], run_if: AT_LEAST_ONE_FAILED, HOLDS}
        - {task_key: other, depends_on: [{task_key: first, outcome: "false"}], HOLDS}
    job_timeout:
      name: job_timeout
      timeout_seconds: 3
      tasks:
        - {task_key: sleeps, notebook_task: {notebook_path: sleeps.py}}
        - {task_key: after, depends_on: [{task_key: sleeps}], HOLDS}
    task_timeout:
      name: task_timeout
      tasks: [{task_key: sleeps, timeout_seconds: 3, notebook_task: {notebook_path: sleeps.py}}]
    cancelled:
      name: cancelled
      tasks: [{task_key: sleeps, notebook_task: {notebook_path: sleeps.py}}]
    skipped:
      name: skipped
      max_concurrent_runs: 1
      queue: {enabled: false}
      tasks: [{task_key: sleeps, notebook_task: {notebook_path: sleeps.py}}]
    internal_error:
      name: internal_error
      tasks: [{task_key: lost, notebook_task: {notebook_path: /Workspace/Users/nobody/lost}}]
"#;
const HOLDS: &str = "condition_task: {left: a, op: EQUAL_TO, right: a}";
const BREAKS: &str = "condition_task: {left: a, op: LESS_THAN, right: a}";
/// What the API says of a run whose task failed.
const SKIPPED_REST: &str = "This caused all downstream tasks to get skipped.";

/// How a run ends.
struct End {
    job: &'static str,
    /// What the CLI answers, and parts of what it prints.
    exit: i32,
    printed: &'static [&'static str],
    /// `life_cycle_state`, `result_state`, and code and type of the termination.
    run: [&'static str; 4],
    /// Key, `result_state`, and code of the termination of each task.
    tasks: &'static [[&'static str; 3]],
}

const ENDS: &[End] = &[
    End {
        job: "success",
        exit: 0,
        printed: &["TERMINATED SUCCESS", "handed over"],
        run: ["TERMINATED", "SUCCESS", "SUCCESS", "SUCCESS"],
        tasks: &[["prints", "SUCCESS", "SUCCESS"]],
    },
    End {
        job: "failed",
        exit: 1,
        printed: &[
            "Task raises FAILED:",
            "ValueError: no rows",
            "Error: failed to reach TERMINATED or SKIPPED, got INTERNAL_ERROR: Task raises failed with message: \
             Workload failed, see run output for details. This caused all downstream tasks to get skipped.",
        ],
        run: [
            "INTERNAL_ERROR",
            "FAILED",
            "RUN_EXECUTION_ERROR",
            "CLIENT_ERROR",
        ],
        tasks: &[
            ["raises", "FAILED", "RUN_EXECUTION_ERROR"],
            ["after", "UPSTREAM_FAILED", "SKIPPED"],
        ],
    },
    End {
        job: "upstream_failed",
        exit: 1,
        printed: &[
            "Task first FAILED:",
            "got INTERNAL_ERROR: Task first failed with message: ",
        ],
        run: [
            "INTERNAL_ERROR",
            "FAILED",
            "RUN_EXECUTION_ERROR",
            "CLIENT_ERROR",
        ],
        tasks: &[
            ["first", "FAILED", "RUN_EXECUTION_ERROR"],
            ["second", "UPSTREAM_FAILED", "SKIPPED"],
            ["third", "UPSTREAM_FAILED", "SKIPPED"],
        ],
    },
    // The CLI has no word for this one, and takes it for a success.
    End {
        job: "made_good",
        exit: 0,
        printed: &["TERMINATED SUCCESS_WITH_FAILURES"],
        run: [
            "TERMINATED",
            "SUCCESS_WITH_FAILURES",
            "SUCCESS_WITH_FAILURES",
            "SUCCESS",
        ],
        tasks: &[
            ["first", "FAILED", "RUN_EXECUTION_ERROR"],
            ["cleanup", "SUCCESS", "SUCCESS"],
        ],
    },
    End {
        job: "excluded",
        exit: 0,
        printed: &["TERMINATED SUCCESS"],
        run: ["TERMINATED", "SUCCESS", "SUCCESS", "SUCCESS"],
        tasks: &[
            ["first", "SUCCESS", "SUCCESS"],
            ["alarm", "EXCLUDED", "SKIPPED"],
            ["other", "EXCLUDED", "SKIPPED"],
        ],
    },
    End {
        job: "job_timeout",
        exit: 1,
        printed: &["TERMINATED TIMEDOUT", "Error: run timed out: "],
        run: ["TERMINATED", "TIMEDOUT", "CANCELED", "CLIENT_ERROR"],
        tasks: &[
            ["sleeps", "CANCELED", "USER_CANCELED"],
            ["after", "TIMEDOUT", "CANCELED"],
        ],
    },
    End {
        job: "task_timeout",
        exit: 1,
        printed: &["got INTERNAL_ERROR: Task sleeps failed with message: Run timed out."],
        run: [
            "INTERNAL_ERROR",
            "FAILED",
            "RUN_EXECUTION_ERROR",
            "CLIENT_ERROR",
        ],
        tasks: &[["sleeps", "TIMEDOUT", "CANCELED"]],
    },
    End {
        job: "internal_error",
        exit: 1,
        printed: &[
            "Task lost FAILED:",
            "/Workspace/Users/nobody/lost",
            "got INTERNAL_ERROR: Task lost failed",
        ],
        run: [
            "INTERNAL_ERROR",
            "FAILED",
            "RUN_EXECUTION_ERROR",
            "CLIENT_ERROR",
        ],
        tasks: &[["lost", "FAILED", "RUN_EXECUTION_ERROR"]],
    },
];

fn deployed(server: &Server, dir: &Path) {
    for (name, source) in [
        (
            "prints.py",
            "print('printed')\ndbutils.notebook.exit('handed over')\n",
        ),
        ("raises.py", "raise ValueError('no rows')\n"),
        ("sleeps.py", "import time\ntime.sleep(600)\n"),
    ] {
        let text = format!("# Databricks notebook source\n{source}");
        std::fs::write(dir.join(name), text).unwrap();
    }
    let bundle = BUNDLE.replace("HOLDS", HOLDS).replace("BREAKS", BREAKS);
    std::fs::write(dir.join("databricks.yml"), bundle).unwrap();
    databricks(server, dir, &["bundle", "deploy"]);
}

/// The newest run of a job, with its tasks.
async fn newest(server: &Server, job: &str) -> Value {
    let (_, jobs) = server.get(&format!("/api/2.2/jobs/list?name={job}")).await;
    let job_id = &jobs["jobs"][0]["job_id"];
    let path = format!("/api/2.2/jobs/runs/list?job_id={job_id}&expand_tasks=true&limit=1");
    server.get(&path).await.1["runs"][0].clone()
}

fn check(run: &Value, expected: &End) {
    let (state, details) = (&run["state"], &run["status"]["termination_details"]);
    let seen = json!([
        state["life_cycle_state"],
        state["result_state"],
        details["code"],
        details["type"]
    ]);
    assert_eq!(seen, json!(expected.run), "{run}");
    let tasks: Vec<Value> = run["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| {
            json!([
                task["task_key"],
                task["state"]["result_state"],
                task["status"]["termination_details"]["code"]
            ])
        })
        .collect();
    // The CLI deploys tasks in the order of their keys.
    let mut sorted = expected.tasks.to_vec();
    sorted.sort_unstable();
    assert_eq!(json!(tasks), json!(sorted), "{}", expected.job);
    if expected.run[0] == "INTERNAL_ERROR" {
        assert!(
            state["state_message"]
                .as_str()
                .unwrap()
                .ends_with(SKIPPED_REST),
            "{state}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cli_says_of_each_end_what_it_says_against_databricks() {
    let server = workspace().await;
    let bundle = tempfile::tempdir().unwrap();
    let dir = bundle.path();
    tokio::task::block_in_place(|| deployed(&server, dir));
    for end in ENDS {
        let output =
            tokio::task::block_in_place(|| attempted(&server, dir, &["bundle", "run", end.job]));
        let printed = format!(
            "{}{}",
            stdout(&output),
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(
            output.status.code(),
            Some(end.exit),
            "{}: {printed}",
            end.job
        );
        for part in end.printed {
            assert!(
                printed.contains(part),
                "{}: {part} is not in\n{printed}",
                end.job
            );
        }
        check(&newest(&server, end.job).await, end);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cli_says_that_a_run_was_cancelled_or_skipped() {
    let server = workspace().await;
    let bundle = tempfile::tempdir().unwrap();
    let dir = bundle.path();
    tokio::task::block_in_place(|| deployed(&server, dir));
    let follow = |job: &'static str| {
        tokio::task::block_in_place(|| attempted(&server, dir, &["bundle", "run", job]))
    };

    let start = ["bundle", "run", "skipped", "--no-wait"];
    tokio::task::block_in_place(|| databricks(&server, dir, &start));
    let skipped = follow("skipped");
    let printed = String::from_utf8(skipped.stderr).unwrap();
    assert_eq!(skipped.status.code(), Some(1), "{printed}");
    assert!(printed.contains("Error: run skipped: "), "{printed}");
    check(
        &newest(&server, "skipped").await,
        &End {
            job: "skipped",
            exit: 1,
            printed: &[],
            run: [
                "SKIPPED",
                "MAXIMUM_CONCURRENT_RUNS_REACHED",
                "MAX_CONCURRENT_RUNS_EXCEEDED",
                "CLIENT_ERROR",
            ],
            tasks: &[[
                "sleeps",
                "MAXIMUM_CONCURRENT_RUNS_REACHED",
                "MAX_CONCURRENT_RUNS_EXCEEDED",
            ]],
        },
    );

    // The CLI holds this thread up until the run has ended.
    let cancelled = std::thread::scope(|scope| {
        let following = scope.spawn(|| attempted(&server, dir, &["bundle", "run", "cancelled"]));
        let cancel = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| cancel.block_on(cancel_when_running(&server)));
        following.join().unwrap()
    });
    let printed = String::from_utf8(cancelled.stderr).unwrap();
    assert_eq!(cancelled.status.code(), Some(1), "{printed}");
    assert!(
        printed.contains("TERMINATED CANCELED") && printed.contains("Error: run canceled: "),
        "{printed}"
    );
    check(
        &newest(&server, "cancelled").await,
        &End {
            job: "cancelled",
            exit: 1,
            printed: &[],
            run: ["TERMINATED", "CANCELED", "USER_CANCELED", "CLIENT_ERROR"],
            tasks: &[["sleeps", "CANCELED", "USER_CANCELED"]],
        },
    );
    server.stop().await;
}

async fn cancel_when_running(server: &Server) {
    loop {
        let run = newest(server, "cancelled").await;
        if run["state"]["life_cycle_state"] == "RUNNING" {
            let body = json!({"job_id": run["job_id"]});
            let (status, _) = server.post("/api/2.2/jobs/runs/cancel-all", body).await;
            assert!(status.is_success());
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
