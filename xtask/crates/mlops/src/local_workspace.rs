//! The local workspaces of this clone: find, start, stop, and point clients at them. Each is identified by
//! the profile in the bundle's targets; most clones have one.

mod profiles;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use xshell::cmd;
use xtask_remote::databricks::registry::RegistryKind;
use xtask_remote::{Credentials, Http, local};

use crate::child_env::{self, Program, sh};
use crate::context::Context;
use crate::error::Failure;
use crate::tools::Toolbox;
pub(crate) use profiles::config_file;
use xtask_remote::Timestamp;

/// The startup timeout. Normally well below 1 s, but longer on a loaded machine.
const START: Duration = Duration::from_secs(60);

/// A running local workspace.
#[derive(Debug, Clone)]
pub(crate) struct LocalWorkspace {
    pub(crate) profile: String,
    /// Its address.
    pub(crate) url: String,
    /// Its client.
    pub(crate) http: Http,
    token: String,
}

/// When a workspace stops by itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mode {
    /// It does not stop when idle.
    pub(crate) keep: bool,
    /// Job schedules are active, and it does not stop when idle.
    pub(crate) schedules: bool,
}

/// The file that the program writes once it accepts connections.
#[derive(Debug, Deserialize)]
struct ServerFile {
    url: String,
    started_at: Timestamp,
}

/// A workspace's state folder; further workspaces have named ones.
pub(crate) fn state_folder(context: &Context, profile: &str) -> Utf8PathBuf {
    match profile == context.config.workspace.profile {
        true => context.local().join("workspace"),
        false => further(context).join(profile),
    }
}

fn further(context: &Context) -> Utf8PathBuf {
    context.local().join("workspaces")
}

/// The Databricks CLI's deployment state for a workspace.
pub(crate) fn copies(context: &Context, profile: &str) -> Utf8PathBuf {
    let bundle = context.local().join("bundle");
    bundle.join(format!("local-{profile}"))
}

/// Profiles of state folders that are not in xtask.toml (any more).
pub(crate) fn left_over(context: &Context) -> Vec<String> {
    let entries = further(context).read_dir_utf8().into_iter().flatten();
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_owned())
        .filter(|name| {
            !context
                .config
                .workspace
                .profiles()
                .any(|known| known == name)
        })
        .collect();
    names.sort();
    names
}

/// A workspace's name in messages: with its profile if there are several.
pub(crate) fn called(context: &Context, profile: &str) -> String {
    let only = context.config.workspace.profiles().eq([profile]);
    match only {
        true => "the local workspace".to_owned(),
        false => format!("the local workspace {profile}"),
    }
}

/// `cargo xtask workspace VERB`, with the option that names a workspace where there are several.
pub(crate) fn command(context: &Context, verb: &str, profile: &str) -> String {
    let option = match context.config.workspace.profile == profile && !needs_a_name(context, verb) {
        true => String::new(),
        false => format!(" --profile {profile}"),
    };
    format!("cargo xtask workspace {verb}{option}")
}

/// Whether a command needs `--profile`.
fn needs_a_name(context: &Context, verb: &str) -> bool {
    context.config.workspace.several() && matches!(verb, "down" | "reset" | "status")
}

/// The running workspace, if any.
pub(crate) fn find(context: &Context, profile: &str) -> anyhow::Result<Option<LocalWorkspace>> {
    // A stale file of a killed program, or another program on its port, does not respond like this.
    let answers = |workspace: &LocalWorkspace| local::status(&workspace.http).is_ok();
    Ok(written(context, profile)?.filter(answers))
}

fn client(
    context: &Context,
    server: &ServerFile,
    token: &str,
) -> Result<Http, xtask_remote::Error> {
    let ui = context.ui.clone();
    let http = Http::new(&server.url, Credentials::bearer(token))?;
    let http = http.pausing(context.pause());
    Ok(http.observed(std::sync::Arc::new(move |call| ui.explain(call))))
}

/// The workspace from its state files, without checking that it responds; `None` after it has stopped.
pub(crate) fn written(context: &Context, profile: &str) -> anyhow::Result<Option<LocalWorkspace>> {
    let Some((server, token)) = read_files(&state_folder(context, profile))? else {
        return Ok(None);
    };
    Ok(Some(LocalWorkspace {
        profile: profile.to_owned(),
        http: client(context, &server, &token)?,
        url: server.url,
        token,
    }))
}

