//! The checks of the pull request, followed until they are done.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use xtask_remote::github::checks::{self, Check, State};
use xtask_remote::github::pulls;
use xtask_remote::github::repositories::{self, Name};

use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::github::Connection;
use crate::ui::{Tone, safe_line, seconds};

/// How long nothing may be seen before there is nothing to follow: GitHub starts checks some seconds
/// after a push.
const GRACE: Duration = Duration::from_secs(90);
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(10);
/// The same where GitHub runs on this machine.
const LOCAL_PAUSE: Duration = Duration::from_secs(1);

/// What is followed.
pub(super) struct Followed<'a> {
    pub(super) connection: &'a Connection,
    pub(super) into: &'a Name,
    pub(super) base: &'a str,
    pub(super) number: u64,
    /// Whether any workflow is known to start for it.
    pub(super) expects: bool,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// Every check is good.
    Passed,
    /// One is not.
    Failed,
    /// There was nothing to follow.
    None,
}

/// Follows the checks of the newest commit, also when another one is pushed meanwhile.
///
/// # Errors
/// What GitHub says; Ctrl-C, which ends the following and nothing else.
pub(super) fn to_the_end(context: &Context, followed: &Followed<'_>) -> anyhow::Result<Verdict> {
    let github = &followed.connection.github;
    let required = required(context, followed)?;
    let pause = match github.address().is_local() {
        true => LOCAL_PAUSE,
        false => PAUSE,
    };
    let mut watch = Watch::start(context, required);
    loop {
        let pull = pulls::get(github, followed.into, followed.number)?;
        if !pull.is_open() {
            return Ok(Verdict::None);
        }
        let found = checks::of_commit(github, followed.into, &pull.head.sha)?;
        if let Some(verdict) = watch.look(&pull.head.sha, &found, followed.expects) {
            return Ok(verdict);
        }
        if !context.interrupt.sleep(pause) {
            return Failure::new(
                Kind::Interrupted,
                "no longer followed; the pull request stays, and its checks run on",
            )
            .next(pull.html_url)
            .err();
        }
    }
}

fn required(context: &Context, followed: &Followed<'_>) -> anyhow::Result<Vec<String>> {
    let github = &followed.connection.github;
    let mut required = repositories::required_checks(github, followed.into, followed.base)?;
    if let Some((_, target)) = context.config.target_of(followed.base) {
        required.extend(target.checks.iter().cloned());
    }
    required.sort();
    required.dedup();
    Ok(required)
}

/// What was seen so far.
struct Watch<'c> {
    context: &'c Context,
    required: Vec<String>,
    sha: String,
    since: Instant,
    said: BTreeMap<String, State>,
    progress: crate::ui::Progress,
}

impl<'c> Watch<'c> {
    fn start(context: &'c Context, required: Vec<String>) -> Watch<'c> {
        Watch {
            context,
            required,
            sha: String::new(),
            since: Instant::now(),
            said: BTreeMap::new(),
            progress: context.ui.progress(
                "Following",
                "the checks; Ctrl-C ends the following, not the checks",
            ),
        }
    }

    /// Says what is new; `Some` when all is done.
    fn look(&mut self, sha: &str, found: &[Check], expects: bool) -> Option<Verdict> {
        if self.sha != sha {
            if !self.sha.is_empty() {
                let what = format!("commit {}, pushed meanwhile", super::survey::short(sha));
                self.context.ui.status("Following", &what);
            }
            (self.sha, self.since) = (sha.to_owned(), Instant::now());
            self.said.clear();
        }
        for check in found {
            self.say(check);
        }
        let pending = found.iter().filter(|check| check.state == State::Pending);
        let is_there = |name: &&String| found.iter().any(|check| check.name == **name);
        let missing = self.required.iter().filter(|name| !is_there(name)).count();
        let open = pending.count();
        self.progress.message(format!(
            "{} of {} checks done",
            found.len() - open,
            found.len() + missing
        ));
        let waited = self.since.elapsed() > GRACE;
        let nothing = found.is_empty() && (waited || !expects && self.required.is_empty());
        match () {
            () if nothing => Some(Verdict::None),
            // A required check that does not come is somebody's workflow with a filter: others decide.
            () if open > 0 || missing > 0 && !waited => None,
            () if found.iter().any(|check| check.state == State::Failed) => Some(Verdict::Failed),
            () => Some(Verdict::Passed),
        }
    }

    fn say(&mut self, check: &Check) {
        let before = self.said.insert(check.name.clone(), check.state);
        if before == Some(check.state) {
            return;
        }
        let name = safe_line(&check.name);
        let took = seconds(self.since.elapsed());
        let ui = &self.context.ui;
        match check.state {
            State::Pending => {}
            State::Passed => ui.status("Passed", &format!("{name} {}", ui.paint(&took, Tone::Dim))),
            State::Skipped => ui.status_toned("Skipped", &name, Tone::Dim),
            State::Failed => {
                let url = check.url.as_deref().unwrap_or_default();
                let word = safe_line(&check.word);
                let url = safe_line(url);
                ui.status_toned("Failed", &format!("{name} ({word}) {url}"), Tone::Bad);
            }
        }
    }
}
