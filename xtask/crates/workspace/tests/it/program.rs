//! The workspace as a program: start, second start, restart, end.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use xtask_workspace::store::{LifeCycle, NewRun, NewTask, RunState, RunType, Store};

use crate::server::{Server, job};

const NO_PYTHON: &str = "/nonexistent/python";

/// The program on this state, with its errors in a pipe.
pub(crate) fn command(state: &Utf8Path, python: &Utf8Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-workspace"));
    command.args([
        "serve",
        "--state",
        state.as_str(),
        "--python",
        python.as_str(),
    ]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn start(state: &Utf8Path) -> (Child, Value) {
    let child = without_python(state).spawn().unwrap();
    let info = await_info(state, child.id());
    (child, info)
}

fn without_python(state: &Utf8Path) -> Command {
    command(state, Utf8Path::new(NO_PYTHON))
}

/// What the program with this process id says of itself, once it serves.
pub(crate) fn await_info(state: &Utf8Path, process: u32) -> Value {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(10) {
        // A file that the last process left behind has another process id.
        if let Ok(text) = std::fs::read(state.join("server.json")) {
            let info: Value = serde_json::from_slice(&text).unwrap();
            if info["pid"] == process {
                return info;
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the workspace did not start");
}

fn end(mut child: Child) -> i32 {
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    child.wait().unwrap().code().unwrap()
}

fn errors(mut child: Child) -> (Option<i32>, String) {
    let status = child.wait().unwrap();
    let mut text = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    (status.code(), text)
}

#[test]
fn a_second_start_a_taken_port_and_a_newer_state_each_have_their_own_message() {
    let dir = tempfile::tempdir().unwrap();
    let state = Utf8PathBuf::from_path_buf(dir.path().join("state")).unwrap();
    let (first, info) = start(&state);
    let (code, text) = errors(without_python(&state).spawn().unwrap());
    assert_eq!(code, Some(3));
    assert!(text.contains(info["url"].as_str().unwrap()), "{text}");

    let other = state.with_file_name("other");
    let port = info["port"].to_string();
    let (code, text) = errors(
        without_python(&other)
            .args(["--port", &port])
            .spawn()
            .unwrap(),
    );
    assert_eq!(code, Some(2));
    assert!(text.contains(&format!("port {port}")), "{text}");

    assert_eq!(end(first), 0);
    assert!(!state.join("server.json").exists());
    let database = state.join("workspace.db");
    let version = |to: Option<i64>| {
        let database = rusqlite::Connection::open(&database).unwrap();
        if let Some(to) = to {
            database.pragma_update(None, "user_version", to).unwrap();
        }
        database
            .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let known = version(None);
    version(Some(999));
    let (code, text) = errors(without_python(&state).spawn().unwrap());
    assert_eq!(code, Some(1));
    assert!(
        text.contains("newer xtask") && text.contains("workspace reset"),
        "{text}"
    );
    version(Some(known));
    let (again, restarted) = start(&state);
    assert_eq!(
        (&restarted["port"], &restarted["workspace_id"]),
        (&info["port"], &info["workspace_id"])
    );
    assert_eq!(end(again), 0);
}

#[test]
fn it_accepts_connections_when_it_says_so_and_keeps_the_token_out_of_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let state = Utf8PathBuf::from_path_buf(dir.path().join("state")).unwrap();
    let mut child = without_python(&state)
        .args(["--log-level", "trace"])
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut lines = String::new();
    while !lines.contains("serving") {
        assert!(log.read_line(&mut lines).unwrap() > 0, "{lines}");
    }
    let info: Value =
        serde_json::from_slice(&std::fs::read(state.join("server.json")).unwrap()).unwrap();
    std::net::TcpStream::connect((
        "127.0.0.1",
        u16::try_from(info["port"].as_u64().unwrap()).unwrap(),
    ))
    .unwrap();
    assert_eq!(end(child), 0);
    log.read_to_string(&mut lines).unwrap();
    let token = std::fs::read_to_string(state.join("token")).unwrap();
    assert!(!lines.contains(&token));
}

#[tokio::test]
async fn everything_survives_a_restart_and_interrupted_runs_are_closed() {
    let server = Server::start().await;
    let (_, created) = server.post("/api/2.2/jobs/create", job("kept")).await;
    server.import("/Shared/f.txt", "kept", true).await;
    server
        .post(
            "/api/2.1/unity-catalog/schemas",
            json!({"catalog_name": "dev", "name": "ml"}),
        )
        .await;
    let (token, id) = (server.token.clone(), server.workspace_id.clone());
    let state = server.state();
    let dir = server.stop().await;

    // What a process that was killed during a run leaves in its database.
    let store = Store::open(&state.join("workspace.db")).unwrap();
    let task = NewTask {
        task_key: "t".into(),
        settings: serde_json::from_value(json!({})).unwrap(),
        state: RunState::active(LifeCycle::Pending),
    };
    let new = NewRun {
        due_time: None,
        job_id: created["job_id"].as_i64().unwrap(),
        run_name: "r".into(),
        idempotency_token: None,
        creator: "x".into(),
        run_as: String::new(),
        settings: json!({}),
        parameters: Default::default(),
        overrides: json!({}),
        state: RunState::active(LifeCycle::Running),
        tasks: vec![task],
        run_type: RunType::JobRun,
        parent_run_id: None,
    };
    let (run, _) = store.create_run(&new).unwrap();
    let run_token = store.mint_run_token(run.run_id, "").unwrap();
    drop(store);

    let server = Server::start_in(dir, None).await;
    assert_eq!((&server.token, &server.workspace_id), (&token, &id));
    let (_, body) = server
        .get(&format!("/api/2.2/jobs/get?job_id={}", created["job_id"]))
        .await;
    assert_eq!(body["settings"]["name"], "kept");
    let (_, file) = server
        .get("/api/2.0/workspace/export?path=/Shared/f.txt&direct_download=true")
        .await;
    assert_eq!(file, "kept");
    assert!(
        server
            .get("/api/2.1/unity-catalog/schemas/dev.ml")
            .await
            .0
            .is_success()
    );
    let (_, body) = server
        .get(&format!("/api/2.2/jobs/runs/get?run_id={}", run.run_id))
        .await;
    assert_eq!(
        body["state"]["life_cycle_state"], "INTERNAL_ERROR",
        "{body}"
    );
    assert_eq!(
        body["state"]["state_message"],
        "the workspace stopped while this run was active"
    );
    assert_eq!(
        body["tasks"][0]["state"]["life_cycle_state"], "INTERNAL_ERROR",
        "{body}"
    );
    let old = server
        .client
        .get(format!("{}/api/2.0/preview/scim/v2/Me", server.url))
        .bearer_auth(run_token.expose());
    assert_eq!(old.send().await.unwrap().status().as_u16(), 401);
    server.stop().await;
}

#[tokio::test]
async fn it_ends_when_asked_over_http_and_when_nobody_asks_anything() {
    let server = Server::start().await;
    assert!(
        server
            .post("/local/v1/shutdown", json!({}))
            .await
            .0
            .is_success()
    );
    server.ended().await;
    let idle = Server::start_in(
        tempfile::tempdir().unwrap(),
        Some(Duration::from_millis(300)),
    )
    .await;
    idle.ended().await;
}
