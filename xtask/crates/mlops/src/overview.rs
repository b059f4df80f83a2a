//! An overview: the branch, its pull request and checks, and the environments; looked at, shown, watched.
//!
//! The local part comes first; GitHub and every target are asked side by side, each with a deadline.

mod deployed;
mod drift;
mod drift_screen;
mod environment_screen;
mod environments;
mod facts;
mod links_screen;
mod rows;
mod screen;
mod state_paths;
mod watch;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use xtask_remote::Timestamp;

use crate::checks::remote_side::{Look, RemoteSide};
use crate::checks::{branch, logs, pull_request};
use crate::context::Context;
use crate::error::{self, Failure};
use crate::git::Git;
use crate::ui::safe_line;
use environments::Look as Environments;
use facts::{Branch, Environment, Facts, GitHub, Unknown, VERSION, Verdict};
use rows::Rows;
pub(crate) use watch::to_the_end;

/// What a part of the look came to, as it arrives.
enum Part {
    GitHub(Box<Result<GitHub, NoGitHub>>),
    Environment(usize, Box<Environment>),
}

/// What is known by now, in the order of the screen; of GitHub and environments, with what is still asked.
enum Known<'a> {
    Branch,
    GitHub(&'static str),
    Environments(&'a [Environment], &'static str),
    Everything,
}

/// How long environments that have answered wait for the next one, to be shown together and in their order.
const TOGETHER: Duration = Duration::from_millis(700);
/// How long they wait for GitHub, which stands above them.
const FOR_GITHUB: Duration = Duration::from_secs(2);

/// Looks once, and shows each part as it arrives where it is `wanted`.
pub(crate) fn look(
    context: &Context,
    git: &Git,
    drift: bool,
    wanted: bool,
) -> anyhow::Result<Facts> {
    let mut shown = Shown::new(context, context.ui.columns(), wanted);
    let mut looker = Looker::new(context, git, drift);
    let facts = looker.look(None, |part, facts| shown.more(part, facts))?;
    context.interrupt.check()?;
    Ok(facts)
}

/// All of it, as lines of the terminal's width.
pub(crate) fn lines(context: &Context, facts: &Facts) -> Vec<String> {
    let ui = &context.ui;
    screen::whole(ui, ui.columns(), facts, Timestamp::now())
}

/// Follows the checks of the branch until they have ended, and leaves them on the screen with the failing
/// part of each.
pub(crate) fn follow(context: &Context, git: &Git) -> anyhow::Result<Verdict> {
    let (facts, _) = watch::to_the_end(context, git, None, false, false)?;
    for line in lines(context, &facts) {
        context.ui.line(&line);
    }
    match facts.verdict {
        Verdict::Unknown => ended(&facts).map(|()| Verdict::Unknown),
        verdict => Ok(verdict),
    }
}

/// The end of a command whose code tells how the checks stand.
pub(crate) fn ended(facts: &Facts) -> anyhow::Result<()> {
    let again = "cargo xtask status --watch";
    match facts.verdict {
        Verdict::Passed => Ok(()),
        Verdict::Failed => Failure::failed("checks failed")
            .next("cargo xtask rerun --failed")
            .err(),
        Verdict::Pending => Failure::pending("checks have not ended").next(again).err(),
        Verdict::Nothing => Failure::nothing("there are no checks for this branch").err(),
        Verdict::Unknown => {
            let unknown = facts
                .unknown
                .iter()
                .find(|unknown| unknown.what == "github");
            let reason = unknown.map_or("GitHub did not answer", |unknown| &unknown.reason);
            let failure = Failure::service(reason);
            let next = unknown.and_then(|unknown| unknown.next.clone());
            failure.next(next.unwrap_or_else(|| again.to_owned())).err()
        }
    }
}

/// Looks at everything, once or again and again.
struct Looker<'a> {
    context: &'a Context,
    git: &'a Git,
    /// Whether the drift of targets on Databricks is asked.
    drift: bool,
    side: Option<RemoteSide>,
}

