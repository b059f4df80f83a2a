//! What each part of the tests depends on, and whether that changed since its last success.

use camino::{Utf8Path, Utf8PathBuf};
use serde::de::DeserializeOwned;

use crate::bundle;
use crate::context::Context;
use crate::fingerprint::{Inputs, Verdict, look};
use crate::git::Git;
use crate::local_workspace;
use crate::results::{Integration, Unit};
use crate::vars;
use crate::words::ago;
use xtask_remote::Timestamp;

/// A part of the tests: what it depends on, and its earlier result where nothing changed.
pub(super) struct Work<T> {
    /// What it depends on.
    pub(super) inputs: Inputs,
    /// Where its success is remembered.
    pub(super) memory: Utf8PathBuf,
    /// The earlier result, when it still holds.
    pub(super) cached: Option<T>,
    /// Why it runs, or since when nothing changed.
    pub(super) reason: String,
}

/// The project's files, listed once for all parts.
pub(super) struct Found {
    files: Vec<Utf8PathBuf>,
}

impl Found {
    pub(super) fn look(context: &Context) -> anyhow::Result<Found> {
        Ok(Found {
            files: Git::open(context)?.files()?,
        })
    }

    /// The unit tests depend on the project's files, without the tool and the prose.
    pub(super) fn unit(&self, context: &Context, force: bool) -> anyhow::Result<Work<Unit>> {
        let mut inputs = Inputs::default();
        let files = self.files.iter().map(Utf8PathBuf::as_path);
        inputs.files(
            &context.root,
            files.filter(|file| !is_tool(file) && !is_prose(file)),
        )?;
        work(context, inputs, "unit", force)
    }

    /// The integration test depends on the tool as well (its workspace runs the notebooks), on the
    /// target, and on the workspace that holds its result.
    pub(super) fn integration(
        &self,
        context: &Context,
        target: &str,
        force: bool,
    ) -> anyhow::Result<Work<Integration>> {
        let mut inputs = Inputs::default();
        let files = self.files.iter().map(Utf8PathBuf::as_path);
        inputs.files(&context.root, files.filter(|file| !is_prose(file)))?;
        inputs.fact("target", target);
        let variables = context.env.variables();
        for (name, value) in variables.filter(|(name, _)| name.starts_with(vars::BUNDLE_VARIABLES))
        {
            inputs.fact(name, value);
        }
        // A reset makes a new token, and takes the models of earlier runs with it. The first run
        // makes the first one: it is looked at again when the success is remembered.
        inputs.fact(WORKSPACE, &workspace_of(context, target));
        work(context, inputs, &format!("integration-{target}"), force)
    }
}

/// Name of the fact that tells one local workspace from the next.
const WORKSPACE: &str = "the local workspace";

/// Brings the fact about the local workspace up to date, once it surely exists.
pub(super) fn settle(context: &Context, inputs: &Inputs, target: &str) -> Inputs {
    let mut inputs = inputs.clone();
    inputs.fact(WORKSPACE, &workspace_of(context, target));
    inputs
}

/// What tells the local workspace of a target from the next one in its place.
fn workspace_of(context: &Context, target: &str) -> String {
    let place = bundle::workspace(context, target).ok();
    let token = place.as_ref().and_then(|place| {
        let state = local_workspace::state_folder(context, place.local()?);
        fs_err::read(state.join("token")).ok()
    });
    xtask_remote::sha256(&token.unwrap_or_default())
}

fn work<T: DeserializeOwned>(
    context: &Context,
    inputs: Inputs,
    name: &str,
    force: bool,
) -> anyhow::Result<Work<T>> {
    let memory = context.local().join("cache").join(format!("{name}.json"));
    let (cached, reason) = match look::<T>(&memory, &inputs) {
        _ if context.env.ci => (None, "CI skips nothing".to_owned()),
        _ if force => (None, "--force".to_owned()),
        Verdict::Unchanged { result, when } => {
            (Some(result), ago(&when.to_string(), Timestamp::now()))
        }
        Verdict::Needed(reason) => (None, reason),
    };
    Ok(Work {
        inputs,
        memory,
        cached,
        reason,
    })
}

fn is_tool(file: &Utf8Path) -> bool {
    file.starts_with("xtask")
        || file.starts_with(".cargo")
        || matches!(file.as_str(), "Cargo.toml" | "Cargo.lock" | "clippy.toml")
}

fn is_prose(file: &Utf8Path) -> bool {
    file.extension() == Some("md")
        || file.starts_with("docs")
        || file.starts_with(".github")
        || file.as_str() == "LICENSE"
}
