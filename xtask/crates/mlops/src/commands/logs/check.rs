//! The whole log of a check of this branch.

use xtask_remote::Error;

use crate::check_log;
use crate::checks::Checks;
use crate::context::Context;
use crate::error::Failure;

/// Shows the log as plain text: what it says to a terminal is not obeyed.
pub(super) fn show(context: &Context, name: &str) -> anyhow::Result<()> {
    let progress = context
        .ui
        .progress("Asking", "GitHub for the checks of this branch");
    let checks = Checks::of_this_branch(context)?;
    let check = checks.find(name)?;
    let Some(job) = check.job_id else {
        let what = format!("the check {} keeps no log on GitHub Actions", check.label);
        let page = check
            .url
            .clone()
            .unwrap_or_else(|| checks.github.url.clone());
        return Failure::usage(what).next(page).err();
    };
    progress.message(format!("GitHub for the log of {}", check.label));
    let log = checks.log(context, job);
    progress.clear();
    match log {
        Ok(log) => {
            context.ui.page(&check_log::plain(&log));
            Ok(())
        }
        Err(error) if error.is_not_found() => {
            let what = format!("GitHub has no log of {}: {}", check.label, check.word);
            let why = "a job has a log once it has ended, for as long as the repository keeps logs";
            Failure::usage(what)
                .details(why)
                .next("cargo xtask status --watch")
                .err()
        }
        Err(Error::Refused { status: 410, .. }) => {
            Failure::usage(format!("the log of {} is deleted", check.label))
                .next("cargo xtask rerun --failed")
                .err()
        }
        Err(error) => Err(error.into()),
    }
}
