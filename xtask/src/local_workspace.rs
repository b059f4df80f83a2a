//! The local workspace of this clone: find it, start it, stop it, point others at it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use xtask_remote::{Credentials, Http, local};

use crate::children;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::tools::Toolbox;

/// How long the program may take until it answers; it needs a fraction of a second.
const START: Duration = Duration::from_secs(20);

/// A local workspace that answers.
#[derive(Debug, Clone)]
pub(crate) struct LocalWorkspace {
    /// Its address.
    pub(crate) url: String,
    /// Its client.
    pub(crate) http: Http,
    token: String,
}

/// How a workspace behaves while nobody asks it for anything.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mode {
    /// It stays although nobody uses it.
    pub(crate) keep: bool,
    /// The schedules of jobs start runs; it stays for them.
    pub(crate) schedules: bool,
}

/// What the program writes when it accepts connections.
#[derive(Debug, Deserialize)]
struct ServerFile {
    url: String,
    started_at: jiff::Timestamp,
}

/// The folder that holds the workspace's state.
pub(crate) fn state_folder(context: &Context) -> Utf8PathBuf {
    context.local().join("workspace")
}

/// The Databricks configuration file that names this workspace; see `[workspace] profile`.
pub(crate) fn config_file(context: &Context) -> Utf8PathBuf {
    context.local().join("databrickscfg")
}

/// The running workspace; `None` when there is none.
///
/// # Errors
/// When its files cannot be read.
pub(crate) fn find(context: &Context) -> anyhow::Result<Option<LocalWorkspace>> {
    let Some((server, token)) = read_files(&state_folder(context))? else {
        return Ok(None);
    };
    let http = client(context, &server, &token)?;
    // A file that a killed program left, or another program at its port, does not answer so.
    Ok(local::status(&http).ok().map(|_| LocalWorkspace {
        url: server.url,
        http,
        token,
    }))
}

fn client(
    context: &Context,
    server: &ServerFile,
    token: &str,
) -> Result<Http, xtask_remote::Error> {
    let ui = context.ui.clone();
    let http = Http::new(&server.url, Credentials::bearer(token))?;
    Ok(http.observed(std::sync::Arc::new(move |call| ui.explain(call))))
}

/// The workspace as its own files name it, without asking whether it answers; `None` when it has ended.
///
/// # Errors
/// When its files cannot be read.
pub(crate) fn written(context: &Context) -> anyhow::Result<Option<LocalWorkspace>> {
    let Some((server, token)) = read_files(&state_folder(context))? else {
        return Ok(None);
    };
    Ok(Some(LocalWorkspace {
        http: client(context, &server, &token)?,
        url: server.url,
        token,
    }))
}

