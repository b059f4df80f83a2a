//! The Databricks CLI, as domain verbs on a target of the bundle.

mod aside;
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
use xtask_remote::{ReadOnly, Transport};

use crate::bundle::{self, Bundle, Outline, Place};
use crate::children::{self, Program};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::git::Git;
use crate::local_workspace::{self, LocalWorkspace, Mode};
use crate::process::{self, Finished};
use crate::tools::Toolbox;
use crate::vars;
use aside::Aside;
pub(crate) use changes::Change;
pub(crate) use deploying::Outcome;
pub(crate) use guard::{Purpose, Writer};
pub(crate) use plan::Plan;
pub(crate) use signed_in::{ANSWER, SignedIn, address};
pub(crate) use summary::Summary;
use through_cli::ThroughCli;
use versions::Versions;

/// How long the CLI may take to say what is deployed, once the workspace has answered: three calls of it.
const SUMMARY: Duration = Duration::from_secs(60);

/// How long it may take to check the bundle, and to plan a deployment: calls for each resource, and what the
/// bundle builds or runs for that.
const PLAN: Duration = Duration::from_secs(600);

/// One target of the bundle, and the workspace it lives on.
pub(crate) struct Target<'a> {
    /// Its name.
    pub(crate) name: String,
    /// The local workspace, where the target lives on it.
    pub(crate) local: Option<LocalWorkspace>,
    place: Place,
    context: &'a Context,
    program: Utf8PathBuf,
    /// The folder of a look; `None` where the CLI runs what the bundle asks for.
    aside: Option<Aside>,
    /// The folder with the bundle's files.
    files: Utf8PathBuf,
    edits: OnceLock<String>,
    bundle: Bundle,
    outline: OnceLock<Outline>,
    signed_in: OnceLock<SignedIn>,
}

