//! The Databricks CLI as methods on a target of the bundle.

mod changes;
mod deploying;
pub(crate) mod guard;
mod local_kinds;
mod plan;
mod signed_in;
mod summary;
mod through_cli;
mod validation;
mod versions;
mod words;

use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use xshell::cmd;
use xtask_remote::{ReadOnly, Transport};

use crate::bundle::{self, Bundle, Outline, TargetWorkspace};
use crate::child_env::{self, Program, sh};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::git::Git;
use crate::local_workspace::{self, LocalWorkspace, Mode};
use crate::process::{self, Finished};
use crate::temporary::Temporary;
use crate::tools::Toolbox;
use crate::vars;
pub(crate) use changes::Change;
pub(crate) use deploying::Outcome;
pub(crate) use guard::{Purpose, Writer};
pub(crate) use plan::Plan;
pub(crate) use signed_in::{ANSWER, SignedIn, address};
pub(crate) use summary::Summary;
use through_cli::ThroughCli;
use versions::Versions;

/// The timeout for reading what is deployed, once the workspace has answered: three API calls.
const SUMMARY: Duration = Duration::from_secs(60);

/// The timeout for validating the bundle and planning a deployment: API calls per resource, and what the
/// bundle builds or runs.
const PLAN: Duration = Duration::from_secs(600);

/// A state folder for one read; the CLI creates it.
fn aside(context: &Context) -> Temporary {
    Temporary::path(&context.local().join("cache/looks/look"))
}

/// A target of the bundle and its workspace.
pub(crate) struct Target<'a> {
    pub(crate) name: String,
    /// The local workspace, if the target is on one.
    pub(crate) local: Option<LocalWorkspace>,
    workspace: TargetWorkspace,
    context: &'a Context,
    program: Utf8PathBuf,
    /// The CLI's state folder for reading; `None` if the CLI may run the bundle's code. In the bundle's own
    /// (`.databricks`) a plan would resume an unfinished deployment, and make a running one fail.
    aside: Option<Temporary>,
    /// The bundle's folder.
    files: Utf8PathBuf,
    edits: OnceLock<String>,
    bundle: Bundle,
    outline: OnceLock<Outline>,
    signed_in: OnceLock<SignedIn>,
}

