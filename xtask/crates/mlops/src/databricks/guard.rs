//! Which commands may write to a target, which files they may deploy, and which data they may delete: one
//! rule for all commands.
//!
//! A [`Target`] only reads. Changing its workspace takes a [`Writer`], which only a [`Pass`] of this module
//! creates.

mod data_loss;
mod removal;
mod source;

use xtask_remote::Transport;

use super::{Plan, Target};
use crate::context::Context;
use crate::error::Failure;
use crate::git::Git;
pub(crate) use data_loss::{Change, changes};
pub(super) use data_loss::{holds_data, removes};
pub(super) use removal::look as look_at_removal;
pub(crate) use removal::{Agreed as AgreedRemoval, Removal};

/// What a command wants to do to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Deploy the checkout.
    Deploy,
    /// Deploy the checkout, upload generated data, and train on it.
    Test,
    /// Run what is deployed.
    Run,
    /// Upload generated data.
    GeneratedData {
        /// Whether `--generated` confirmed it for a target that deploys from a branch.
        agreed: bool,
    },
    /// Remove what is deployed.
    Destroy,
    /// Change the champion.
    Promote,
}

/// Permission to write to a target for one purpose.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    target: String,
    /// The branch that the target deploys from.
    branch: Option<String>,
    commit: Option<String>,
}

/// Checks whether a command may do this to a target.
pub(crate) fn check(context: &Context, target: &str, purpose: Purpose) -> anyhow::Result<Pass> {
    let configured = context.config.targets.get(target);
    let branch = configured.and_then(|configured| configured.branch.clone());
    let commit = match (purpose, &branch) {
        (Purpose::Deploy, Some(branch)) => Some(source::check(context, target, branch)?),
        (Purpose::Test, Some(branch)) => return no_test(context, target, branch),
        (Purpose::GeneratedData { agreed: false }, Some(branch)) => {
            agree_to_generated_data(context, target, branch)?;
            None
        }
        (Purpose::Deploy | Purpose::Test, None) => {
            Git::open(context).ok().and_then(|git| git.head())
        }
        _ => None,
    };
    Ok(Pass {
        target: target.to_owned(),
        branch,
        commit,
    })
}

/// `test` would deploy any checkout, and make a champion from generated data.
fn no_test<T>(context: &Context, target: &str, branch: &str) -> anyhow::Result<T> {
    let usual = &context.config.test.integration_target;
    let what = format!(
        "`test` deploys this checkout and trains on generated data, but target {target} deploys only commits of \
         {branch}"
    );
    let failure = Failure::usage(what);
    let failure = match usual == target {
        true => {
            failure.next("name a target without a branch in xtask.toml: test.integration-target")
        }
        false => failure.next(format!("cargo xtask test --target {usual}")),
    };
    let train = &context.config.jobs.train;
    failure
        .next(format!(
            "to train there with the deployed code: cargo xtask run {train} --target {target}"
        ))
        .err()
}

fn agree_to_generated_data(context: &Context, target: &str, branch: &str) -> anyhow::Result<()> {
    let question = format!(
        "Target {target} deploys from {branch}; its jobs will read generated data. Type {target} to upload"
    );
    if context.ui.typed(&question, target)? {
        return Ok(());
    }
    Failure::failed(format!(
        "target {target} deploys from {branch}, and this would put generated data into its volume; nothing was uploaded"
    ))
        .next("to use your own data: docs/ml-developer-guide.md, \"Your own data\"")
        .next(format!(
            "to upload generated data anyway: cargo xtask data upload --target {target} --generated --yes"
        ))
        .err()
}

impl Pass {
    /// The commit to deploy; `None` if nothing is deployed, and without a commit.
    pub(crate) fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    /// The writer for the target.
    pub(crate) fn on<'t, 'a>(&self, target: &'t Target<'a>) -> anyhow::Result<Writer<'t, 'a>> {
        if self.target == target.name {
            return Ok(Writer {
                target,
                pass: self.clone(),
            });
        }
        Failure::usage(format!("{} was checked, not {}", self.target, target.name)).err()
    }
}

/// Writes to a target's workspace.
pub(crate) struct Writer<'t, 'a> {
    pub(super) target: &'t Target<'a>,
    pass: Pass,
}

/// A plan that may be applied: each deletion of data was confirmed by name.
pub(crate) struct Agreed<'p>(&'p Plan);

impl<'p> Agreed<'p> {
    pub(super) fn plan(&self) -> &'p Plan {
        self.0
    }
}

impl<'t, 'a> Writer<'t, 'a> {
    pub(crate) fn target(&self) -> &'t Target<'a> {
        self.target
    }

    /// The transport for REST calls, including those that change something.
    pub(crate) fn transport(&self) -> Box<dyn Transport + 't> {
        self.target.whole_transport()
    }

    /// Confirms each deletion of data by name: with `named` (`--delete`), or typed at the terminal. `--yes`
    /// alone is not enough.
    pub(crate) fn agree<'p>(&self, plan: &'p Plan, named: &[String]) -> anyhow::Result<Agreed<'p>> {
        let (context, target) = (self.target.context, &self.target.name);
        data_loss::agree(context, target, &changes(plan), named)?;
        Ok(Agreed(plan))
    }

    /// Accepts a plan that deletes no data, and no other, without a prompt.
    pub(crate) fn agree_without_loss<'p>(&self, plan: &'p Plan) -> anyhow::Result<Agreed<'p>> {
        data_loss::refuse(&self.target.name, &changes(plan))?;
        Ok(Agreed(plan))
    }

    /// Confirms the removal of everything.
    pub(crate) fn agree_to_removal<'r>(
        &self,
        removal: &'r Removal,
        named: &[String],
        confirmed: Option<&str>,
    ) -> anyhow::Result<removal::Agreed<'r>> {
        removal::agree(
            self.target,
            self.pass.branch.as_deref(),
            removal,
            named,
            confirmed,
        )
    }

    /// Checks that the files on disk are still those that were checked before.
    pub(super) fn check_again(&self) -> anyhow::Result<()> {
        match (&self.pass.branch, &self.pass.commit) {
            (Some(branch), Some(commit)) => {
                source::unchanged(self.target.context, &self.target.name, branch, commit)
            }
            _ => Ok(()),
        }
    }
}
