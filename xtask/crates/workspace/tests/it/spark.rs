//! Spark sessions of notebooks: here, on a standalone cluster and behind Spark Connect, which the tests start.
//!
//! They need Java, and in `XTASK_TEST_SPARK_PYTHON` the Python of an environment with the extra `spark`:
//! `cargo xtask ci --only spark-notebooks` runs them.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use reqwest::StatusCode;
use serde_json::{Value, json};
use xtask_workspace::Spark;

use crate::runs::{FOLDER, ended, output, processes_with, result, start, task, upload};
use crate::server::Server;

const API: &str = "/api/2.1/unity-catalog";
const WAIT: Duration = Duration::from_secs(120);

fn python() -> Utf8PathBuf {
    Utf8PathBuf::from(
        std::env::var("XTASK_TEST_SPARK_PYTHON")
            .expect("XTASK_TEST_SPARK_PYTHON names a Python with pyspark"),
    )
}

async fn workspace(spark: Spark) -> Server {
    let server = Server::start_on(python(), spark).await;
    let made = [
        ("schemas", json!({"catalog_name": "dev", "name": "taxi"})),
        (
            "volumes",
            json!({"catalog_name": "dev", "schema_name": "taxi", "name": "data", "volume_type": "MANAGED"}),
        ),
    ];
    for (what, body) in made {
        let (status, reply) = server.post(&format!("{API}/{what}"), body).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
    }
    server
}

/// Uploads the project's notebooks and package, as a deployment does.
async fn upload_project(server: &Server) {
    let notebooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../notebooks");
    let package = format!("{FOLDER}/mlops_stacks");
    let (status, body) = server
        .post("/api/2.0/workspace/mkdirs", json!({"path": package}))
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    for (folder, target) in [
        (notebooks.join("mlops_stacks"), &*package),
        (notebooks, FOLDER),
    ] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.extension().and_then(|kind| kind.to_str());
            if let Some("py" | "toml") = kind {
                let name = path.file_name().unwrap().to_str().unwrap();
                let text = std::fs::read_to_string(&path).unwrap();
                let (status, body) = server
                    .import(&format!("{target}/{name}"), &text, true)
                    .await;
                assert_eq!(status, StatusCode::OK, "{body}");
            }
        }
    }
}

fn after(key: &str, needs: &str, notebook: &str, parameters: &Value) -> Value {
    let needs: &[&str] = if needs.is_empty() { &[] } else { &[needs] };
    let mut task = task(key, needs, parameters);
    task["notebook_task"]["notebook_path"] = json!(format!("{FOLDER}/{notebook}"));
    task
}

