//! The Databricks CLI, as domain verbs on a target of the bundle.

mod aside;
mod changes;
mod deploying;
pub(crate) mod guard;
mod plan;
mod summary;
mod through_cli;
mod versions;
mod words;

use std::process::Command;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use xtask_remote::{ReadOnly, Transport};

use crate::bundle::{self, Place};
use crate::children::{self, Program};
use crate::context::Context;
use crate::error::{self, Failure, Kind};
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
pub(crate) use summary::Summary;
use through_cli::ThroughCli;
use versions::Versions;

/// One target of the bundle, and the workspace it lives on.
pub(crate) struct Target<'a> {
    /// Its name.
    pub(crate) name: String,
    /// The local workspace, where the target lives on it.
    pub(crate) local: Option<LocalWorkspace>,
    place: Place,
    context: &'a Context,
    program: Utf8PathBuf,
    /// Where the CLI keeps its copy of the state, if not with the bundle.
    aside: Option<Aside>,
    /// The folder with the bundle's files.
    files: Utf8PathBuf,
    edits: OnceLock<String>,
}

impl<'a> Target<'a> {
    /// A target, with its workspace answering: the local one is started where it does not run.
    ///
    /// # Errors
    /// When the bundle does not know the target, or the local workspace cannot be started.
    pub(crate) fn open(
        context: &'a Context,
        toolbox: &Toolbox,
        name: &str,
    ) -> anyhow::Result<Target<'a>> {
        let place = bundle::place(&context.root, &context.config, name)?;
        let start = |profile| local_workspace::start(context, toolbox, profile, Mode::default());
        let local = place.local().map(start).transpose()?;
        Ok(Target {
            name: name.to_owned(),
            local,
            place,
            context,
            program: toolbox.databricks.clone(),
            aside: None,
            files: context.root.clone(),
            edits: OnceLock::new(),
        })
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
        }
    }

    /// The same target, by the bundle's files in another folder: those of another commit.
    #[must_use]
    pub(crate) fn with_files_in(mut self, folder: Utf8PathBuf) -> Target<'a> {
        self.files = folder;
        self
    }

    /// Checks the bundle.
    ///
    /// # Errors
    /// [`Kind::Failed`] with what the CLI says; warnings fail as well.
    pub(crate) fn validate(&self) -> anyhow::Result<()> {
        let command = self.bundle(&["validate", "--strict"]);
        let what = format!("the bundle is not valid for target {}", self.name);
        self.succeed(command, &what).map(drop)
    }

    /// What a deployment would change, one line each, as the CLI words it.
    ///
    /// # Errors
    /// [`Kind::Failed`] with what the CLI says.
    pub(crate) fn plan(&self) -> anyhow::Result<Vec<String>> {
        let command = self.bundle(&["plan"]);
        let what = format!("the deployment to {} cannot be planned", self.name);
        let finished = self.succeed(command, &what)?;
        Ok(finished
            .stdout
            .lines()
            .map(str::to_owned)
            .filter(|line| !line.is_empty())
            .collect())
    }

    /// The bundle's resources with their ids and pages.
    ///
    /// # Errors
    /// [`Kind::Failed`] with what the CLI says.
    pub(crate) fn summary(&self) -> anyhow::Result<Summary> {
        let command = self.bundle(&["summary", "--output", "json"]);
        let what = format!("the state of target {} cannot be read", self.name);
        let finished = self.succeed(command, &what)?;
        serde_json::from_str(&finished.stdout).map_err(|error| {
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
        let mut command = Command::new(&self.program);
        command.args(["bundle", "run", "--target", &self.name, "--", program]);
        command.args(args).current_dir(&self.context.root);
        self.surround(&mut command);
        process::run(&self.context.ui, &self.context.interrupt, command, on_line)
    }

    /// Runs the CLI, which is to succeed.
    fn succeed(&self, command: Command, what: &str) -> anyhow::Result<Finished> {
        let line = process::typed(&command);
        let Context { ui, interrupt, .. } = self.context;
        let finished = process::run(ui, interrupt, command, |_| ())?;
        if !finished.ok() {
            let what = format!("{what}: `{line}` ended with {}", finished.status);
            return self.failure(what, &finished).err();
        }
        Ok(finished)
    }

    /// Why the CLI failed, as it says; who is not signed in is told how to.
    fn failure(&self, what: String, finished: &Finished) -> Failure {
        let failure = |kind| Failure::new(kind, what).details(&finished.tail);
        match words::asks_to_sign_in(&finished.tail) {
            true => failure(Kind::SignedOut).next(error::sign_in(&self.service())),
            false => failure(Kind::Failed),
        }
    }

    /// What one signs in to, for this target.
    fn service(&self) -> String {
        match &self.place {
            Place::Local(_) => {
                let local = self.local.as_ref();
                local.map(|local| local.url.clone()).unwrap_or_default()
            }
            Place::Databricks {
                profile: Some(profile),
                ..
            } => format!("profile {profile}"),
            Place::Databricks { host, .. } => host.clone().unwrap_or_default(),
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

    /// The address of the target's workspace: the local one's, or as the bundle and the user's
    /// authentication say.
    pub(crate) fn host(&self, summary: &Summary) -> String {
        let local = self.local.as_ref().map(|local| local.url.clone());
        local
            .or_else(|| summary.workspace.host.clone())
            .unwrap_or_default()
            .trim_end_matches('/')
            .to_owned()
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
        if let Some(Aside(folder)) = &self.aside {
            command.env("DATABRICKS_BUNDLE_TMP", folder);
        }
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

    /// Leads a command that is not one of `bundle` to the target's workspace: such a one does not read the
    /// bundle for it.
    fn lead(&self, command: &mut Command) {
        self.surround(command);
        let (host, profile) = match &self.place {
            Place::Local(profile) => (None, Some(profile)),
            Place::Databricks { host, profile } => (host.as_ref(), profile.as_ref()),
        };
        if let Some(profile) = profile {
            command.args(["--profile", profile]);
        }
        if let Some(host) = host {
            command.env("DATABRICKS_HOST", host);
        }
        // Away from the bundle, whose default target would add a host of its own.
        command.current_dir(self.context.local());
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
        let cache = self.context.local().join("cache").join("databricks");
        command.env(vars::DATABRICKS_CACHE_DIR, cache);
        command.env("DATABRICKS_CLI_DISABLE_TELEMETRY", "1");
        command.env("DATABRICKS_CLI_DISABLE_UPDATE_CHECK", "1");
    }
}
