//! Tasks that are no notebooks, and notebooks that run others.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::runs::{
    FOLDER, ended, output, processes_with, result, start, task, until, upload, workspace,
};
use crate::server::Server;

fn condition(key: &str, left: &str, right: &str) -> Value {
    json!({"task_key": key, "condition_task": {"left": left, "op": "EQUAL_TO", "right": right}})
}

fn when(mut task: Value, condition: &str, outcome: &str) -> Value {
    task["depends_on"] = json!([{"task_key": condition, "outcome": outcome}]);
    task
}

async fn create(server: &Server, settings: Value) -> i64 {
    let (status, job) = server.post("/api/2.2/jobs/create", settings).await;
    assert_eq!(status, StatusCode::OK, "{job}");
    job["job_id"].as_i64().unwrap()
}

async fn run_job(server: &Server, request: Value) -> Value {
    let (status, run) = server.post("/api/2.2/jobs/run-now", request).await;
    assert_eq!(status, StatusCode::OK, "{run}");
    ended(server, run["run_id"].as_i64().unwrap()).await
}

#[tokio::test]
async fn a_python_file_gets_its_arguments_and_says_what_failed() {
    let server = workspace().await;
    upload(
        &server,
        &[
            ("score.py", "import sys\nfrom helper import double\nprint(double(sys.argv[1]), len(sys.argv))\n"),
            ("helper.py", "def double(text):\n    return text * 2\n"),
            ("bad.py", "x = 1\nraise ValueError('no rows')\n"),
            ("leaves.py", "import os\nprint('so far', flush=True)\nos._exit(0)\n"),
            ("again.py", "import os\nos._exit(75)\n"),
            ("killed.py", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"),
        ],
    )
    .await;
    let file = |key: &str, name: &str| {
        json!({"task_key": key, "spark_python_task":
            {"python_file": format!("{FOLDER}/{name}"), "parameters": ["{{task.name}}", "b"]}})
    };
    let job_id = create(
        &server,
        json!({"name": "files", "tasks": [file("score", "score.py"), file("bad", "bad.py"), file("lost", "lost.py"),
            file("leaves", "leaves.py"), file("again", "again.py"), file("killed", "killed.py")]}),
    )
    .await;
    let run = run_job(&server, json!({"job_id": job_id})).await;
    let score = output(&server, &run, 0).await;
    assert_eq!(score["logs"], "scorescore 3\n", "{score}");
    assert_eq!(
        output(&server, &run, 1).await["error"],
        format!("ValueError: no rows ({FOLDER}/bad.py, line 2)")
    );
    let lost = output(&server, &run, 2).await;
    assert!(
        lost["error"]
            .as_str()
            .unwrap()
            .contains("no Python file at"),
        "{lost}"
    );
    assert_eq!(
        run["tasks"][2]["state"]["life_cycle_state"],
        "INTERNAL_ERROR"
    );

    // Whatever exit code the code itself has chosen: its process ended before it did.
    for (index, says) in [
        (3, "ended with exit status: 0 before its code did"),
        (4, "ended with exit status: 75 before its code did"),
        (5, "signal: 9 (SIGKILL); a system that runs out of memory"),
    ] {
        assert_eq!(result(&run, index), "FAILED");
        let died = output(&server, &run, index).await;
        assert!(died["error"].as_str().unwrap().contains(says), "{died}");
    }
    assert_eq!(output(&server, &run, 3).await["logs"], "so far\n");

    let request = json!({"job_id": job_id, "only": ["score"], "python_params": ["x"]});
    let run = run_job(&server, request).await;
    assert_eq!(output(&server, &run, 0).await["logs"], "xx 2\n");
    assert_eq!(
        run["tasks"][0]["resolved_values"]["spark_python_task"]["parameters"],
        json!(["x"])
    );
    server.stop().await;
}

#[tokio::test]
async fn a_condition_opens_one_branch() {
    let server = workspace().await;
    let mut check = condition("check", "{{tasks.First.values.good}}", "yes");
    check["depends_on"] = json!([{"task_key": "First"}]);
    let run_id = start(
        &server,
        &[
            ("First", "dbutils.jobs.taskValues.set('good', 'yes')\n"),
            ("Yes", "1\n"),
            ("No", "1\n"),
            ("Join", "1\n"),
        ],
        json!({"name": "branches", "tasks": [
            task("First", &[], &json!({})),
            check,
            when(task("Yes", &[], &json!({})), "check", "true"),
            when(task("No", &[], &json!({})), "check", "false"),
            task("Join", &["Yes", "No"], &json!({})),
        ]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    assert_eq!(run["state"]["result_state"], "SUCCESS", "{run}");
    let results: Vec<&str> = (0..5).map(|index| result(&run, index)).collect();
    assert_eq!(
        results,
        ["SUCCESS", "SUCCESS", "SUCCESS", "EXCLUDED", "SUCCESS"]
    );
    assert_eq!(run["tasks"][1]["condition_task"]["outcome"], "true");
    assert_eq!(
        run["tasks"][1]["resolved_values"]["condition_task"]["left"],
        "yes"
    );
    server.stop().await;
}

#[tokio::test]
async fn another_job_is_run_and_its_end_counts() {
    let server = Server::start().await;
    // Conditions alone: this needs no Python.
    let condition = |op: &str| json!({"task_key": "c", "condition_task": {"left": "1", "op": op, "right": "x"}});
    let fine = create(
        &server,
        json!({"name": "fine", "tasks": [condition("NOT_EQUAL")],
        "parameters": [{"name": "p", "default": "d"}, {"name": "q", "default": "nowhere"}]}),
    )
    .await;
    let bad = create(
        &server,
        json!({"name": "bad", "tasks": [condition("LESS_THAN")]}),
    )
    .await;
    // The outer job's parameters reach the inner one as far as that declares them.
    let parameters = json!([{"name": "q", "default": "{{job.start_time.iso_date}}"}, {"name": "other", "default": "x"}]);
    let job = create(&server, json!({"name": "outer", "parameters": parameters, "tasks": [
        {"task_key": "fine", "run_job_task": {"job_id": fine, "job_parameters": {"p": "{{job.id}}"}}},
        {"task_key": "bad", "run_job_task": {"job_id": bad}},
        {"task_key": "gone", "run_job_task": {"job_id": 12_345_678}},
    ]})).await;
    let run = run_job(&server, json!({"job_id": job})).await;
    assert_eq!(
        (result(&run, 0), result(&run, 1), result(&run, 2)),
        ("SUCCESS", "FAILED", "FAILED")
    );
    let child = output(&server, &run, 0).await["run_job_output"]["run_id"].clone();
    let (_, child) = server
        .get(&format!("/api/2.2/jobs/runs/get?run_id={child}"))
        .await;
    assert_eq!(
        (
            &child["job_id"],
            &child["trigger"],
            &child["job_parameters"][0]["value"]
        ),
        (
            &json!(fine),
            &json!("RUN_JOB_TASK"),
            &json!(job.to_string())
        )
    );
    let day = run["job_parameters"][0]["value"].as_str().unwrap();
    assert!(day.starts_with("20") && day.len() == 10, "{day}");
    assert_eq!(child["job_parameters"][1]["value"], day);
    let why = output(&server, &run, 1).await["error"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        why.contains("ended FAILED") && why.contains("/runs/"),
        "{why}"
    );
    let why = output(&server, &run, 2).await["error"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(why.contains("does not exist"), "{why}");
    server.stop().await;
}

#[tokio::test]
async fn a_parameter_that_is_a_reference_has_one_value_everywhere() {
    let server = Server::start().await;
    let check = |key: &str, left: &str| condition(key, left, "{{job.start_time.iso_date}}");
    let left_out = json!({"task_key": "left out", "depends_on": [{"task_key": "fails"}],
        "condition_task": {"left": "1", "op": "EQUAL_TO", "right": "1"}});
    let fails = json!({"task_key": "fails", "condition_task": {"left": "1", "op": "LESS_THAN", "right": "x"}});
    let job = create(
        &server,
        json!({"name": "days", "parameters": [{"name": "day", "default": "{{job.start_time.iso_date}}"}], "tasks": [
            check("dots", "{{job.parameters.day}}"), check("brackets", "{{ job.parameters.[day] }}"), fails, left_out,
        ]}),
    )
    .await;
    let run = run_job(
        &server,
        json!({"job_id": job, "only": ["dots", "brackets"]}),
    )
    .await;
    assert_eq!(run["state"]["result_state"], "SUCCESS", "{run}");
    for task in 0..2 {
        assert_eq!(run["tasks"][task]["condition_task"]["outcome"], "true");
    }
    let shown = &run["job_parameters"][0];
    let day = &run["tasks"][0]["resolved_values"]["condition_task"]["left"];
    assert_eq!(
        (&shown["value"], &shown["default"]),
        (day, &json!("{{job.start_time.iso_date}}"))
    );
    // A run of a task that fails has failed, although one that would come after it was not chosen.
    let run = run_job(&server, json!({"job_id": job, "only": ["fails"]})).await;
    assert_eq!(
        (
            &run["state"]["life_cycle_state"],
            &run["state"]["result_state"]
        ),
        (&json!("INTERNAL_ERROR"), &json!("FAILED")),
        "{run}"
    );
    server.stop().await;
}

#[tokio::test]
async fn jobs_that_run_one_another_do_not_wait_for_ever() {
    let server = Server::start().await;
    let queue = json!({"enabled": true});
    let first = create(
        &server,
        json!({"name": "a", "queue": queue, "tasks": [condition("t", "1", "1")]}),
    )
    .await;
    let second = create(
        &server,
        json!({"name": "b", "queue": queue, "tasks": [
        {"task_key": "t", "run_job_task": {"job_id": first}}]}),
    )
    .await;
    let settings = json!({"name": "a", "queue": queue, "tasks": [
        {"task_key": "t", "run_job_task": {"job_id": second}}]});
    server
        .post(
            "/api/2.2/jobs/reset",
            json!({"job_id": first, "new_settings": settings}),
        )
        .await;
    let run = run_job(&server, json!({"job_id": first})).await;
    assert_eq!(result(&run, 0), "FAILED", "{run}");
    server.stop().await;
}

#[tokio::test]
async fn a_task_is_repeated_for_each_input() {
    let server = workspace().await;
    let source = "n = dbutils.widgets.get('n')\nassert n != '3', 'three'\nprint('got', n, dbutils.widgets.get('all'))\n";
    let mut inner = task("One", &[], &json!({"n": "{{input.n}}", "all": "{{input}}"}));
    inner["max_retries"] = json!(1);
    let looping = |inputs: &str| {
        json!({"name": "loop", "tasks": [{"task_key": "loop", "for_each_task":
            {"inputs": inputs, "concurrency": 2, "task": inner}}]})
    };
    let run_id = start(
        &server,
        &[("One", source)],
        looping("[{\"n\": 1}, {\"n\": 2}]"),
    )
    .await;
    let run = ended(&server, run_id).await;
    assert_eq!(run["state"]["result_state"], "SUCCESS", "{run}");
    let loop_id = &run["tasks"][0]["run_id"];
    let (_, whole) = server
        .get(&format!("/api/2.2/jobs/runs/get?run_id={loop_id}"))
        .await;
    assert_eq!(whole["iterations"].as_array().unwrap().len(), 2);
    let second = whole["iterations"][1]["run_id"].as_i64().unwrap();
    let (_, told) = server
        .get(&format!("/api/2.2/jobs/runs/get-output?run_id={second}"))
        .await;
    assert_eq!(told["logs"], "got 2 {\"n\":2}\n");

    let run_id = start(&server, &[], looping("[{\"n\": 3}, {\"n\": 4}]")).await;
    let run = ended(&server, run_id).await;
    assert_eq!(result(&run, 0), "FAILED", "{run}");
    let stats = &run["tasks"][0]["for_each_task"]["stats"]["task_run_stats"];
    // The iteration that failed was tried twice, and did not keep the other one from running.
    assert_eq!(
        (
            &stats["total_iterations"],
            &stats["succeeded_iterations"],
            &stats["failed_iterations"]
        ),
        (&json!(2), &json!(1), &json!(1)),
        "{stats}"
    );
    assert_eq!(
        output(&server, &run, 0).await["error"],
        "1 of 2 iterations failed"
    );
    let page = server
        .page(&format!("/jobs/{}/runs/{run_id}", run["job_id"]))
        .await;
    assert!(page.contains("{&quot;n&quot;:4}"), "{page}");

    let run_id = start(&server, &[], looping("no list")).await;
    let run = ended(&server, run_id).await;
    let why = output(&server, &run, 0).await["error"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(why.contains("must be a JSON list"), "{why}");
    server.stop().await;
}

#[tokio::test]
async fn a_notebook_runs_another_and_gets_its_value() {
    let server = workspace().await;
    let caller = "print(dbutils.notebook.run('./Inner', 60, {'who': 'caller'}))\n\
        print(dbutils.notebook.run('Silent'))\n\
        # COMMAND ----------\n\
        try:\n    dbutils.notebook.run('Bad')\nexcept Exception as error:\n    print(type(error).__name__, error)\n\
        # COMMAND ----------\n\
        dbutils.notebook.run('Slow', 1)\n";
    let run_id = start(
        &server,
        &[
            ("Caller", caller),
            (
                "Inner",
                "dbutils.notebook.exit('hello ' + dbutils.widgets.get('who'))\n",
            ),
            ("Silent", "x = 1\n"),
            ("Bad", "raise ValueError('inner')\n"),
            ("Slow", "import time\ntime.sleep(60)\n"),
        ],
        json!({"name": "calls", "tasks": [task("Caller", &[], &json!({}))]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    let told = output(&server, &run, 0).await;
    let logs = told["logs"].as_str().unwrap();
    assert!(
        logs.contains("hello caller\n") && logs.contains("None\n"),
        "{told}"
    );
    assert!(
        logs.contains("WorkflowException Bad ended FAILED: ValueError: inner"),
        "{told}"
    );
    assert!(
        told["error"]
            .as_str()
            .unwrap()
            .contains("Slow ended TIMEDOUT"),
        "{told}"
    );
    let (_, runs) = server
        .get("/api/2.2/jobs/runs/list?run_type=WORKFLOW_RUN")
        .await;
    assert_eq!(runs["runs"].as_array().unwrap().len(), 4, "{runs}");
    server.stop().await;
}

#[tokio::test]
async fn what_a_notebook_started_ends_with_it() {
    let server = workspace().await;
    let marker = format!("xtask-inner-{}", std::process::id());
    let inner =
        format!("import subprocess\nsubprocess.run(['sh', '-c', 'sleep 300; : {marker}'])\n");
    let run_id = start(
        &server,
        &[
            ("Caller", "dbutils.notebook.run('Inner')\n"),
            ("Inner", &inner),
        ],
        json!({"name": "calls", "tasks": [task("Caller", &[], &json!({}))]}),
    )
    .await;
    until(&server, run_id, |_| processes_with(&marker) > 0).await;
    server
        .post("/api/2.2/jobs/runs/cancel", json!({"run_id": run_id}))
        .await;
    let run = ended(&server, run_id).await;
    assert_eq!(run["state"]["result_state"], "CANCELED", "{run}");
    assert_eq!(processes_with(&marker), 0);
    let (_, active) = server.get("/api/2.2/jobs/runs/list?active_only=true").await;
    assert_eq!(active.get("runs"), None, "{active}");
    server.stop().await;
}
