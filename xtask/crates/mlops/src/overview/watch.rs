//! Looks again and again until the checks of one commit have ended.
//!
//! It is pinned to the commit that it sees; a new push is told and followed. It ends only when every
//! required check is there and has ended: just after a push GitHub knows of none, and a workflow that is
//! late must not be missed.

use std::time::{Duration, Instant};

use xtask_remote::Timestamp;

use super::facts::{CheckState, Facts, GitHub, Verdict};
use super::{Known, Looker, screen};
use crate::context::Context;
use crate::git::Git;
use crate::ui::{Canvas, Tone};
use crate::words::{length, short};

/// The pause between two looks: short after a change, longer and longer where nothing happens.
const SOONEST: Duration = Duration::from_secs(3);
const LATEST: Duration = Duration::from_secs(30);
/// The pause once GitHub has few answers left for this hour.
const SPARING: Duration = Duration::from_secs(60);
const FEW: u64 = 200;
/// How long checks may take to appear after a push.
const GRACE: Duration = Duration::from_secs(45);
/// How long all checks must have ended before nothing more is expected, where no rule says which there
/// must be.
const SETTLED: Duration = Duration::from_secs(10);
/// How often in a row GitHub may not answer.
const PATIENCE: u32 = 6;
/// How old what is shown of the environments may become.
const ENVIRONMENTS: Duration = Duration::from_secs(60);

/// What comes after a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Wait,
    End,
}

/// What is known from earlier looks.
struct Watch {
    sha: Option<String>,
    since: Instant,
    complete_since: Option<Instant>,
    states: Vec<(String, CheckState)>,
    pause: Duration,
    failures: u32,
}