#[tokio::test]
#[ignore = "needs Java and an environment with pyspark"]
async fn the_projects_pipeline_runs_on_tables() {
    let server = workspace(Spark::Here).await;
    upload_project(&server).await;
    let seed = "from mlops_stacks import data\ndata.make('/Volumes/dev/taxi/data', rows=4000, seed=3)\n\
        for name in ('training', 'test', 'inference_input'):\n    \
        spark.read.parquet(f'/Volumes/dev/taxi/data/{name}.parquet').write.saveAsTable(f'dev.taxi.{name}')\n";
    let look = "# MAGIC %sql\n# MAGIC SELECT model_version, count(*) AS n, count(prediction) AS scored\n\
        # MAGIC FROM dev.taxi.predictions GROUP BY model_version\n# COMMAND ----------\n\
        import json\nfound = [row.asDict() for row in _sqldf.collect()]\n\
        history = [row.operation for row in spark.sql('DESCRIBE HISTORY dev.taxi.predictions').collect()]\n\
        dbutils.notebook.exit(json.dumps({'found': found, 'history': history}))\n";
    upload(&server, &[("Seed", seed), ("Look", look)]).await;
    let version = json!({"model_version": "{{tasks.Train.values.model_version}}"});
    let parameters = [
        ("training_data", "dev.taxi.training"),
        ("test_data", "dev.taxi.test"),
        ("inference_input", "dev.taxi.inference_input"),
        ("finished_rows", "dev.taxi.inference_input"),
        ("output", "dev.taxi.predictions"),
        ("model_name", "dev.taxi.fares"),
        ("experiment_name", "/Shared/fares"),
        ("retrain_command", "train again"),
    ]
    .map(|(name, default)| json!({"name": name, "default": default}));
    let tasks = [
        after("Seed", "", "Seed", &json!({})),
        after("Train", "Seed", "Train", &json!({})),
        after("ModelValidation", "Train", "ModelValidation", &version),
        after(
            "ModelDeployment",
            "ModelValidation",
            "ModelDeployment",
            &version,
        ),
        after(
            "BatchInference",
            "ModelDeployment",
            "BatchInference",
            &json!({}),
        ),
        after("Again", "BatchInference", "BatchInference", &json!({})),
        after("Look", "Again", "Look", &json!({})),
    ];
    let settings = json!({"name": "tables", "parameters": parameters, "tasks": tasks});
    let run_id = start(&server, &[], settings).await;
    let run = ended(&server, run_id).await;
    for index in 0..tasks.len() {
        let said = output(&server, &run, index).await;
        assert_eq!(result(&run, index), "SUCCESS", "{said}");
    }
    let answer = async |index: usize| -> Value {
        let said = output(&server, &run, index).await;
        serde_json::from_str(said["notebook_output"]["result"].as_str().unwrap()).unwrap()
    };
    let (first, again, seen) = (answer(4).await, answer(5).await, answer(6).await);
    let found = &seen["found"];
    assert_ne!(seen["history"], json!([]), "no Delta table");
    assert_eq!(
        (&first["skipped"], &first["rows"]),
        (&json!(false), &json!(1000))
    );
    assert_eq!(first["monitoring"]["state"], "beyond_limits");
    assert_eq!(
        (&again["skipped"], &again["rows"]),
        (&json!(true), &json!(1000))
    );
    assert_eq!(found[0]["n"], 1000);
    assert_eq!(
        found[0]["scored"].as_i64().unwrap(),
        1000 - first["not_scored"].as_i64().unwrap()
    );
    assert_eq!(found.as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
#[ignore = "needs Java and an environment with pyspark"]
async fn the_same_notebook_runs_on_a_standalone_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = Program::start(
        "spark-class",
        &[
            "org.apache.spark.deploy.master.Master",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--webui-port",
            "0",
        ],
        folder.path(),
    );
    let line = master.says("Starting Spark master at ");
    let address = line.rsplit(' ').next().unwrap().to_owned();
    let mut worker = Program::start(
        "spark-class",
        &[
            "org.apache.spark.deploy.worker.Worker",
            "--host",
            "127.0.0.1",
            "--webui-port",
            "0",
            "--cores",
            "1",
            "--memory",
            "2g",
            "--work-dir",
            folder.path().join("work").to_str().unwrap(),
            &address,
        ],
        folder.path(),
    );
    worker.says("Successfully registered with master");
    let server = workspace(Spark::Master(address.clone())).await;
    let source = "print(spark.sparkContext.master)\n\
        print(spark.sparkContext.parallelize(range(5), 2).map(lambda n: n * n).sum(), spark.range(6).count())\n";
    let run_id = start(
        &server,
        &[("Remote", source)],
        json!({"name": "cluster", "tasks": [task("Remote", &[], &json!({}))]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    let said = output(&server, &run, 0).await;
    assert_eq!(result(&run, 0), "SUCCESS", "{said}");
    let logs = said["logs"].as_str().unwrap();
    assert!(logs.contains(&format!("{address}\n30 6\n")), "{logs}");
    worker.says("Executor app-");
    server.stop().await;
}

#[tokio::test]
#[ignore = "needs Java and an environment with pyspark"]
async fn the_same_notebook_runs_behind_spark_connect() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut connect = Program::start(
        "spark-submit",
        &[
            "--master",
            "local[1]",
            "--class",
            "org.apache.spark.sql.connect.service.SparkConnectServer",
            "--conf",
            "spark.ui.enabled=false",
            "--conf",
            "spark.connect.grpc.binding.address=127.0.0.1",
            "--conf",
            &format!("spark.connect.grpc.binding.port={port}"),
        ],
        folder.path(),
    );
    connect.listens(port);
    let server = workspace(Spark::Remote(format!("sc://127.0.0.1:{port}"))).await;
    let source = "print(type(spark).__module__, spark.range(7).count())\nspark.range(2).display()\n\
        # COMMAND ----------\n# MAGIC %sql\n# MAGIC SELECT 40 + 2 AS answer;\n\
        # COMMAND ----------\nprint(_sqldf.first().answer)\n";
    let run_id = start(
        &server,
        &[("Remote", source)],
        json!({"name": "connect", "tasks": [task("Remote", &[], &json!({}))]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    let said = output(&server, &run, 0).await;
    assert_eq!(result(&run, 0), "SUCCESS", "{said}");
    let logs = said["logs"].as_str().unwrap();
    assert!(logs.contains("pyspark.sql.connect.session 7\n"), "{logs}");
    assert!(logs.ends_with("42\n"), "{logs}");
    let page = server
        .page(&format!("/jobs/{}/runs/{run_id}", run["job_id"]))
        .await;
    assert!(page.contains("connect"), "{page}");
    server.stop().await;
}

#[tokio::test]
#[ignore = "needs Java and an environment with pyspark"]
async fn a_cancelled_run_leaves_no_jvm() {
    let server = workspace(Spark::Here).await;
    let source =
        "spark.range(1).count()\nprint('began', flush=True)\nimport time\ntime.sleep(300)\n";
    let run_id = start(
        &server,
        &[("Sleeps", source)],
        json!({"name": "sleeps", "tasks": [task("Sleeps", &[], &json!({}))]}),
    )
    .await;
    let run = crate::runs::until(&server, run_id, |_| {
        processes_with(&format!("{}/runs", server.state())) > 0
    })
    .await;
    let marker = format!("{}/runs/", server.state());
    assert!(processes_with(&marker) > 0, "{run}");
    let (status, body) = server
        .post("/api/2.2/jobs/runs/cancel", json!({"run_id": run_id}))
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let run = ended(&server, run_id).await;
    assert_eq!(result(&run, 0), "CANCELED");
    assert_eq!(processes_with(&marker), 0);
    server.stop().await;
}

/// A program of Spark's own, in a process group that ends with it.
struct Program {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Program {
    fn start(name: &str, arguments: &[&str], folder: &Path) -> Program {
        let mut child = Command::new(spark_home().join("bin").join(name))
            .args(arguments)
            .current_dir(folder)
            .env("SPARK_LOCAL_IP", "127.0.0.1")
            .env("PYSPARK_PYTHON", python())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, lines) = std::sync::mpsc::channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Program { child, lines }
    }

    /// Waits for a line of its log, and gives it back.
    fn says(&mut self, text: &str) -> String {
        let deadline = Instant::now() + WAIT;
        let mut all = Vec::new();
        while let Ok(line) = self
            .lines
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            if line.contains(text) {
                return line;
            }
            all.push(line);
        }
        panic!("it never said {text:?}:\n{}", all.join("\n"));
    }

    fn listens(&mut self, port: u16) {
        let deadline = Instant::now() + WAIT;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "nothing listens at {port}");
            assert!(self.child.try_wait().unwrap().is_none(), "it ended at once");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Its scripts become the JVM by exec: there is no other process.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spark_home() -> PathBuf {
    let output = Command::new(python())
        .args(["-c", "import pyspark; print(pyspark.__path__[0])"])
        .output()
        .unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}