impl<'a> Target<'a> {
    /// A target, with its workspace answering: the local one is started where it does not run, and one on
    /// Databricks says who one is there. No code of the checkout runs for it, here or later: the CLI refuses that.
    ///
    /// # Errors
    /// When the bundle does not know the target, the local workspace cannot be started, or the one on Databricks
    /// does not answer or does not know who asks.
    pub(crate) fn open(
        context: &'a Context,
        toolbox: &Toolbox,
        name: &str,
    ) -> anyhow::Result<Target<'a>> {
        let aside = Some(Aside::new(context));
        Target::opened(context, toolbox, name, aside)
    }

    /// The same for a command that deploys, checks or removes the checkout's bundle: the CLI runs the Python and the
    /// scripts that it names.
    ///
    /// # Errors
    /// Those of [`Target::open`].
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
        aside: Option<Aside>,
    ) -> anyhow::Result<Target<'a>> {
        let bundle = Bundle::read(context)?;
        let place = bundle::find(&bundle.targets(&context.config), name)?;
        let start = |profile| local_workspace::start(context, toolbox, profile, Mode::default());
        let local = place.local().map(start).transpose()?;
        let target = Target {
            name: name.to_owned(),
            local,
            place,
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

    /// Has its calls wait for a local workspace as long as the whole command may; those through the CLI wait
    /// as the CLI does.
    #[must_use]
    pub(crate) fn patient(mut self) -> Target<'a> {
        if let Some(local) = &mut self.local {
            local.http = local.http.clone().patient(self.context.patience.clone());
        }
        self
    }

    /// A target as it is: nothing is started or fetched for it. `local` is the running local workspace,
    /// for a target that lives on it; `program` the Databricks CLI, where there is one. What the CLI does
    /// for it does not meet a deployment from the same clone.
    pub(crate) fn seen(
        context: &'a Context,
        bundle: &Bundle,
        target: &bundle::Target,
        local: Option<LocalWorkspace>,
        program: Utf8PathBuf,
    ) -> Target<'a> {
        Target {
            name: target.name.clone(),
            local,
            place: target.place.clone(),
            context,
            program,
            aside: Some(Aside::new(context)),
            files: context.root.clone(),
            edits: OnceLock::new(),
            bundle: bundle.clone(),
            outline: OnceLock::new(),
            signed_in: OnceLock::new(),
        }
    }

    /// The same target, where it is known already who one is there.
    #[must_use]
    pub(crate) fn with_sign_in(mut self, known: SignedIn) -> Target<'a> {
        self.signed_in = OnceLock::from(known);
        self
    }

    /// Whether the CLI is here.
    pub(crate) fn has_cli(&self) -> bool {
        !self.program.as_str().is_empty()
    }

    /// The same target, by the bundle's files in another folder: those of another commit.
    #[must_use]
    pub(crate) fn with_files_in(mut self, folder: Utf8PathBuf) -> Target<'a> {
        self.files = folder;
        self
    }

    /// What a deployment would change, one line each, as the CLI words it within `limit`.
    ///
    /// # Errors
    /// [`Kind::Service`] when it takes longer; [`Kind::Failed`] with what the CLI says.
    pub(crate) fn plan(&self, limit: Duration) -> anyhow::Result<Vec<String>> {
        let command = self.bundle(&["plan"]);
        let what = format!("the deployment to {} cannot be planned", self.name);
        let finished = self.succeed_within(command, &what, limit)?;
        Ok(finished
            .stdout
            .lines()
            .map(str::to_owned)
            .filter(|line| !line.is_empty())
            .collect())
    }

    /// The bundle's resources with their ids and pages. Python that makes resources runs for it, where the target
    /// was opened for that; [`Target::deployed`] runs none.
    ///
    /// # Errors
    /// [`Kind::Failed`] with what the CLI says.
    pub(crate) fn summary(&self) -> anyhow::Result<Summary> {
        let command = self.bundle(&["summary", "--output", "json"]);
        let what = format!("the state of target {} cannot be read", self.name);
        let finished = self.succeed_within(command, &what, SUMMARY)?;
        self.understood(&finished.stdout, &what)
    }

    fn understood<T: serde::de::DeserializeOwned>(
        &self,
        said: &str,
        what: &str,
    ) -> anyhow::Result<T> {
        serde_json::from_str(said).map_err(|error| {
            Failure::new(
                Kind::Failed,
                format!("{what}: the CLI's answer is not understood: {error}"),
            )
            .into()
        })
    }

    /// Runs a program of ours with the target's sign-in in its environment, which the CLI puts there.
    ///
    /// # Errors
    /// When the CLI cannot be started. A program that fails is no error here.
    pub(crate) fn run_signed_in(
        &self,
        program: &str,
        args: &[&str],
        on_line: impl FnMut(&str),
    ) -> anyhow::Result<Finished> {
        // Away from the checkout, where Python would import what lies there.
        let mut command = self.outlined(&["bundle", "run"])?;
        command.arg("--").arg(program).args(args);
        // Where the environment holds no token, MLflow takes the profile DEFAULT of the user's file.
        match &self.signed_in(ANSWER)?.profile {
            Some(profile) => command.env(vars::DATABRICKS_CONFIG_PROFILE, profile),
            None => command.env(vars::DATABRICKS_CONFIG_FILE, "/dev/null"),
        };
        process::run(&self.context.ui, &self.context.interrupt, command, on_line)
    }

    /// Runs the CLI, which is to succeed; it may take as long as it takes.
    fn succeed(&self, command: Command, what: &str) -> anyhow::Result<Finished> {
        self.succeed_within(command, what, Duration::MAX)
    }

    /// Runs the CLI, which is to succeed within `limit`.
    fn succeed_within(
        &self,
        command: Command,
        what: &str,
        limit: Duration,
    ) -> anyhow::Result<Finished> {
        let line = process::typed(&command);
        let Context { ui, interrupt, .. } = self.context;
        let given_up = |elapsed| elapsed > limit;
        let Some(finished) = process::run_until(ui, interrupt, command, given_up, |_| ())? else {
            let service = self.service(None);
            let why = format!("{service} did not answer within {} s", limit.as_secs());
            return Failure::new(Kind::Service, format!("{what}: {why}"))
                .details(format!("`{line}` had not ended"))
                .next("look whether the workspace answers, and call it again")
                .err();
        };
        if !finished.ok() {
            let what = format!("{what}: `{line}` ended with {}", finished.status);
            return self.failure(what, &finished).err();
        }
        Ok(finished)
    }

    /// Why the CLI failed, as it says; who is not signed in is told how to.
    fn failure(&self, what: String, finished: &Finished) -> Failure {
        // JSON on stdout is no reason.
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

    /// What one signs in to, for this target; `host` where that is known better than the bundle says.
    fn service(&self, host: Option<&str>) -> String {
        match &self.place {
            Place::Local(_) => {
                let local = self.local.as_ref();
                local.map(|local| local.url.clone()).unwrap_or_default()
            }
            Place::Databricks {
                profile: Some(profile),
                ..
            } => format!("profile {profile}"),
            Place::Databricks { host: own, .. } => {
                let in_env = self.context.env.get(vars::DATABRICKS_HOST);
                let host = host.or(own.as_deref()).or(in_env);
                signed_in::address(host.unwrap_or_default())
            }
        }
    }

    /// Whether the user has had enough.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.context.interrupt.is_set()
    }

    /// Copies a folder of the workspace tree into a new folder here.
    ///
    /// # Errors
    /// [`Kind::Failed`] with what the CLI says.
    pub(crate) fn export(&self, path: &str, folder: &Utf8Path) -> anyhow::Result<()> {
        let mut command = Command::new(&self.program);
        command.args(["workspace", "export-dir", path, folder.as_str()]);
        self.lead(&mut command);
        let what = format!("the files of {path} on {} cannot be copied", self.name);
        self.succeed(command, &what).map(drop)
    }

    /// The way of REST calls that only read. Those that change something are a [`Writer`]'s.
    pub(crate) fn transport(&self) -> Box<dyn Transport + '_> {
        Box::new(ReadOnly::new(self.whole_transport()))
    }

    /// The way of all REST calls: directly to the local workspace, else through the CLI, which alone
    /// holds the user's credentials.
    fn whole_transport(&self) -> Box<dyn Transport + '_> {
        match &self.local {
            Some(local) => Box::new(local.http.clone()),
            None => Box::new(ThroughCli::new(self)),
        }
    }

    /// The address of the target's workspace, in one form whether the bundle, a profile or the environment names it.
    pub(crate) fn host(&self) -> String {
        let local = self.local.as_ref().map(|local| local.url.clone());
        local
            .or_else(|| Some(self.signed_in.get()?.host.clone()))
            .unwrap_or_default()
    }

    /// A page's address for a person: on the local workspace, at a terminal, it signs the reader's
    /// browser in (once); everywhere else it is the address itself.
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
        let mut command = Command::new(&self.program);
        command
            .arg("bundle")
            .args(args)
            .args(["--target", &self.name]);
        command.current_dir(&self.files);
        if matches!(args.first(), Some(&("plan" | "deploy"))) {
            command.env(vars::BUNDLE_VAR_GIT_EDITS, self.edits());
        }
        self.surround(&mut command);
        let copies = match &self.aside {
            Some(Aside(folder)) => folder.clone(),
            None => self.copies(),
        };
        command.env(vars::DATABRICKS_BUNDLE_TMP, copies);
        command
    }

    /// What the files have beside their commit, for a bundle with a variable `git_edits`. Another commit's files
    /// have nothing.
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

    /// Where the CLI keeps its copy of the state of deployments: another one for each workspace, so that a target
    /// which moves to another is not taken for what it was there.
    fn copies(&self) -> Utf8PathBuf {
        match &self.place {
            Place::Local(profile) => local_workspace::copies(self.context, profile),
            Place::Databricks { .. } => {
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

    /// The bundle without its resources, in a folder of its own.
    fn outline(&self) -> anyhow::Result<&Outline> {
        if let Some(outline) = self.outline.get() {
            return Ok(outline);
        }
        let outline = Outline::of(self.context, &self.bundle)?;
        Ok(self.outline.get_or_init(|| outline))
    }

    /// Leads a command that is not one of `bundle` to the target's workspace: such a one does not read the
    /// bundle for it.
    fn lead(&self, command: &mut Command) {
        self.surround(command);
        let known = self.signed_in.get();
        let (host, profile) = match &self.place {
            Place::Local(profile) => (None, Some(profile)),
            // The CLI finds a profile by the host of a bundle, and not by that of a variable.
            Place::Databricks { host, profile } => (
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
        // Away from the bundle: the CLI looks for one in every folder above, and takes up the workspace of its
        // default target.
        command.current_dir("/");
    }

    /// Sets the environment of the CLI: our own file and nothing of the user's for a target on the
    /// local workspace; the user's for one on Databricks.
    fn surround(&self, command: &mut Command) {
        let kind = match self.local {
            Some(_) => Program::LocalBundle,
            None => Program::Bundle,
        };
        children::surround(&self.context.env, kind, command);
        if self.local.is_some() {
            command.env(
                vars::DATABRICKS_CONFIG_FILE,
                local_workspace::config_file(self.context),
            );
            // The default of 15 requests a second makes a local deployment wait for nothing.
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