impl<'a> Target<'a> {
    /// Opens a target: starts its local workspace if needed, or checks the sign-in on Databricks. Runs no
    /// code of the checkout, here or later: the CLI refuses it.
    pub(crate) fn open(
        context: &'a Context,
        toolbox: &Toolbox,
        name: &str,
    ) -> anyhow::Result<Target<'a>> {
        Target::opened(context, toolbox, name, Some(aside(context)))
    }

    /// Like [`Target::open`], for commands that deploy, validate or destroy the bundle: the CLI may run its
    /// Python and scripts.
    pub(crate) fn open_to_deploy(
        context: &'a Context,
        toolbox: &Toolbox,
        name: &str,
    ) -> anyhow::Result<Target<'a>> {
        Target::opened(context, toolbox, name, None)
    }

    fn opened(
        context: &'a Context,
        toolbox: &Toolbox,
        name: &str,
        aside: Option<Temporary>,
    ) -> anyhow::Result<Target<'a>> {
        let bundle = Bundle::read(context)?;
        let workspace = bundle::find(&bundle.targets(&context.config), name)?;
        let start = |profile| local_workspace::start(context, toolbox, profile, Mode::default());
        let local = workspace.local().map(start).transpose()?;
        let target = Target {
            name: name.to_owned(),
            local,
            workspace,
            context,
            program: toolbox.databricks.clone(),
            aside,
            files: context.root.clone(),
            edits: OnceLock::new(),
            bundle,
            outline: OnceLock::new(),
            signed_in: OnceLock::new(),
        };
        if target.local.is_none() {
            let asked = format!("{} for target {name}", target.service(None));
            let progress = context.ui.progress("Asking", &asked);
            target.signed_in(ANSWER)?;
            progress.clear();
        }
        Ok(target)
    }

    /// Lets calls to a local workspace wait as long as the whole command may; calls through the CLI wait as
    /// the CLI does.
    #[must_use]
    pub(crate) fn patient(mut self) -> Target<'a> {
        if let Some(local) = &mut self.local {
            local.http = local.http.clone().patient(self.context.patience.clone());
        }
        self
    }

    /// A target without starting or downloading anything. `local` is the running local workspace, if the
    /// target is on it; `program` the Databricks CLI, if installed. The CLI uses a separate state folder,
    /// so that it does not collide with a deployment from the same clone.
    pub(crate) fn seen(
        context: &'a Context,
        bundle: &Bundle,
        target: &bundle::DeclaredTarget,
        local: Option<LocalWorkspace>,
        program: Utf8PathBuf,
    ) -> Target<'a> {
        Target {
            name: target.name.clone(),
            local,
            workspace: target.workspace.clone(),
            context,
            program,
            aside: Some(aside(context)),
            files: context.root.clone(),
            edits: OnceLock::new(),
            bundle: bundle.clone(),
            outline: OnceLock::new(),
            signed_in: OnceLock::new(),
        }
    }

    /// The same target with a known identity.
    #[must_use]
    pub(crate) fn with_sign_in(mut self, known: SignedIn) -> Target<'a> {
        self.signed_in = OnceLock::from(known);
        self
    }

    /// Whether the CLI is installed.
    pub(crate) fn has_cli(&self) -> bool {
        !self.program.as_str().is_empty()
    }

    /// The same target with the bundle's files in another folder, of another commit.
    #[must_use]
    pub(crate) fn with_files_in(mut self, folder: Utf8PathBuf) -> Target<'a> {
        self.files = folder;
        self
    }

    /// What a deployment would change, one line each, in the CLI's words, within `limit`.
    pub(crate) fn plan(&self, limit: Duration) -> anyhow::Result<Vec<String>> {
        let command = self.bundle(&["plan"]);
        let what = format!("could not plan the deployment to {}", self.name);
        let finished = self.succeed_within(command, &what, limit)?;
        Ok(finished
            .stdout
            .lines()
            .map(str::to_owned)
            .filter(|line| !line.is_empty())
            .collect())
    }

    /// The bundle's resources with their ids and pages. Runs the bundle's Python if the target was opened
    /// for that; [`Target::deployed`] never does.
    pub(crate) fn summary(&self) -> anyhow::Result<Summary> {
        let command = self.bundle(&["summary", "--output", "json"]);
        let what = format!("could not read the state of target {}", self.name);
        let finished = self.succeed_within(command, &what, SUMMARY)?;
        self.understood(&finished.stdout, &what)
    }

    fn understood<T: serde::de::DeserializeOwned>(
        &self,
        said: &str,
        what: &str,
    ) -> anyhow::Result<T> {
        xtask_remote::json::from_str(said).map_err(|error| {
            Failure::failed(format!(
                "{what}: unexpected output of the Databricks CLI: {error}"
            ))
            .into()
        })
    }

    /// Runs one of our programs with the target's credentials in its environment, through `databricks
    /// bundle run`. A failing program is not an error here.
    pub(crate) fn run_signed_in(
        &self,
        program: &str,
        args: &[&str],
        on_line: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Finished> {
        // Outside the checkout, as Python would import files from there.
        let mut command = self.outlined(&["bundle", "run"])?;
        command.arg("--").arg(program).args(args);
        // Without a token in the environment, MLflow uses the user's DEFAULT profile.
        match &self.signed_in(ANSWER)?.profile {
            Some(profile) => command.env(vars::DATABRICKS_CONFIG_PROFILE, profile),
            None => command.env(vars::DATABRICKS_CONFIG_FILE, "/dev/null"),
        };
        process::run(&self.context.ui, &self.context.interrupt, command, on_line)
    }

    /// Runs the CLI without a time limit; a failure is an error.
    fn succeed(&self, command: Command, what: &str) -> anyhow::Result<Finished> {
        self.succeed_within(command, what, Duration::MAX)
    }

    /// Runs the CLI within `limit`; a failure is an error.
    fn succeed_within(
        &self,
        command: Command,
        what: &str,
        limit: Duration,
    ) -> anyhow::Result<Finished> {
        let line = process::typed(&command);
        let Context { ui, interrupt, .. } = self.context;
        let mut given_up = |elapsed| elapsed > limit;
        let Some(finished) =
            process::run_until(ui, interrupt, command, &mut given_up, &mut |_| ())?
        else {
            let service = self.service(None);
            let why = format!("{service} did not respond within {} s", limit.as_secs());
            return Failure::service(format!("{what}: {why}"))
                .details(format!("`{line}` was still running"))
                .next("check that the workspace responds, then run it again")
                .err();
        };
        if !finished.ok() {
            let what = format!("{what}: `{line}` ended with {}", finished.status);
            return self.failure(what, &finished).err();
        }
        Ok(finished)
    }

    /// The CLI's error; with the sign-in command if not authenticated.
    fn failure(&self, what: String, finished: &Finished) -> Failure {
        // JSON on stdout is not the reason.
        let said = match finished.stderr.trim() {
            "" => &finished.tail,
            _ => &finished.stderr,
        };
        let failure = |kind| Failure::new(kind, what).details(said);
        match words::asks_to_sign_in(&finished.tail) {
            true => self.ways_to_sign_in(failure(Kind::SignedOut)),
            false if words::says_there_was_no_connection(&finished.tail) => failure(Kind::Service),
            false => failure(Kind::Failed),
        }
    }

    /// What to sign in to for this target; `host` if known better than from the bundle.
    fn service(&self, host: Option<&str>) -> String {
        match &self.workspace {
            TargetWorkspace::Local(_) => {
                let local = self.local.as_ref();
                local.map(|local| local.url.clone()).unwrap_or_default()
            }
            TargetWorkspace::Databricks {
                profile: Some(profile),
                ..
            } => format!("profile {profile}"),
            TargetWorkspace::Databricks { host: own, .. } => {
                let in_env = self.context.env.get(vars::DATABRICKS_HOST);
                let host = host.or(own.as_deref()).or(in_env);
                signed_in::address(host.unwrap_or_default())
            }
        }
    }

    /// Fails after Ctrl-C.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.context.interrupt.is_set()
    }

    /// Copies a workspace folder into a new local folder.
    pub(crate) fn export(&self, path: &str, folder: &Utf8Path) -> anyhow::Result<()> {
        let program = &self.program;
        let mut command = cmd!(sh(), "{program} workspace export-dir {path} {folder}").into();
        self.lead(&mut command);
        let what = format!("could not copy {path} from {}", self.name);
        self.succeed(command, &what).map(drop)
    }

    /// The transport for REST calls that only read. Calls that change something need a [`Writer`].
    pub(crate) fn transport(&self) -> Box<dyn Transport + '_> {
        Box::new(ReadOnly::new(self.whole_transport()))
    }

    /// The transport for all REST calls: direct to the local workspace, else through the CLI, which holds
    /// the user's credentials.
    fn whole_transport(&self) -> Box<dyn Transport + '_> {
        match &self.local {
            Some(local) => Box::new(local.http.clone()),
            None => Box::new(ThroughCli::new(self)),
        }
    }

    /// The normalised URL of the target's workspace, from the bundle, a profile or the environment.
    pub(crate) fn host(&self) -> String {
        let local = self.local.as_ref().map(|local| local.url.clone());
        local
            .or_else(|| Some(self.signed_in.get()?.host.clone()))
            .unwrap_or_default()
    }

    /// A page's URL for people: for the local workspace at a terminal it contains a single-use sign-in
    /// code; everywhere else it is the URL itself.
    pub(crate) fn readable_link(&self, url: &str) -> String {
        let page = self
            .local
            .as_ref()
            .and_then(|local| Some((local, url.strip_prefix(&local.url)?)));
        match page {
            Some((local, page)) if self.context.ui.can_ask() => {
                xtask_remote::local::sign_in(&local.http, page).unwrap_or_else(|_| url.to_owned())
            }
            _ => url.to_owned(),
        }
    }

    fn bundle(&self, args: &[&str]) -> Command {
        let Target { program, name, .. } = self;
        let mut command = Command::from(cmd!(sh(), "{program} bundle {args...} --target {name}"));
        command.current_dir(&self.files);
        if matches!(args.first(), Some(&("plan" | "deploy"))) {
            command.env(vars::BUNDLE_VAR_GIT_EDITS, self.edits());
        }
        self.surround(&mut command);
        let copies = match &self.aside {
            Some(folder) => folder.to_path_buf(),
            None => self.copies(),
        };
        command.env(vars::DATABRICKS_BUNDLE_TMP, copies);
        command
    }

    /// A description of uncommitted changes, for a bundle with a variable `git_edits`; empty for another
    /// commit's files.
    fn edits(&self) -> &str {
        self.edits.get_or_init(|| {
            let is_here = self.files == self.context.root;
            let git = is_here.then(|| Git::open(self.context).ok()).flatten();
            let changes = git.and_then(|git| git.uncommitted().ok());
            match changes.map_or(0, |changes| changes.len()) {
                0 => String::new(),
                1 => "1 edited file".to_owned(),
                count => format!("{count} edited files"),
            }
        })
    }

    /// The CLI's folder for deployment state, one per workspace, so that a target moved to another
    /// workspace does not keep the old state.
    fn copies(&self) -> Utf8PathBuf {
        match &self.workspace {
            TargetWorkspace::Local(profile) => local_workspace::copies(self.context, profile),
            TargetWorkspace::Databricks { .. } => {
                let plain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
                let host = self.host();
                let host = host.split("://").last().unwrap_or_default();
                let name = host.replace(|c: char| !plain(c), "-");
                self.context
                    .local()
                    .join("bundle")
                    .join(format!("at-{name}"))
            }
        }
    }

    /// The bundle without its resources, in a separate folder.
    fn outline(&self) -> anyhow::Result<&Outline> {
        if let Some(outline) = self.outline.get() {
            return Ok(outline);
        }
        let outline = Outline::of(self.context, &self.bundle)?;
        Ok(self.outline.get_or_init(|| outline))
    }

    /// Points a command other than `databricks bundle` to the target's workspace: such commands do not read
    /// the bundle.
    fn lead(&self, command: &mut Command) {
        self.surround(command);
        let known = self.signed_in.get();
        let (host, profile) = match &self.workspace {
            TargetWorkspace::Local(profile) => (None, Some(profile)),
            // The CLI looks up a profile by the bundle's host, but not by DATABRICKS_HOST.
            TargetWorkspace::Databricks { host, profile } => (
                known.map(|known| &known.host).or(host.as_ref()),
                known
                    .and_then(|known| known.profile.as_ref())
                    .or(profile.as_ref()),
            ),
        };
        if let Some(profile) = profile {
            command.args(["--profile", profile]);
        }
        if let Some(host) = host {
            command.env(vars::DATABRICKS_HOST, host);
        }
        // Outside the bundle: the CLI searches all parent folders for one, and would use the workspace of
        // its default target.
        command.current_dir("/");
    }

    /// Sets the CLI's environment: only our own configuration file for a target on the local workspace; the
    /// user's for one on Databricks.
    fn surround(&self, command: &mut Command) {
        let kind = match self.local {
            Some(_) => Program::LocalBundle,
            None => Program::Bundle,
        };
        child_env::surround(&self.context.env, kind, command);
        if self.local.is_some() {
            command.env(
                vars::DATABRICKS_CONFIG_FILE,
                local_workspace::config_file(self.context),
            );
            // The default of 15 requests/s only slows local deployments down.
            command.env("DATABRICKS_RATE_LIMIT", "200");
        }
        for other in vars::OTHER_BUNDLES {
            command.env_remove(other);
        }
        if self.aside.is_some() {
            command.env(vars::DATABRICKS_BUNDLE_RESTRICTED, "1");
        }
        let cache = self.context.local().join("cache").join("databricks");
        command.env(vars::DATABRICKS_CACHE_DIR, cache);
        command.env("DATABRICKS_CLI_DISABLE_TELEMETRY", "1");
        command.env("DATABRICKS_CLI_DISABLE_UPDATE_CHECK", "1");
    }
}
