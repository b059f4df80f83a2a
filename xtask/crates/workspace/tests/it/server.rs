//! A workspace in this process, on a free port, with a state of its own.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use xtask_local_server::serving::ServeError;
use xtask_local_server::state_dir::{ServerInfo, StateDir};
use xtask_workspace::{Config, PARTS, Spark, serve};

/// A running workspace. Its state goes with it.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) port: u16,
    pub(crate) token: String,
    pub(crate) workspace_id: String,
    pub(crate) client: Client,
    dir: tempfile::TempDir,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

impl Server {
    /// Starts a workspace with an empty state.
    pub(crate) async fn start() -> Server {
        Server::start_in(tempfile::tempdir().unwrap(), None).await
    }

    /// Starts a workspace on a state that is there.
    pub(crate) async fn start_in(dir: tempfile::TempDir, idle: Option<Duration>) -> Server {
        Server::start_with(dir, idle, Utf8PathBuf::from("/nonexistent/python")).await
    }

    /// Starts a workspace that runs notebooks and MLflow with this Python.
    pub(crate) async fn start_with(
        dir: tempfile::TempDir,
        idle: Option<Duration>,
        python: Utf8PathBuf,
    ) -> Server {
        Server::launch(dir, idle, python, false, Spark::Here).await
    }

    /// Starts a workspace whose schedules start runs, on a state that is there.
    pub(crate) async fn start_firing(dir: tempfile::TempDir) -> Server {
        let python = Utf8PathBuf::from("/nonexistent/python");
        Server::launch(dir, None, python, true, Spark::Here).await
    }

    /// Starts a workspace with the Spark sessions of notebooks in this place.
    pub(crate) async fn start_on(python: Utf8PathBuf, spark: Spark) -> Server {
        Server::launch(tempfile::tempdir().unwrap(), None, python, false, spark).await
    }

    async fn launch(
        dir: tempfile::TempDir,
        idle: Option<Duration>,
        python: Utf8PathBuf,
        schedules: bool,
        spark: Spark,
    ) -> Server {
        let state = StateDir::open(&state_of(&dir), &PARTS).unwrap();
        let config = Config {
            state,
            mlflow_python: python.clone(),
            python,
            kernel_packages: None,
            idle,
            keep: false,
            schedules,
            conformance: None,
            spark,
            spark_jars: std::env::var("XTASK_SPARK_JARS")
                .ok()
                .map(Utf8PathBuf::from),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serve(listener, config, async { drop(stopped.await) }));
        let info = announced(&state_of(&dir)).await;
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Server {
            url: info.url,
            port: info.port,
            token: std::fs::read_to_string(state_of(&dir).join("token")).unwrap(),
            workspace_id: info.details["workspace_id"].as_str().unwrap().to_owned(),
            client,
            dir,
            stop,
            served,
        }
    }

    pub(crate) fn state(&self) -> Utf8PathBuf {
        state_of(&self.dir)
    }

    /// A request with the token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.answer(|| self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.answer(|| self.request(Method::POST, path).json(&body))
            .await
    }

    /// Repeats a request that comes while MLflow starts, as clients do: on a loaded machine that takes long.
    async fn answer(&self, request: impl Fn() -> RequestBuilder) -> (StatusCode, Value) {
        for _ in 0..10 {
            let answer = read(request().send().await.unwrap()).await;
            if answer.0 != StatusCode::SERVICE_UNAVAILABLE {
                return answer;
            }
        }
        panic!("MLflow did not start");
    }

    /// The text of a page.
    pub(crate) async fn page(&self, path: &str) -> String {
        let reply = self.request(Method::GET, path).send().await.unwrap();
        assert_eq!(reply.status(), StatusCode::OK);
        reply.text().await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> (StatusCode, Value) {
        read(self.request(Method::DELETE, path).send().await.unwrap()).await
    }

    /// Uploads a file of the workspace tree the way the CLI does: the path is one escaped segment.
    pub(crate) async fn import(
        &self,
        path: &str,
        content: &str,
        overwrite: bool,
    ) -> (StatusCode, Value) {
        let path = path.replace('/', "%2F");
        let path = format!("/api/2.0/workspace-files/import-file/{path}?overwrite={overwrite}");
        read(
            self.request(Method::POST, &path)
                .body(content.to_owned())
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// Ends the server and hands out its state.
    pub(crate) async fn stop(self) -> tempfile::TempDir {
        drop(self.stop);
        self.served.await.unwrap().unwrap();
        assert!(!state_of(&self.dir).join("server.json").exists());
        self.dir
    }

    /// Waits until the server ends by itself.
    pub(crate) async fn ended(self) {
        let _stop = self.stop;
        tokio::time::timeout(Duration::from_secs(10), self.served)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}

fn state_of(dir: &tempfile::TempDir) -> Utf8PathBuf {
    Utf8Path::from_path(dir.path()).unwrap().join("state")
}

/// What `server.json` says, once it is there.
async fn announced(state: &Utf8Path) -> ServerInfo {
    for _ in 0..500 {
        if let Ok(text) = std::fs::read(state.join("server.json")) {
            return serde_json::from_slice(&text).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the workspace did not start");
}

/// Status and JSON of a reply; text that is no JSON as a string.
pub(crate) async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

/// A job of one notebook task.
pub(crate) fn job(name: &str) -> Value {
    json!({"name": name, "tasks": [{"task_key": "only", "notebook_task": {"notebook_path": "/Users/x/Train"}}]})
}