/// The running workspace; starts it if needed.
pub(crate) fn start(
    context: &Context,
    toolbox: &Toolbox,
    profile: &str,
    mut mode: Mode,
) -> anyhow::Result<LocalWorkspace> {
    if let Some(running) = find(context, profile)? {
        if !is_outdated(context, toolbox, &running)? {
            profiles::write(context, &running)?;
            return Ok(running);
        }
        context.ui.status(
            "Restarting",
            &format!("{} (its program was rebuilt)", called(context, profile)),
        );
        let was = local::status(&running.http)?;
        mode.keep |= was.keep;
        mode.schedules |= was.schedules;
        stop(context, &running)?;
    }
    let state = state_folder(context, profile);
    fs_err::create_dir_all(&state)?;
    let log = state.join("server.log");
    let mut child = spawn(context, toolbox, &state, &log, mode)?;
    let deadline = Instant::now() + START;
    loop {
        if let Some(workspace) = find(context, profile)? {
            profiles::write(context, &workspace)?;
            return Ok(workspace);
        }
        if let Some(status) = child.try_wait()? {
            // Another command may have started one at the same time; use that one.
            if let Some(workspace) = find(context, profile)? {
                profiles::write(context, &workspace)?;
                return Ok(workspace);
            }
            return Failure::service(format!(
                "{} exited at startup ({status})",
                called(context, profile)
            ))
            .details(last_lines(&log, 15))
            .next(command(context, "logs", profile))
            .next(format!(
                "{}   # last resort: deletes its state",
                command(context, "reset", profile)
            ))
            .err();
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            return Failure::service(format!(
                "{} did not answer within {START:?}",
                called(context, profile)
            ))
            .details(last_lines(&log, 15))
            .next(command(context, "logs", profile))
            .err();
        }
        context.interrupt.check()?;
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Stops the workspace and waits for its end.
pub(crate) fn stop(context: &Context, workspace: &LocalWorkspace) -> anyhow::Result<()> {
    local::shutdown(&workspace.http)?;
    let deadline = Instant::now() + START;
    let file = state_folder(context, &workspace.profile).join("server.json");
    while file.exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    if file.exists() {
        return Failure::service(format!(
            "{} was told to stop and is still running",
            called(context, &workspace.profile)
        ))
        .next(command(context, "logs", &workspace.profile))
        .err();
    }
    Ok(())
}

/// Environment variables that point clients at the workspace: the CLI, the SDKs, MLflow.
pub(crate) fn variables(
    context: &Context,
    workspace: &LocalWorkspace,
) -> Vec<(&'static str, String)> {
    let registry = match context.config.model.registry {
        RegistryKind::UnityCatalog => "databricks-uc".to_owned(),
        // MLflow's server, behind the workspace.
        RegistryKind::Workspace => workspace.url.clone(),
    };
    vec![
        ("DATABRICKS_HOST", workspace.url.clone()),
        ("DATABRICKS_TOKEN", workspace.token.clone()),
        ("DATABRICKS_AUTH_TYPE", "pat".to_owned()),
        ("DATABRICKS_CONFIG_FILE", config_file(context).into_string()),
        ("MLFLOW_TRACKING_URI", workspace.url.clone()),
        ("MLFLOW_TRACKING_TOKEN", workspace.token.clone()),
        ("MLFLOW_REGISTRY_URI", registry),
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
    // A half-written file counts as not running; the next poll reads it completely.
    let server = xtask_remote::json::from_str(&server).ok();
    Ok(server.map(|server| (server, token.trim().to_owned())))
}

fn is_outdated(
    context: &Context,
    toolbox: &Toolbox,
    running: &LocalWorkspace,
) -> anyhow::Result<bool> {
    let Some((server, _)) = read_files(&state_folder(context, &running.profile))? else {
        return Ok(false);
    };
    let Ok(built) = fs_err::metadata(&toolbox.workspace).and_then(|file| file.modified()) else {
        return Ok(false);
    };
    let newer = Timestamp::from(built) > server.started_at;
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
    let Toolbox {
        workspace,
        python,
        mlflow,
        kernel,
        ..
    } = toolbox;
    let settings = &context.config.workspace;
    let minutes = settings.idle_minutes.to_string();
    let jars = Some(toolbox.spark_jars.as_str()).filter(|folder| !folder.is_empty());
    let spark = [
        ("--spark-master", settings.spark_master.as_deref()),
        ("--spark-remote", settings.spark_remote.as_deref()),
        ("--spark-jars", jars),
    ];
    let spark = spark
        .into_iter()
        .filter_map(|(flag, value)| Some([flag, value?]));
    let spark = spark.flatten();
    let keep = mode.keep.then_some("--keep");
    let schedules = mode.schedules.then_some("--schedules");
    let line = cmd!(
        sh(),
        "{workspace} serve --state {state} --python {python} --mlflow-python {mlflow}
            --kernel-packages {kernel} --idle-minutes {minutes} {spark...} {keep...} {schedules...}"
    );
    let mut command = child_env::command(&context.env, Program::Workspace, line, &context.root);
    context.ui.explain(&crate::process::typed(&command));
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        // Its own process group: Ctrl-C stops the command, not the workspace.
        .process_group(0);
    let what = format!("could not start the local workspace program {workspace}");
    command
        .spawn()
        .map_err(|error| Failure::missing(what).details(error.to_string()).into())
}