impl<'a> Looker<'a> {
    fn new(context: &'a Context, git: &'a Git, drift: bool) -> Looker<'a> {
        Looker {
            context,
            git,
            drift,
            side: None,
        }
    }

    /// How many answers GitHub has left for this hour.
    fn rate(&self) -> Option<u64> {
        self.side.as_ref()?.rate
    }

    /// How long GitHub asked to wait.
    fn asked_wait(&self) -> Option<std::time::Duration> {
        self.side.as_ref()?.asked_wait
    }

    /// Looks at everything; at the environments only where `known` does not tell of them. `on_part` is
    /// called once the clone is known, once GitHub is, with each environment that has answered, and at the end.
    fn look(
        &mut self,
        known: Option<Vec<Environment>>,
        mut on_part: impl FnMut(Known<'_>, &Facts),
    ) -> anyhow::Result<Facts> {
        let (context, git, drift) = (self.context, self.git, self.drift);
        let branch = branch::look(context, git)?;
        let head = branch.head.clone();
        let mut facts = Facts {
            version: VERSION,
            verdict: Verdict::Unknown,
            branch,
            github: None,
            environments: known.clone().unwrap_or_default(),
            unknown: Vec::new(),
            may_answer_later: false,
        };
        on_part(Known::Branch, &facts);
        let environments = match &known {
            Some(_) => None,
            None => match Environments::prepare(context, git, head.as_deref(), drift) {
                Ok(environments) => Some(environments),
                Err(error) => {
                    facts.unknown.push(unreadable(&error));
                    None
                }
            },
        };
        let branch = facts.branch.clone();
        let targets = environments.as_ref().map_or(&[][..], |all| all.targets());
        let mut arrivals = Arrivals::of(targets.len());
        let started = Instant::now();
        std::thread::scope(|scope| {
            let (sender, parts) = mpsc::channel();
            for (index, target) in targets.iter().enumerate() {
                let (sender, environments) = (sender.clone(), environments.as_ref());
                scope.spawn(move || {
                    let environment = environments.map(|all| Box::new(all.at(target)));
                    let environment = environment.map(|found| Part::Environment(index, found));
                    environment.map(|part| sender.send(part))
                });
            }
            scope.spawn(move || {
                let side = self.side(&branch);
                let github = side.and_then(|side| look_at_github(context, side));
                let _ = sender.send(Part::GitHub(Box::new(github)));
            });
            let mut github_is_known = false;
            loop {
                let mut is_late = false;
                match parts.recv_timeout(TOGETHER) {
                    Ok(Part::GitHub(github)) => {
                        github_is_known = true;
                        facts.take(*github);
                        on_part(Known::GitHub(arrivals.left(true)), &facts);
                    }
                    Ok(Part::Environment(index, found)) => arrivals.take(index, *found),
                    // One that takes long holds up none.
                    Err(mpsc::RecvTimeoutError::Timeout) => is_late = true,
                    Err(mpsc::RecvTimeoutError::Disconnected) => break,
                }
                let waits_for_github = !github_is_known && started.elapsed() < FOR_GITHUB;
                if waits_for_github || !(is_late || arrivals.is_complete()) {
                    continue;
                }
                let now = arrivals.take_new();
                if !now.is_empty() {
                    facts.environments = arrivals.all();
                    let left = arrivals.left(github_is_known);
                    on_part(Known::Environments(&now, left), &facts);
                }
            }
        });
        on_part(Known::Everything, &facts);
        Ok(facts)
    }

    /// GitHub, found anew where the branch is another than the last time.
    fn side(&mut self, branch: &Branch) -> Result<&mut RemoteSide, NoGitHub> {
        let same = |side: &RemoteSide| side.is_of(branch);
        if !self.side.as_ref().is_some_and(same) {
            self.side = None;
        }
        let side = match self.side.take() {
            Some(side) => side,
            None => {
                RemoteSide::find(self.context, self.git, branch).map_err(|unknown| NoGitHub {
                    unknown,
                    later: false,
                })?
            }
        };
        Ok(self.side.insert(side))
    }
}

/// Environments as they answer, and which of them have been told.
struct Arrivals {
    found: Vec<Option<Environment>>,
    told: Vec<bool>,
}

impl Arrivals {
    fn of(count: usize) -> Arrivals {
        Arrivals {
            found: vec![None; count],
            told: vec![false; count],
        }
    }

    fn take(&mut self, index: usize, environment: Environment) {
        self.found[index] = Some(environment);
    }

