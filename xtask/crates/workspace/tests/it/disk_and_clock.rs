//! A full disk, and a clock that goes back: what was kept stays, and what cannot be done is said.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Server, job, read};

const TOKEN: &str = "dapi-of-a-small-disk";

/// The program on a disk of a few megabytes that is its own: nobody else sees the mount, and it goes with the process.
struct SmallDisk {
    child: Child,
    url: String,
    client: Client,
    _folder: tempfile::TempDir,
}

impl SmallDisk {
    /// The reason where this machine lets nobody mount anything.
    async fn start() -> Result<SmallDisk, String> {
        let folder = tempfile::tempdir().unwrap();
        let root = rustix::process::getuid().is_root();
        let own = if root { "-m" } else { "-rm" };
        let probe = Command::new("unshare")
            .args([own, "mount", "-t", "tmpfs", "-o", "size=1m", "none"])
            .arg(folder.path())
            .output();
        if !probe.as_ref().is_ok_and(|output| output.status.success()) {
            return Err(format!("no file system can be mounted here: {probe:?}"));
        }
        let port = free_port();
        let script = format!(
            "mount -t tmpfs -o size=6m none \"$1\" && mkdir -m 700 \"$1/state\" && echo {TOKEN} > \"$1/state/token\" \
             && exec \"$2\" serve --state \"$1/state\" --python /nonexistent/python --port {port}"
        );
        let child = Command::new("unshare")
            .args([own, "sh", "-c", &script, "sh"])
            .arg(folder.path())
            .arg(env!("CARGO_BIN_EXE_xtask-workspace"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let disk = SmallDisk {
            child,
            url: format!("http://127.0.0.1:{port}"),
            client: Client::builder().no_proxy().build().unwrap(),
            _folder: folder,
        };
        let begun = Instant::now();
        let health = || disk.client.get(format!("{}/health", disk.url)).send();
        while health().await.is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "it did not start"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(disk)
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> (StatusCode, Value) {
        let request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(TOKEN)
            .body(body);
        read(request.send().await.unwrap()).await
    }

    async fn create(&self, name: &str) -> (StatusCode, Value) {
        let body = job(name).to_string().into_bytes();
        self.send(Method::POST, "/api/2.2/jobs/create", body).await
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_lost_and_everything_says_so() {
    let disk = match SmallDisk::start().await {
        Ok(disk) => disk,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let (status, kept) = disk.create("kept").await;
    assert_eq!(status, StatusCode::OK, "{kept}");
    let home = "/api/2.0/workspace-files/import-file/Users%2Fml.developer@workspace.local";
    let mut files = 0;
    let refused = loop {
        let path = format!("{home}%2F{files}?overwrite=true");
        let (status, body) = disk.send(Method::POST, &path, vec![b'x'; 100_000]).await;
        if status != StatusCode::OK {
            break (status, body);
        }
        files += 1;
        assert!(files < 200, "the disk has no end");
    };
    let full = (
        StatusCode::INSUFFICIENT_STORAGE,
        json!("RESOURCE_EXHAUSTED"),
    );
    assert_eq!((refused.0, refused.1["error_code"].clone()), full);
    // Smaller and smaller, until nothing fits, not even a row.
    let mut names = 0;
    let refused = loop {
        let path = format!("{home}%2Fs{names}?overwrite=true");
        let (status, _) = disk.send(Method::POST, &path, vec![b'x'; 2_000]).await;
        let (row, body) = disk.create(&"n".repeat(3_000)).await;
        if status != StatusCode::OK && row != StatusCode::OK {
            break (row, body);
        }
        names += 1;
        assert!(names < 5_000, "the disk has no end");
    };
    assert_eq!(
        (refused.0, refused.1["error_code"].clone()),
        full,
        "{}",
        refused.1
    );
    let message = refused.1["message"].as_str().unwrap();
    assert!(message.contains("disk is full"), "{message}");
    // What was there is there, and can be read.
    let get = format!("/api/2.2/jobs/get?job_id={}", kept["job_id"]);
    let (status, body) = disk.send(Method::GET, &get, Vec::new()).await;
    assert_eq!(
        (status, &body["settings"]["name"]),
        (StatusCode::OK, &json!("kept"))
    );
    let export =
        "/api/2.0/workspace/export?direct_download=true&path=/Users/ml.developer@workspace.local/0";
    let (status, body) = disk.send(Method::GET, export, Vec::new()).await;
    assert_eq!(
        (status, body.as_str().map(str::len)),
        (StatusCode::OK, Some(100_000))
    );
    // The file that did not fit is not there by half.
    let half =
        format!("/api/2.0/workspace/get-status?path=/Users/ml.developer@workspace.local/{files}");
    assert_eq!(
        disk.send(Method::GET, &half, Vec::new()).await.0,
        StatusCode::NOT_FOUND
    );
    // Room is made, and work goes on.
    let database = disk
        .send(Method::POST, "/api/2.0/workspace/delete", delete("0"))
        .await;
    assert_eq!(database.0, StatusCode::OK, "{}", database.1);
    let (status, body) = disk.create("later").await;
    assert_eq!(status, StatusCode::OK, "{body}");
}

fn delete(name: &str) -> Vec<u8> {
    json!({"path": format!("/Users/ml.developer@workspace.local/{name}")})
        .to_string()
        .into_bytes()
}

/// The clock goes back by a day while the workspace is down: everything in its database lies in the future.
#[tokio::test]
async fn a_clock_that_goes_back_loses_nothing_and_leaves_nothing_running() {
    let server = Server::start().await;
    let (_, made) = server.post("/api/2.2/jobs/create", job("kept")).await;
    let run = async |server: &Server| {
        let (status, run) = server
            .post("/api/2.2/jobs/run-now", json!({"job_id": made["job_id"]}))
            .await;
        assert_eq!(status, StatusCode::OK, "{run}");
        let path = format!("/api/2.2/jobs/runs/get?run_id={}", run["run_id"]);
        loop {
            let (_, run) = server.get(&path).await;
            if run["end_time"] != 0 {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let before = run(&server).await;
    let state = server.state();
    let dir = server.stop().await;
    let database = rusqlite::Connection::open(state.join("workspace.db")).unwrap();
    let day = 24 * 60 * 60 * 1000;
    database
        .execute_batch(&format!(
            "UPDATE runs SET start_time = start_time + {day}, end_time = end_time + {day};
             UPDATE task_runs SET start_time = start_time + {day}, end_time = end_time + {day};
             UPDATE jobs SET created_time = created_time + {day};
             INSERT INTO runs (run_id, job_id, number_in_job, run_name, creator_user_name, settings_json,
               parameters_json, overrides_json, life_cycle_state, start_time)
             SELECT 77, job_id, 2, 'active', creator_user_name, settings_json, parameters_json, overrides_json,
               'RUNNING', start_time FROM runs;"
        ))
        .unwrap();
    drop(database);

    let server = Server::start_in(dir, None).await;
    let (_, active) = server.get("/api/2.2/jobs/runs/get?run_id=77").await;
    assert_eq!(active["state"]["life_cycle_state"], "INTERNAL_ERROR");
    let (_, known) = server
        .get(&format!(
            "/api/2.2/jobs/runs/get?run_id={}",
            before["run_id"]
        ))
        .await;
    assert_eq!(known["state"], before["state"]);
    for run in [&active, &known, &run(&server).await] {
        let number = |field: &str| run[field].as_i64().unwrap();
        assert!(number("end_time") >= number("start_time"), "{run}");
        assert!(number("run_duration") >= 0, "{run}");
    }
    let (_, list) = server.get("/api/2.2/jobs/runs/list").await;
    assert_eq!(list["runs"].as_array().unwrap().len(), 3);
    let (_, again) = server.post("/api/2.2/jobs/create", job("new")).await;
    assert!(again["job_id"].is_number(), "{again}");
    server.stop().await;
}
