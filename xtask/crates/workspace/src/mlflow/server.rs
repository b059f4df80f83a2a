//! Supervises MLflow's server: starts it, waits until it answers, restarts it.

/// On a loaded machine a start takes up to a minute.
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, params};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use xtask_local_server::state_dir::create_private_dir;

use super::Phase;
use super::database_template::DatabaseTemplate;
use crate::state::App;
use crate::store::new_id;
use crate::{process_group, python};

const START_LIMIT: Duration = Duration::from_secs(180);
/// How long it may answer with errors during a start.
const FAILING_LIMIT: Duration = Duration::from_secs(10);
/// Time for a clean stop.
const END_GRACE: Duration = Duration::from_secs(3);
/// Pauses between restarts: first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A socket path has at most 104 bytes on macOS and 108 on Linux.
const SOCKET_PATH_LIMIT: usize = 100;
const DATABASE: &str = "mlflow.db";
/// Beyond this size the log is truncated at a start.
const LOG_LIMIT: u64 = 5 * 1024 * 1024;

pub(super) fn log_path(app: &App) -> Utf8PathBuf {
    folder(app).join("server.log")
}

fn folder(app: &App) -> Utf8PathBuf {
    app.config.state.path().join("mlflow")
}

fn database(app: &App) -> Utf8PathBuf {
    folder(app).join(DATABASE)
}

/// Restarts MLflow until the workspace stops.
pub(super) async fn supervise(app: Arc<App>) {
    let mut stop = app.mlflow.stop.subscribe();
    let mut pause = FIRST_PAUSE;
    while !*stop.borrow() {
        let started = Instant::now();
        let why = match run_once(&app).await {
            Ok(()) => "MLflow ended".to_owned(),
            Err(why) => why,
        };
        if *stop.borrow() {
            break;
        }
        tracing::warn!(why, "MLflow is not running; restarting it");
        let served = *app.mlflow.phase.borrow() == Phase::Ready;
        let long = started.elapsed() > Duration::from_secs(60);
        if served && long {
            pause = FIRST_PAUSE;
        }
        // The first crash may be accidental, and requests wait for the restart. A second one, or a long start without
        // success, is reported.
        let by_chance = pause == FIRST_PAUSE && (served || !long);
        app.mlflow.phase.send_replace(match by_chance {
            true => Phase::Starting,
            false => Phase::Failed(why),
        });
        let _ = tokio::time::timeout(pause, asked_to_end(&mut stop)).await;
        pause = (pause * 4).min(LONGEST_PAUSE);
    }
    app.mlflow.phase.send_replace(Phase::Stopped);
}

/// Runs the server until it ends or the workspace stops. An error says why it did not serve.
async fn run_once(app: &Arc<App>) -> Result<(), String> {
    let socket =
        prepare(app).map_err(|error| format!("cannot prepare MLflow's folder: {error}"))?;
    let client = connect_to(app, &socket)?;
    let template = DatabaseTemplate::look(&database(app), &app.config.mlflow_python);
    if let Some(Err(error)) = template.as_ref().map(DatabaseTemplate::provide) {
        tracing::warn!(%error, "MLflow creates its database itself");
    }
    let mut child = start(app, &socket).map_err(|error| {
        format!(
            "cannot start {} for MLflow: {error}; is the Python environment complete?",
            app.config.mlflow_python
        )
    })?;
    // Held until the end, because the server ends when its standard input closes; `wait` would close it.
    let _lifeline = child.stdin.take();
    let group = process_group::Group::of(&child);
    let mut stop = app.mlflow.stop.subscribe();
    let outcome = tokio::select! {
        status = child.wait() => Err(died(app, status)),
        outcome = announce_and_hold(app, &client, template) => outcome,
        () = asked_to_end(&mut stop) => {
            process_group::end(&mut child, END_GRACE).await;
            Ok(())
        }
    };
    if let Some(group) = group {
        process_group::sweep(&mut child, group).await;
    }
    let _ = std::fs::remove_file(&socket);
    outcome
}