/// Looks until the checks have ended: what was seen last, and whether GitHub answered then.
pub(crate) fn to_the_end(
    context: &Context,
    git: &Git,
    until: Option<Instant>,
    fail_fast: bool,
    with_environments: bool,
) -> anyhow::Result<(Facts, bool)> {
    let mut looker = Looker::new(context, git, true);
    let mut watch = Watch::new();
    let canvas = context.ui.canvas();
    let mut environments_at = Instant::now();
    let none = || (!with_environments).then(Vec::new);
    let mut facts = looker.look(none(), |part, facts| {
        if let (Some(canvas), Known::Branch) = (canvas.as_ref(), part) {
            let lines = screen::local(&context.ui, canvas.size().0, facts);
            canvas.paint(&lines, &context.ui.paint("looking …", Tone::Dim));
        }
    })?;
    loop {
        context.interrupt.check()?;
        watch.tell_changes(context, canvas.as_ref(), &facts);
        if watch.next(&facts, fail_fast) == Next::End {
            break;
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
        let pause = watch.pause(looker.rate(), looker.asked_wait());
        let pause = until.map_or(pause, |until| {
            pause.min(until.saturating_duration_since(Instant::now()))
        });
        wait(context, canvas.as_ref(), &facts, pause)?;
        let environments = match environments_at.elapsed() < ENVIRONMENTS {
            true => Some(std::mem::take(&mut facts.environments)),
            false => {
                environments_at = Instant::now();
                none()
            }
        };
        facts = looker.look(environments, |_, _| ())?;
    }
    Ok((facts, watch.failures == 0))
}

/// Waits for the next look. The picture is painted anew when the terminal's size changes, and each
/// second for its clock.
fn wait(
    context: &Context,
    canvas: Option<&Canvas>,
    facts: &Facts,
    pause: Duration,
) -> anyhow::Result<()> {
    let until = Instant::now() + pause;
    let mut painted: Option<((usize, usize), u64)> = None;
    while Instant::now() < until {
        let left = until.saturating_duration_since(Instant::now());
        if let Some(canvas) = canvas {
            let now = (canvas.size(), left.as_secs());
            if painted != Some(now) {
                paint(context, canvas, facts, left);
                painted = Some(now);
            }
        }
        if !context
            .interrupt
            .sleep(left.min(Duration::from_millis(100)))
        {
            context.interrupt.check()?;
        }
    }
    Ok(())
}

fn paint(context: &Context, canvas: &Canvas, facts: &Facts, left: Duration) {
    let (columns, _) = canvas.size();
    let lines = screen::whole(&context.ui, Some(columns), facts, Timestamp::now());
    let sha = facts
        .github
        .as_ref()
        .and_then(|github| github.sha.as_deref());
    let watched = sha.map_or("the branch".to_owned(), |sha| short(sha).to_owned());
    let footer = format!(
        "watching {watched} · next look in {} · Ctrl-C ends",
        length(left.as_secs() + 1)
    );
    canvas.paint(&lines, &context.ui.paint(&footer, Tone::Dim));
}

impl Watch {
    fn new() -> Watch {
        Watch {
            sha: None,
            since: Instant::now(),
            complete_since: None,
            states: Vec::new(),
            pause: SOONEST,
            failures: 0,
        }
    }

    /// Takes notice of what is new. Where nothing can be repainted, each change is a line.
    fn tell_changes(&mut self, context: &Context, canvas: Option<&Canvas>, facts: &Facts) {
        let ui = &context.ui;
        let Some(github) = &facts.github else {
            self.failures += 1;
            if let (None, Some(unknown)) = (canvas, facts.unknown.first()) {
                ui.status_toned("Unknown", &unknown.reason, Tone::Warning);
            }
            return;
        };
        self.failures = 0;
        if self.sha != github.sha {
            if canvas.is_none() {
                let sha = github.sha.as_deref().map_or("no commit", short);
                let verb = if self.sha.is_some() {
                    "New push"
                } else {
                    "Watching"
                };
                ui.status(verb, sha);
            }
            self.sha.clone_from(&github.sha);
            self.since = Instant::now();
            self.states.clear();
            self.pause = SOONEST;
        }
        let states: Vec<(String, CheckState)> = github
            .checks
            .iter()
            .map(|check| (check.label.clone(), check.state))
            .collect();
        if states != self.states {
            for check in &github.checks {
                let known = self.states.contains(&(check.label.clone(), check.state));
                if canvas.is_none() && !known {
                    tell(context, check);
                }
            }
            self.states = states;
            self.pause = SOONEST;
            self.complete_since = None;
        }
    }

    /// Whether the checks of this commit have ended.
    fn next(&mut self, facts: &Facts, fail_fast: bool) -> Next {
        let Some(github) = &facts.github else {
            // What will not change by waiting ends at once.
            return match facts.may_answer_later && self.failures < PATIENCE {
                true => Next::Wait,
                false => Next::End,
            };
        };
        if is_behind_the_push(facts, github) && self.since.elapsed() < GRACE {
            return Next::Wait;
        }
        if github.sha.is_none() {
            return Next::End;
        }
        let closed = github
            .pull_request
            .as_ref()
            .is_some_and(|pull| pull.state != "open");
        let any_pending = github
            .deciding()
            .any(|check| check.state == CheckState::Pending)
            || !github.missing.is_empty();
        match facts.verdict {
            Verdict::Failed if fail_fast || closed || !any_pending => Next::End,
            _ if closed => Next::End,
            Verdict::Failed | Verdict::Pending | Verdict::Unknown => {
                self.complete_since = None;
                Next::Wait
            }
            Verdict::Nothing if self.since.elapsed() < GRACE => Next::Wait,
            Verdict::Nothing => Next::End,
            Verdict::Passed => {
                let since = *self.complete_since.get_or_insert_with(Instant::now);
                let settled = github.has_required()
                    || since.elapsed() >= SETTLED
                    || github.ended_long_ago(Timestamp::now());
                if settled { Next::End } else { Next::Wait }
            }
        }
    }

    fn pause(&mut self, left: Option<u64>, asked: Option<Duration>) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 3 / 2).min(LATEST);
        let sparing = match left {
            Some(left) if left < FEW => SPARING,
            _ => Duration::ZERO,
        };
        pause.max(sparing).max(asked.unwrap_or_default())
    }
}

/// Whether the clone has pushed a commit that GitHub does not show yet.
fn is_behind_the_push(facts: &Facts, github: &GitHub) -> bool {
    let is_pushed = facts.branch.pushed == Some(true) && facts.branch.behind.unwrap_or(0) == 0;
    is_pushed && github.sha != facts.branch.head
}

fn tell(context: &Context, check: &super::facts::Check) {
    let took = check
        .seconds
        .map(|seconds| format!("  {}", length(seconds)))
        .unwrap_or_default();
    let (verb, tone) = match check.state {
        CheckState::Passed => ("Passed", Tone::Good),
        CheckState::Failed => ("Failed", Tone::Bad),
        CheckState::Pending => ("Pending", Tone::Warning),
        CheckState::Skipped => ("Skipped", Tone::Dim),
    };
    context
        .ui
        .status_toned(verb, &format!("{}{took}", check.label), tone);
}

#[cfg(test)]
mod tests;
