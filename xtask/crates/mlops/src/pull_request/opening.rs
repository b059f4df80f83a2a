//! Opening a pull request exactly once, whatever becomes of the reply and whoever else opens it meanwhile.

use std::time::Duration;

use xtask_remote::Error;
use xtask_remote::github::GitHub;
use xtask_remote::github::pulls::{self, Change, New, Pull};
use xtask_remote::github::repositories::Name;

use super::block;
use crate::context::Context;
use crate::ui::seconds;

/// Attempts in all; each but the first looks before.
const ATTEMPTS: usize = 3;

/// A pull request that is to be there.
pub(crate) struct Opening<'a> {
    pub(crate) context: &'a Context,
    pub(crate) github: &'a GitHub,
    /// The repository that it goes to.
    pub(crate) into: &'a Name,
    /// The repository that its branch is in.
    pub(crate) from: &'a Name,
    /// The branch.
    pub(crate) branch: &'a str,
    /// What it is opened with.
    pub(crate) new: New<'a>,
    /// Our part of the description, where one that somebody else opened meanwhile keeps its title and what a
    /// person wrote into it; else it gets ours.
    pub(crate) keeping: Option<&'a str>,
    /// Says why it was not opened, and what to do.
    pub(crate) refused: &'a dyn Fn(&Error) -> anyhow::Error,
}

impl Opening<'_> {
    /// Opens it, or takes the one that is there and that `is_it`: a lost reply and somebody quicker end in
    /// the same place.
    ///
    /// # Errors
    /// What `refused` makes of GitHub's last word; Ctrl-C.
    pub(crate) fn open(&self, is_it: impl Fn(&Pull) -> bool) -> anyhow::Result<Pull> {
        let mut attempt = 1;
        loop {
            let error = match pulls::open(self.github, self.into, &self.new) {
                Ok(pull) => return Ok(pull),
                Err(error) => error,
            };
            let may_be_there = pulls::already_exists(&error) || error.leaves_open();
            let limited = matches!(error, Error::Limited { .. });
            if !may_be_there && !limited {
                return Err((self.refused)(&error));
            }
            self.wait(&error)?;
            let found = pulls::of_branch(self.github, self.into, self.from, self.branch)?;
            let mut open = found.into_iter().filter(Pull::is_open);
            if let Some(pull) = open.find(|pull| is_it(pull)) {
                return self.as_wanted(pull);
            }
            attempt += 1;
            if attempt > ATTEMPTS {
                return Err((self.refused)(&error));
            }
        }
    }

    /// One that is there, with the title and description that it was to be opened with.
    fn as_wanted(&self, pull: Pull) -> anyhow::Result<Pull> {
        let New {
            mut title, body, ..
        } = self.new;
        let mut body = body.to_owned();
        if let Some(ours) = self.keeping {
            title = &pull.title;
            body = block::joined(pull.body.as_deref().unwrap_or_default(), ours);
        }
        let change = Change {
            title: (pull.title != title).then_some(title),
            body: (pull.body.as_deref() != Some(body.as_str())).then_some(body.as_str()),
            ..Change::default()
        };
        Ok(pulls::change(self.github, self.into, pull.number, &change)?)
    }

    fn wait(&self, error: &Error) -> anyhow::Result<()> {
        let wait = error.wait().unwrap_or(Duration::from_secs(1));
        if wait > xtask_remote::PATIENCE {
            return Err((self.refused)(error));
        }
        if wait.as_secs() > 1 {
            let text = format!("{}, as GitHub asks", seconds(wait));
            self.context.ui.status("Waiting", &text);
        }
        self.context.interrupt.sleep(wait);
        self.context.interrupt.check()
    }
}
