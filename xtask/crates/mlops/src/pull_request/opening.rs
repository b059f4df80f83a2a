//! Opens a pull request exactly once, even if the reply is lost or another command opens it at the same
//! time.

use std::time::Duration;

use xtask_remote::Error;
use xtask_remote::github::GitHub;
use xtask_remote::github::pulls::{self, Change, New, Pull};
use xtask_remote::github::repositories::Name;

use super::block;
use crate::context::Context;
use crate::ui::seconds;

/// Maximum attempts; each but the first looks for an existing one.
const ATTEMPTS: usize = 3;

/// A pull request to open.
pub(crate) struct Opening<'a> {
    pub(crate) context: &'a Context,
    pub(crate) github: &'a GitHub,
    /// The base repository.
    pub(crate) into: &'a Name,
    /// The head repository.
    pub(crate) from: &'a Name,
    pub(crate) branch: &'a str,
    /// Its content.
    pub(crate) new: New<'a>,
    /// Our part of the description. If set, a pull request that was opened in the meantime keeps its title
    /// and text; else it is overwritten.
    pub(crate) keeping: Option<&'a str>,
    /// Makes the failure if it was not opened.
    pub(crate) refused: &'a dyn Fn(&Error) -> anyhow::Error,
}

impl Opening<'_> {
    /// Opens it, or returns the existing one that matches `is_it`, after a lost reply or a concurrent
    /// command.
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

    /// Updates an existing one with our title and description.
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
            let text = format!("{} (requested by GitHub)", seconds(wait));
            self.context.ui.status("Waiting", &text);
        }
        self.context.interrupt.sleep(wait);
        self.context.interrupt.check()
    }
}