async fn asked_to_end(stop: &mut watch::Receiver<bool>) {
    // The sender lives as long as the workspace.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits until the server answers, reports it ready, and then waits for ever.
async fn announce_and_hold(
    app: &App,
    client: &reqwest::Client,
    template: Option<DatabaseTemplate>,
) -> Result<(), String> {
    wait_until_ready(app, client).await?;
    let database = database(app);
    let _ = tokio::task::spawn_blocking(move || settle(&database, template)).await;
    tracing::info!("MLflow is ready");
    app.mlflow.phase.send_replace(Phase::Ready);
    std::future::pending().await
}

/// Prepares the database before its first use. A failure costs only speed and looks.
fn settle(database: &Utf8Path, template: Option<DatabaseTemplate>) {
    if let Some(Err(error)) = template.as_ref().map(DatabaseTemplate::keep) {
        tracing::warn!(error, "the next workspace creates its own database");
    }
    if let Err(error) = make_ids_long(database) {
        tracing::warn!(%error, "experiment ids stay short");
    }
}

/// Sends a request that needs the database: the first one creates or migrates it.
async fn wait_until_ready(app: &App, client: &reqwest::Client) -> Result<(), String> {
    let started = Instant::now();
    let mut failing: Option<Instant> = None;
    while started.elapsed() < START_LIMIT {
        let answer = client
            .get("http://localhost/api/2.0/mlflow/experiments/search?max_results=1")
            .send()
            .await;
        if let Ok(answer) = answer {
            if answer.status().is_success() {
                return Ok(());
            }
            // Fails at every start, for example in a folder whose name MLflow cannot handle.
            if failing.get_or_insert_with(Instant::now).elapsed() > FAILING_LIMIT {
                return Err(format!("MLflow cannot serve: {}", last_words(app)));
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    Err(format!(
        "MLflow did not answer within {} seconds",
        START_LIMIT.as_secs()
    ))
}

fn connect_to(app: &App, socket: &Utf8Path) -> Result<reqwest::Client, String> {
    let known = app.mlflow.client.get();
    if let Some(client) = known {
        return Ok(client.clone());
    }
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .unix_socket(socket.as_std_path())
        .build()
        .map_err(|error| format!("cannot set up the client for MLflow: {error}"))?;
    Ok(app.mlflow.client.get_or_init(|| client).clone())
}

/// Creates the folders and answers the socket's path, below a folder that only its owner may enter: the server has no
/// authentication of its own.
fn prepare(app: &App) -> std::io::Result<Utf8PathBuf> {
    let folder = folder(app);
    create_private_dir(&folder.join("artifacts"))?;
    let mut socket = folder.join("server.sock");
    if socket.as_str().len() > SOCKET_PATH_LIMIT {
        let name = format!("xtask-workspace-{}", app.identity.workspace_id);
        let short = Utf8PathBuf::from_path_buf(std::env::temp_dir())
            .unwrap_or_else(|_| "/tmp".into())
            .join(name);
        create_private_dir(&short)?;
        socket = short.join("mlflow.sock");
    }
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(socket),
    }
}

fn start(app: &App, socket: &Utf8Path) -> std::io::Result<Child> {
    let folder = folder(app);
    let log = open_log(&log_path(app))?;
    // Relative to the working folder: in a database address, `%` and `?` of a path have a meaning.
    let uri = format!("sqlite:///{DATABASE}");
    python::command(app, &app.config.mlflow_python, "mlflow_server.py")
        .arg(socket)
        .current_dir(&folder)
        .env("_MLFLOW_SERVER_FILE_STORE", &uri)
        .env("_MLFLOW_SERVER_REGISTRY_STORE", &uri)
        .env("_MLFLOW_SERVER_ARTIFACT_ROOT", "mlflow-artifacts:/")
        .env("_MLFLOW_SERVER_ARTIFACT_DESTINATION", "artifacts")
        .env("_MLFLOW_SERVER_SERVE_ARTIFACTS", "true")
        .env("_MLFLOW_SGI_NAME", "uvicorn")
        .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
        .env("MLFLOW_SERVER_ALLOWED_HOSTS", "localhost")
        .stdout(Stdio::from(log.try_clone()?))
        .stderr(Stdio::from(log))
        .kill_on_drop(true)
        .spawn()
}

fn open_log(path: &Utf8Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let full = std::fs::metadata(path).is_ok_and(|data| data.len() > LOG_LIMIT);
    std::fs::OpenOptions::new()
        .create(true)
        .append(!full)
        .write(true)
        .truncate(full)
        .mode(0o600)
        .open(path)
}

/// A message with the last line of the log, where Python prints the exception.
fn died(app: &App, status: std::io::Result<std::process::ExitStatus>) -> String {
    let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
    format!("MLflow ended ({status}): {}", last_words(app))
}

fn last_words(app: &App) -> String {
    let path = log_path(app);
    let log = std::fs::read(&path).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let last = log
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it wrote nothing");
    format!("{last} (log: {path})")
}

/// MLflow's own ids are below this.
const SHORT_ID: i64 = 10_000_000;
/// Name of the row that starts the count.
const COUNT_FROM_HERE: &str = "(experiment ids count from here)";

/// Makes experiment ids as long as Databricks'. MLflow counts from 1, but clients recognise only long numbers as ids (the
/// CLI's output filters, links). SQLite gives a new row the highest id plus one, so one deleted row with a high id makes
/// all later ids long. Does nothing if the ids are long already; MLflow's tables must exist.
fn make_ids_long(database: &Utf8Path) -> crate::store::Result<()> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.execute(
        "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage)
         SELECT ?1, ?2, '', 'deleted' WHERE NOT EXISTS (SELECT 1 FROM experiments WHERE experiment_id > ?3)",
        params![new_id(15)?, COUNT_FROM_HERE, SHORT_ID],
    )?;
    Ok(())
}