/// The running workspace, started where there is none.
///
/// # Errors
/// When the program ends at once or does not answer; its last words are shown.
pub(crate) fn start(
    context: &Context,
    toolbox: &Toolbox,
    mut mode: Mode,
) -> anyhow::Result<LocalWorkspace> {
    if let Some(running) = find(context)? {
        if !is_outdated(context, toolbox, &running)? {
            write_config_file(context, &running)?;
            return Ok(running);
        }
        context.ui.status(
            "Restarting",
            "the local workspace, whose program was rebuilt",
        );
        let was = local::status(&running.http)?;
        mode.keep |= was.keep;
        mode.schedules |= was.schedules;
        stop(context, &running)?;
    }
    let state = state_folder(context);
    fs_err::create_dir_all(&state)?;
    let log = state.join("server.log");
    let mut child = spawn(context, toolbox, &state, &log, mode)?;
    let deadline = Instant::now() + START;
    loop {
        if let Some(workspace) = find(context)? {
            write_config_file(context, &workspace)?;
            return Ok(workspace);
        }
        if let Some(status) = child.try_wait()? {
            // Somebody else may have started one in the same moment; then that one is ours too.
            if let Some(workspace) = find(context)? {
                write_config_file(context, &workspace)?;
                return Ok(workspace);
            }
            return Failure::new(
                Kind::Service,
                format!("the local workspace ended at once ({status})"),
            )
            .details(last_lines(&log, 15))
            .next("cargo xtask workspace logs")
            .next("cargo xtask workspace reset   # removes its state, if nothing else helps")
            .err();
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            return Failure::new(
                Kind::Service,
                format!("the local workspace did not answer within {START:?}"),
            )
            .details(last_lines(&log, 15))
            .next("cargo xtask workspace logs")
            .err();
        }
        context.interrupt.check()?;
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Stops the workspace and waits until it is gone.
///
/// # Errors
/// When it does not end.
pub(crate) fn stop(context: &Context, workspace: &LocalWorkspace) -> anyhow::Result<()> {
    local::shutdown(&workspace.http)?;
    let deadline = Instant::now() + START;
    let file = state_folder(context).join("server.json");
    while file.exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    if file.exists() {
        return Failure::new(
            Kind::Service,
            "the local workspace was asked to end and still runs",
        )
        .next("cargo xtask workspace logs")
        .err();
    }
    Ok(())
}

/// Variables that point any client at the workspace: the CLI, the SDKs, MLflow.
pub(crate) fn variables(
    context: &Context,
    workspace: &LocalWorkspace,
) -> Vec<(&'static str, String)> {
    vec![
        ("DATABRICKS_HOST", workspace.url.clone()),
        ("DATABRICKS_TOKEN", workspace.token.clone()),
        ("DATABRICKS_AUTH_TYPE", "pat".to_owned()),
        ("DATABRICKS_CONFIG_FILE", config_file(context).into_string()),
        ("MLFLOW_TRACKING_URI", workspace.url.clone()),
        ("MLFLOW_TRACKING_TOKEN", workspace.token.clone()),
        ("MLFLOW_REGISTRY_URI", "databricks-uc".to_owned()),
        (
            "MLFLOW_USE_DATABRICKS_SDK_MODEL_ARTIFACTS_REPO_FOR_UC",
            "true".to_owned(),
        ),
    ]
}

/// The last lines of a log, for an error message.
pub(crate) fn last_lines(log: &Utf8Path, count: usize) -> String {
    let text = fs_err::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn read_files(state: &Utf8Path) -> anyhow::Result<Option<(ServerFile, String)>> {
    let read = |name: &str| match fs_err::read_to_string(state.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let (Some(server), Some(token)) = (read("server.json")?, read("token")?) else {
        return Ok(None);
    };
    // A half-written file is no running server; the next look finds a whole one.
    let server = serde_json::from_str(&server).ok();
    Ok(server.map(|server| (server, token.trim().to_owned())))
}

fn is_outdated(
    context: &Context,
    toolbox: &Toolbox,
    running: &LocalWorkspace,
) -> anyhow::Result<bool> {
    let Some((server, _)) = read_files(&state_folder(context))? else {
        return Ok(false);
    };
    let Ok(built) = fs_err::metadata(&toolbox.workspace).and_then(|file| file.modified()) else {
        return Ok(false);
    };
    let newer = jiff::Timestamp::try_from(built)? > server.started_at;
    Ok(newer && local::status(&running.http)?.active_runs == 0)
}

fn spawn(
    context: &Context,
    toolbox: &Toolbox,
    state: &Utf8Path,
    log: &Utf8Path,
    mode: Mode,
) -> anyhow::Result<Child> {
    let output = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(log)?;
    let mut command = Command::new(&toolbox.workspace);
    command.args([
        "serve",
        "--state",
        state.as_str(),
        "--python",
        toolbox.python.as_str(),
    ]);
    command
        .arg("--idle-minutes")
        .arg(context.config.workspace.idle_minutes.to_string());
    let settings = &context.config.workspace;
    for (flag, address) in [
        ("--spark-master", &settings.spark_master),
        ("--spark-remote", &settings.spark_remote),
    ] {
        if let Some(address) = address {
            command.args([flag, address.as_str()]);
        }
    }
    if mode.keep {
        command.arg("--keep");
    }
    if mode.schedules {
        command.arg("--schedules");
    }
    context.ui.explain(&crate::process::typed(&command));
    command
        .current_dir(&context.root)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        // A group of its own: Ctrl-C at the terminal ends the command, not the workspace.
        .process_group(0);
    children::withhold(&context.env, &mut command);
    let what = format!(
        "the local workspace's program {} could not be started",
        toolbox.workspace
    );
    command.spawn().map_err(|error| {
        Failure::new(Kind::Missing, what)
            .details(error.to_string())
            .into()
    })
}

/// Writes the profile of the workspace, so that the Databricks CLI finds it and nothing else.
fn write_config_file(context: &Context, workspace: &LocalWorkspace) -> anyhow::Result<()> {
    let path = config_file(context);
    let text = format!(
        "; Written by `cargo xtask`: the local workspace of this clone, and no other.\n[{}]\nhost  = {}\ntoken = {}\n",
        context.config.workspace.profile, workspace.url, workspace.token
    );
    if fs_err::read_to_string(&path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    let temporary = path.with_extension("new");
    let _ = fs_err::remove_file(&temporary);
    // Made with its mode: there is no moment at which others could open it.
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(text.as_bytes())?;
    fs_err::rename(&temporary, &path)?;
    Ok(())
}
