//! Who may write to a target, which files may go there, and what may end there: one rule for every command.
//!
//! A [`Target`] by itself only reads. What changes its workspace takes a [`Writer`], and only a [`Pass`] of this
//! module makes one.

mod data_loss;
mod removal;
mod source;

use xtask_remote::Transport;

use super::{Plan, Target};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::git::Git;
pub(crate) use data_loss::{Change, changes};
pub(super) use data_loss::{holds_data, removes};
pub(super) use removal::look as look_at_removal;
pub(crate) use removal::{Agreed as AgreedRemoval, Removal};

/// What a command is going to do to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Deploy the files of the checkout.
    Deploy,
    /// Deploy the files of the checkout, upload generated data, and train on them.
    Test,
    /// Run what is deployed.
    Run,
    /// Upload generated data.
    GeneratedData {
        /// Whether the command line agrees to that for a target that a branch feeds.
        agreed: bool,
    },
    /// Remove what is deployed.
    Destroy,
    /// Change which version of the model is used.
    Promote,
}

/// The permission to write to a target, for one purpose.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    target: String,
    /// The branch that feeds the target.
    branch: Option<String>,
    commit: Option<String>,
}

/// Checks whether a command may do to a target what it is going to do.
///
/// # Errors
/// [`Kind::Usage`] where that is never done to a target that a branch feeds; [`Kind::Failed`] for files that may
/// not go there, and where an agreement is missing.
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

/// `test` would deploy whatever is checked out, and make a champion with generated data.
fn no_test<T>(context: &Context, target: &str, branch: &str) -> anyhow::Result<T> {
    let usual = &context.config.test.integration_target;
    let what = format!(
        "`test` deploys the files of this checkout and trains on generated data, and target {target} gets \
         commits of {branch} only"
    );
    let failure = Failure::new(Kind::Usage, what);
    let failure = match usual == target {
        true => {
            failure.next("name a target without a branch in xtask.toml: test.integration-target")
        }
        false => failure.next(format!("cargo xtask test --target {usual}")),
    };
    let train = &context.config.jobs.train;
    failure
        .next(format!(
            "to train there with the code that is deployed: cargo xtask run {train} --target {target}"
        ))
        .err()
}

fn agree_to_generated_data(context: &Context, target: &str, branch: &str) -> anyhow::Result<()> {
    let question = format!(
        "The jobs of {target} will read generated data, and {branch} feeds it. Type {target} to upload them"
    );
    if context.ui.typed(&question, target)? {
        return Ok(());
    }
    let what = format!(
        "target {target} is fed by {branch}, and this would put generated data into its volume; nothing was uploaded"
    );
    Failure::new(Kind::Failed, what)
        .next("for data of your own: docs/ml-developer-guide.md, \"Your own data\"")
        .next(format!(
            "if generated data are right there: cargo xtask data upload --target {target} --generated"
        ))
        .err()
}

impl Pass {
    /// The commit whose files go to the target; `None` where no files go there, and without a commit.
    pub(crate) fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    /// What writes to the target.
    ///
    /// # Errors
    /// [`Kind::Usage`] for another target than the one that was checked.
    pub(crate) fn on<'t, 'a>(&self, target: &'t Target<'a>) -> anyhow::Result<Writer<'t, 'a>> {
        if self.target == target.name {
            return Ok(Writer {
                target,
                pass: self.clone(),
            });
        }
        let what = format!("{} was checked, not {}", self.target, target.name);
        Failure::new(Kind::Usage, what).err()
    }
}

/// What writes to a target's workspace.
pub(crate) struct Writer<'t, 'a> {
    pub(super) target: &'t Target<'a>,
    pass: Pass,
}

/// A plan that may be applied: no data end by it that nobody has named.
pub(crate) struct Agreed<'p>(&'p Plan);

impl<'p> Agreed<'p> {
    pub(super) fn plan(&self) -> &'p Plan {
        self.0
    }
}

impl<'t, 'a> Writer<'t, 'a> {
    /// The target.
    pub(crate) fn target(&self) -> &'t Target<'a> {
        self.target
    }

    /// The way of REST calls, for those that change something, too.
    pub(crate) fn transport(&self) -> Box<dyn Transport + 't> {
        self.target.whole_transport()
    }

    /// Has each end of data agreed to by its name: by `named` (`--delete`), or typed at the terminal. `--yes` alone
    /// is no agreement.
    ///
    /// # Errors
    /// [`Kind::Failed`] when one was not.
    pub(crate) fn agree<'p>(&self, plan: &'p Plan, named: &[String]) -> anyhow::Result<Agreed<'p>> {
        let (context, target) = (self.target.context, &self.target.name);
        data_loss::agree(context, target, &changes(plan), named)?;
        Ok(Agreed(plan))
    }

    /// Agrees to a plan by which no data end, and to no other; nothing is asked.
    ///
    /// # Errors
    /// [`Kind::Failed`] with what would end.
    pub(crate) fn agree_without_loss<'p>(&self, plan: &'p Plan) -> anyhow::Result<Agreed<'p>> {
        data_loss::refuse(&self.target.name, &changes(plan))?;
        Ok(Agreed(plan))
    }

    /// Has the removal of everything agreed to.
    ///
    /// # Errors
    /// [`Kind::Failed`] when names are missing; [`Kind::Interrupted`] when the answer was no.
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

    /// Whether the files on disk are still those that were checked.
    ///
    /// # Errors
    /// [`Kind::Failed`] when the target takes commits of a branch only, and files have changed since.
    pub(super) fn check_again(&self) -> anyhow::Result<()> {
        match (&self.pass.branch, &self.pass.commit) {
            (Some(branch), Some(commit)) => {
                source::unchanged(self.target.context, &self.target.name, branch, commit)
            }
            _ => Ok(()),
        }
    }
}
