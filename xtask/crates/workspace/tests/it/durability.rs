//! The program is killed in the midst of its work, again and again: what had ended stays as it was, what had not is
//! closed, and nothing runs on.
//!
//! `XTASK_KILLS` says how often (40 without it).

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::program::{await_info, command};
use crate::runs::processes_with;

/// A client of one life of the program.
pub(crate) struct Life {
    child: std::process::Child,
    pub(crate) url: String,
    token: String,
    pub(crate) client: Client,
}

impl Life {
    pub(crate) fn begin(state: &Utf8Path, python: &Utf8Path) -> Life {
        let mut command = command(state, python);
        let child = command.stderr(Stdio::null()).spawn().unwrap();
        let info = await_info(state, child.id());
        Life {
            child,
            url: info["url"].as_str().unwrap().to_owned(),
            token: std::fs::read_to_string(state.join("token")).unwrap(),
            client: Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// The reply; anything but a success is a failure of the test.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Value {
        let reply = request.bearer_auth(self.token.trim()).send().await.unwrap();
        let status = reply.status();
        let text = reply.text().await.unwrap();
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.send(self.client.get(format!("{}{path}", self.url)))
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        self.send(self.client.post(format!("{}{path}", self.url)).json(body))
            .await
    }

    /// All runs, by id.
    async fn runs(&self) -> BTreeMap<i64, Value> {
        let mut runs = BTreeMap::new();
        let mut token = String::from("0");
        loop {
            let path =
                format!("/api/2.2/jobs/runs/list?limit=25&expand_tasks=true&page_token={token}");
            let page = self.get(&path).await;
            for run in page["runs"].as_array().into_iter().flatten() {
                runs.insert(run["run_id"].as_i64().unwrap(), run.clone());
            }
            match page["next_page_token"].as_str() {
                Some(next) => next.clone_into(&mut token),
                None => return runs,
            }
        }
    }

    /// Its process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// How a run ended, task by task; `None` while it is active.
fn ending(run: &Value) -> Option<Value> {
    let tasks: Vec<Value> = run["tasks"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|task| {
            json!([
                task["run_id"],
                task["state"],
                task["end_time"],
                task["condition_task"]["outcome"]
            ])
        })
        .collect();
    (run["end_time"].as_i64() != Some(0)).then(|| json!([run["state"], run["end_time"], tasks]))
}

/// Numbers that look random and are the same each time (an LCG; the seed is printed on failure).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A stand-in for Python that ends at once, or hangs: the kernel's protocol needs no more than the event `finished`
/// and an exit code.
pub(crate) fn stand_in(folder: &Utf8Path, marker: &str) -> Utf8PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("python");
    // A process of a task ends when its input does, as the kernel's lifeline sees to.
    let script = format!(
        "#!/bin/sh\n: {marker}\ncase \"$*\" in *start.py*) read -r line || exit 0;; *) cat >/dev/null; exit 0;; esac\n\
         case \"$line\" in *Hangs*) cat >/dev/null; exit 1;; esac\n\
         events=${{line#*'\"events\":\"'}}\n\
         echo '{{\"event\":\"finished\",\"ok\":true}}' >>\"${{events%%'\"'*}}\"\n"
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

/// One job of each kind of task, so that a kill falls into each kind's bookkeeping.
async fn make_jobs(life: &Life) -> Vec<Value> {
    let home = "/Users/ml.developer@workspace.local";
    for name in ["Quick", "Hangs"] {
        let path = format!("{home}/{name}.py").replace('/', "%2F");
        let url = format!(
            "{}/api/2.0/workspace-files/import-file/{path}?overwrite=true",
            life.url
        );
        let upload = life
            .client
            .post(url)
            .body("# Databricks notebook source\n1\n");
        life.send(upload).await;
    }
    let notebook = |key: &str, name: &str| json!({"task_key": key, "notebook_task": {"notebook_path": format!("{home}/{name}")}});
    let condition = json!({"task_key": "check", "condition_task": {"left": "1", "op": "EQUAL_TO", "right": "1"}});
    let mut after = notebook("after", "Quick");
    after["depends_on"] = json!([{"task_key": "check", "outcome": "true"}]);
    let mut jobs = Vec::new();
    let mut create = async |name: &str, tasks: Value| {
        let body = json!({"name": name, "max_concurrent_runs": 100, "tasks": tasks});
        jobs.push(life.post("/api/2.2/jobs/create", &body).await["job_id"].clone());
        jobs.last().cloned().unwrap()
    };
    let inner = create("branch", json!([condition, after])).await;
    create(
        "loop",
        json!([{"task_key": "loop", "for_each_task":
        {"inputs": "[1, 2, 3]", "concurrency": 2, "task": notebook("one", "Quick")}}]),
    )
    .await;
    create(
        "outer",
        json!([{"task_key": "inner", "run_job_task": {"job_id": inner}}]),
    )
    .await;
    create("hangs", json!([notebook("hangs", "Hangs")])).await;
    jobs
}

#[tokio::test]
async fn a_kill_at_any_moment_loses_no_ended_run_and_leaves_none_running() {
    let kills: u64 = std::env::var("XTASK_KILLS").map_or(40, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let folder = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
    let state = folder.join("state");
    let marker = format!("xtask-durability-{}", std::process::id());
    let python = stand_in(&folder, &marker);
    let seed = u64::from(std::process::id());
    let mut random = Random(seed);

    // The workspace would do this, were it in this process; a second installation fails and does no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut life = Life::begin(&state, &python);
    let jobs = make_jobs(&life).await;
    // What a client was told: ids of runs, and how those ended that were seen to have ended.
    let mut promised: BTreeMap<i64, Option<Value>> = BTreeMap::new();
    for kill in 0..kills {
        let moment = Instant::now() + Duration::from_millis(random.below(120));
        while Instant::now() < moment {
            let job = &jobs[usize::try_from(random.below(jobs.len() as u64)).unwrap()];
            let run = life
                .post("/api/2.2/jobs/run-now", &json!({"job_id": job}))
                .await;
            promised.insert(run["run_id"].as_i64().unwrap(), None);
            for (id, run) in life.runs().await {
                promised.insert(id, ending(&run));
            }
            tokio::time::sleep(Duration::from_millis(random.below(25))).await;
        }
        life.kill();
        life = Life::begin(&state, &python);
        let runs = life.runs().await;
        for (id, before) in &promised {
            let run = runs
                .get(id)
                .unwrap_or_else(|| panic!("seed {seed}, kill {kill}: run {id} is lost"));
            let now = ending(run)
                .unwrap_or_else(|| panic!("seed {seed}, kill {kill}: still active: {run}"));
            assert!(
                !now.to_string().contains("RUNNING"),
                "seed {seed}, kill {kill}: {now}"
            );
            if let Some(before) = before {
                assert_eq!(before, &now, "seed {seed}, kill {kill}: run {id} changed");
            }
        }
        promised = runs.iter().map(|(id, run)| (*id, ending(run))).collect();
    }
    let ended_well = promised
        .values()
        .flatten()
        .filter(|end| end[0]["result_state"] == "SUCCESS")
        .count();
    let interrupted = promised
        .values()
        .flatten()
        .filter(|end| end[0]["life_cycle_state"] == "INTERNAL_ERROR")
        .count();
    assert!(
        ended_well > 0 && interrupted > 0,
        "{ended_well} ended, {interrupted} interrupted: the kills missed"
    );
    life.kill();
    for _ in 0..100 {
        if processes_with(&marker) == 0 && processes_with(python.as_str()) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("processes of killed workspaces run on");
}
