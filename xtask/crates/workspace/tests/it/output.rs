//! A notebook that prints without end: what the workspace and its page make of it.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::program::{await_info, command};
use crate::runs::python;

/// What the workspace may take more at its peak than before the run, in MiB; the notebook prints 200.
const MEMORY_LIMIT: u64 = 150;
const PAGE_LIMIT: usize = 24 << 20;
const CELL: &str = "for _ in range(2_000):\n    print('x' * (5_000 + _ % 9))\nprint('cell ends')\n";
const CELLS: usize = 20;

/// A field of `/proc/PID/status`, in MiB.
fn memory(process: u32, field: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}

struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    fn of(state: &Utf8Path, info: &Value) -> Client {
        Client {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: info["url"].as_str().unwrap().to_owned(),
            token: std::fs::read_to_string(state.join("token")).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> String {
        let request = self
            .http
            .get(format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        request.send().await.unwrap().text().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.get(path).await).unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        request
            .json(body)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn much_output_is_no_burden_for_workspace_and_page() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let state = Utf8PathBuf::from_path_buf(dir.path().join("state")).unwrap();
    let mut program = command(&state, &python());
    let mut child = program.stderr(std::process::Stdio::null()).spawn().unwrap();
    let client = Client::of(&state, &await_info(&state, child.id()));
    let source = vec![CELL; CELLS].join("# COMMAND ----------\n");
    use base64::Engine as _;
    let content = base64::engine::general_purpose::STANDARD.encode(source);
    let notebook =
        json!({"path": "/Prints", "format": "SOURCE", "language": "PYTHON", "content": content});
    client.post("/api/2.0/workspace/import", &notebook).await;
    let before = memory(child.id(), "VmRSS");
    let tasks = json!([{"task_key": "prints", "notebook_task": {"notebook_path": "/Prints"}}]);
    let run = client
        .post(
            "/api/2.2/jobs/runs/submit",
            &json!({"run_name": "prints", "tasks": tasks}),
        )
        .await;
    let run = loop {
        let run = client
            .json(&format!("/api/2.2/jobs/runs/get?run_id={}", run["run_id"]))
            .await;
        if run["end_time"] != 0 {
            break run;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let output = client
        .json(&format!(
            "/api/2.2/jobs/runs/get-output?run_id={}",
            run["run_id"]
        ))
        .await;
    assert_eq!(run["state"]["result_state"], "SUCCESS", "{output}");
    let logs = output["logs"].as_str().unwrap();
    assert!(
        logs.len() <= 1 << 20 && logs.ends_with("cell ends\n"),
        "{}",
        logs.len()
    );
    let page = client
        .get(&format!("/jobs/{}/runs/{}", run["job_id"], run["run_id"]))
        .await;
    // Once in its source, once printed.
    assert_eq!(page.matches("cell ends").count(), 2 * CELLS);
    assert!(page.len() < PAGE_LIMIT, "{}", page.len());
    let grown = memory(child.id(), "VmHWM") - before;
    assert!(grown < MEMORY_LIMIT, "the workspace grew by {grown} MiB");
    child.kill().unwrap();
    child.wait().unwrap();
}
