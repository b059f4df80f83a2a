//! The local workspaces of this clone: find one, start it, stop it, point others at it. Each goes by the
//! profile with which the bundle's targets name it; most clones have one.

mod profiles;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use xtask_remote::databricks::registry::Registry;
use xtask_remote::{Credentials, Http, local};

use crate::children::{self, Program};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::tools::Toolbox;
pub(crate) use profiles::config_file;

/// How long the program may take until it answers. It needs a fraction of a second, and longer on a loaded machine.
const START: Duration = Duration::from_secs(60);

/// A local workspace that answers.
#[derive(Debug, Clone)]
pub(crate) struct LocalWorkspace {
    /// The profile that names it.
    pub(crate) profile: String,
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

/// The folder that holds a workspace's state: the first one's has its place, each further one's a name.
pub(crate) fn state_folder(context: &Context, profile: &str) -> Utf8PathBuf {
    match profile == context.config.workspace.profile {
        true => context.local().join("workspace"),
        false => further(context).join(profile),
    }
}

fn further(context: &Context) -> Utf8PathBuf {
    context.local().join("workspaces")
}

/// Where the Databricks CLI keeps its copies of what it deployed to a workspace.
pub(crate) fn copies(context: &Context, profile: &str) -> Utf8PathBuf {
    let bundle = context.local().join("bundle");
    bundle.join(format!("local-{profile}"))
}

/// The profiles of further workspaces that have a folder here, though xtask.toml does not name them (any more).
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

/// What a workspace is called in a sentence: by its profile where there are several.
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

/// Whether a verb without a name means no workspace, or all of them.
fn needs_a_name(context: &Context, verb: &str) -> bool {
    context.config.workspace.several() && matches!(verb, "down" | "reset" | "status")
}

/// The running workspace; `None` when there is none.
///
/// # Errors
/// When its files cannot be read.
pub(crate) fn find(context: &Context, profile: &str) -> anyhow::Result<Option<LocalWorkspace>> {
    // A file that a killed program left, or another program at its port, does not answer so.
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

/// The workspace as its own files name it, without asking whether it answers; `None` when it has ended.
///
/// # Errors
/// When its files cannot be read.
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

/// The running workspace, started where there is none.
///
/// # Errors
/// When the program ends at once or does not answer; its last words are shown.
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
            &format!("{}, whose program was rebuilt", called(context, profile)),
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
            // Somebody else may have started one in the same moment; then that one is ours too.
            if let Some(workspace) = find(context, profile)? {
                profiles::write(context, &workspace)?;
                return Ok(workspace);
            }
            return Failure::new(
                Kind::Service,
                format!("{} ended at once ({status})", called(context, profile)),
            )
            .details(last_lines(&log, 15))
            .next(command(context, "logs", profile))
            .next(format!(
                "{}   # removes its state, if nothing else helps",
                command(context, "reset", profile)
            ))
            .err();
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            return Failure::new(
                Kind::Service,
                format!(
                    "{} did not answer within {START:?}",
                    called(context, profile)
                ),
            )
            .details(last_lines(&log, 15))
            .next(command(context, "logs", profile))
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
    let file = state_folder(context, &workspace.profile).join("server.json");
    while file.exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    if file.exists() {
        return Failure::new(
            Kind::Service,
            format!(
                "{} was asked to end and still runs",
                called(context, &workspace.profile)
            ),
        )
        .next(command(context, "logs", &workspace.profile))
        .err();
    }
    Ok(())
}

/// Variables that point any client at the workspace: the CLI, the SDKs, MLflow.
pub(crate) fn variables(
    context: &Context,
    workspace: &LocalWorkspace,
) -> Vec<(&'static str, String)> {
    let registry = match context.config.model.registry {
        Registry::UnityCatalog => "databricks-uc".to_owned(),
        // MLflow's own, behind the workspace.
        Registry::Workspace => workspace.url.clone(),
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
    // A half-written file is no running server; the next look finds a whole one.
    let server = serde_json::from_str(&server).ok();
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
        "--mlflow-python",
        toolbox.mlflow.as_str(),
        "--kernel-packages",
        toolbox.kernel.as_str(),
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
    if !toolbox.spark_jars.as_str().is_empty() {
        command.args(["--spark-jars", toolbox.spark_jars.as_str()]);
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
    children::surround(&context.env, Program::Workspace, &mut command);
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