    fn is_complete(&self) -> bool {
        self.found.iter().all(Option::is_some)
    }

    /// What is still asked.
    fn left(&self, github_is_known: bool) -> &'static str {
        let none_is_told = !self.told.contains(&true);
        match (github_is_known, self.is_complete()) {
            (true, true) => "",
            (true, false) if none_is_told => "the workspaces",
            (true, false) => "the other workspaces",
            (false, true) => "GitHub",
            (false, false) => "GitHub and the other workspaces",
        }
    }

    /// Those that have answered and were not told yet.
    fn take_new(&mut self) -> Vec<Environment> {
        let both = self.found.iter().zip(&mut self.told);
        both.filter_map(|(found, told)| {
            let environment = found.clone().filter(|_| !*told)?;
            *told = true;
            Some(environment)
        })
        .collect()
    }

    /// All that have answered, in the order of the bundle.
    fn all(&self) -> Vec<Environment> {
        self.found.iter().flatten().cloned().collect()
    }
}

/// Why no environment is known.
fn unreadable(error: &anyhow::Error) -> Unknown {
    let report = error::report(error);
    let why = report.details.unwrap_or_default();
    let why = why.lines().next().unwrap_or_default();
    Unknown {
        what: "environments".to_owned(),
        target: None,
        reason: safe_line(format!("{}: {why}", report.what).trim_end_matches(": ")),
        next: report.next.into_iter().next(),
    }
}

/// Why nothing of GitHub is known, and whether that may change.
struct NoGitHub {
    unknown: Unknown,
    later: bool,
}

impl Facts {
    fn take(&mut self, github: Result<GitHub, NoGitHub>) {
        match github {
            Ok(github) => {
                self.verdict = pull_request::verdict(&github);
                self.github = Some(github);
            }
            Err(NoGitHub { unknown, later }) => {
                self.unknown.push(unknown);
                self.may_answer_later = later;
            }
        }
    }
}

fn look_at_github(context: &Context, side: &mut RemoteSide) -> Result<GitHub, NoGitHub> {
    match side.look(context) {
        Look::Seen(standing) => {
            let mut github = pull_request::facts(*standing, &context.config, Timestamp::now());
            logs::explain(context, side, &mut github.checks);
            Ok(github)
        }
        Look::Not(error) => Err(NoGitHub {
            // A page that is no answer comes from something in between, and may pass.
            later: error.is_transient() || matches!(error, xtask_remote::Error::Unexpected { .. }),
            unknown: side.explain(&error),
        }),
    }
}

/// What is on the screen already: parts appear in their order, each once.
struct Shown<'a> {
    context: &'a Context,
    columns: Option<usize>,
    wanted: bool,
    has_environments: bool,
    waiting: Option<crate::ui::Progress>,
}

impl<'a> Shown<'a> {
    fn new(context: &'a Context, columns: Option<usize>, wanted: bool) -> Shown<'a> {
        Shown {
            context,
            columns,
            wanted,
            has_environments: false,
            waiting: None,
        }
    }

    fn more(&mut self, part: Known<'_>, facts: &Facts) {
        self.waiting = None;
        if !self.wanted {
            return;
        }
        let ui = &self.context.ui;
        let mut rows = Rows::new(ui, self.columns);
        let left = match part {
            Known::Branch => {
                screen::branch(&mut rows, &facts.branch);
                "GitHub and the workspaces"
            }
            Known::GitHub(left) => {
                if self.has_environments {
                    rows.line(0, "");
                }
                screen::github(&mut rows, facts);
                left
            }
            Known::Environments(found, left) => {
                self.has_environments = true;
                screen::environments(&mut rows, found, facts, Timestamp::now());
                left
            }
            Known::Everything => {
                screen::after_environments(&mut rows, facts);
                let lines = rows.into_lines();
                if !lines.is_empty() {
                    ui.answer("");
                }
                lines.iter().for_each(|line| ui.answer(line));
                return;
            }
        };
        rows.into_lines().iter().for_each(|line| ui.answer(line));
        // Where the answers go elsewhere, a line about waiting would only stand between others' lines.
        if !left.is_empty() && ui.is_moving() && self.columns.is_some() {
            self.waiting = Some(ui.progress("Asking", left));
        }
    }
}
