//! `cargo xtask merge`: a green, approved pull request into its base.

mod gate;
mod of_branch;

use serde::Serialize;
use xtask_remote::github::merging::{self, Gate, Way};
use xtask_remote::github::pulls::{self, Pull};
use xtask_remote::github::repositories::Name;

use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::git::Git;
use crate::github::{self, Connection, Home};
use crate::ui::{Tone, safe_line};
pub(crate) use gate::{Ground, Standing};
use of_branch::Apart;

/// Options of `merge`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Pull request number [default: the branch's pull request].
    number: Option<u64>,
    /// Merge method [default: repository setting].
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Enable auto-merge: GitHub merges once checks and reviews pass.
    #[arg(long)]
    auto: bool,
    /// Repository of the pull request [default: from the git remotes].
    #[arg(long, value_name = "OWNER/NAME")]
    repo: Option<String>,
    /// Print the plan and exit.
    #[arg(long)]
    dry_run: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Method {
    /// Create a merge commit.
    Merge,
    /// Squash the commits into one.
    Squash,
    /// Rebase the commits onto the base.
    Rebase,
}

impl From<Method> for Way {
    fn from(method: Method) -> Way {
        match method {
            Method::Merge => Way::Merge,
            Method::Squash => Way::Squash,
            Method::Rebase => Way::Rebase,
        }
    }
}

/// What is done, by what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Merge it now.
    Merge(Way),
    /// Put it into the merge queue.
    Enqueue,
    /// Have GitHub merge it once it may be.
    WhenReady(Way),
}

impl Step {
    fn describe(self, gate: &Gate) -> String {
        let Gate { number, base, .. } = gate;
        let at = &gate.head_sha[..gate.head_sha.len().min(8)];
        match self {
            Step::Merge(way) => format!(
                "merge pull request {number} into {base} ({}), if {at} is still its newest commit",
                way.as_str()
            ),
            Step::Enqueue => format!(
                "put pull request {number} at {at} into the merge queue of {base}, which tests it once more and merges it"
            ),
            Step::WhenReady(way) => format!(
                "have GitHub merge pull request {number} at {at} into {base} ({}) as soon as its rules allow",
                way.as_str()
            ),
        }
    }
}

/// What `--json` prints; docs/pull-requests.md describes the fields.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    /// `merged`, `queued`, `waiting`, `blocked` or `planned`.
    outcome: &'static str,
    number: u64,
    url: &'a str,
    base: &'a str,
    head: &'a str,
    /// The commit that it became.
    merged_as: Option<String>,
    missing: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// [`Kind::Failed`] when something is missing for a merge; [`Kind::Service`] when GitHub refuses.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let git = Git::open(context)?;
    let progress = context
        .ui
        .progress("Looking", "at the pull request, its checks and reviews");
    let (ground, apart) = find(context, &git, args)?;
    let gate = gate::read(context, &ground)?;
    progress.clear();
    let mut standing = gate::judge(context, &ground, &gate);
    if standing.done(&gate).is_none() {
        apart
            .iter()
            .for_each(|apart| standing.differs(&gate, apart));
    }

    show(context, &gate, &standing);
    if let Some(outcome) = standing.done(&gate) {
        return answer(
            context,
            args,
            &gate,
            outcome,
            ground.pull.merge_commit_sha.clone(),
            &standing,
        );
    }
    let Some(step) = plan(context, args, &gate, &standing)? else {
        if args.json {
            answer(context, args, &gate, "blocked", None, &standing)?;
        }
        return missing(args, &gate, &standing);
    };
    context.ui.line(&format!(
        "{:>12} {}",
        "will",
        safe_line(&step.describe(&gate))
    ));
    if args.dry_run {
        context.ui.status("Planned", "nothing was done (--dry-run)");
        return answer(context, args, &gate, "planned", None, &standing);
    }
    // What is merged is seen by everybody: without a terminal it takes --yes.
    if !context.ui.confirm("Do this?", false)? {
        return Failure::new(Kind::Interrupted, "nothing was merged")
            .next(format!("cargo xtask merge {} --yes", gate.number))
            .err();
    }
    apply(context, &ground, &gate, step)?;
    read_back(context, args, &ground, &gate, step, &standing)
}

/// The pull request that is meant, and how the clone differs from it where it is meant by its branch.
fn find(context: &Context, git: &Git, args: &Args) -> anyhow::Result<(Ground, Vec<Apart>)> {
    let home = Home::find(context, git, args.repo.as_deref())?;
    let connection = home.connect(context, git)?;
    if connection.token.is_none() {
        let host = home.address.host();
        return Failure::new(
            Kind::Missing,
            format!("no token for {host}: merging takes one"),
        )
        .next(format!("gh auth login --hostname {host}"))
        .err();
    }
    let repository = match (github::repository(&connection, &home), &connection.token) {
        (Err(error), Some(token)) if error.status() == Some(401) => {
            return Err(github::not_accepted(&home, token).into());
        }
        (found, _) => found?,
    };
    let into = repository.name().unwrap_or_else(|| home.name.clone());
    let (pull, unpushed) = match args.number {
        Some(number) => (by_number(&connection, &into, number)?, Vec::new()),
        None => {
            let looking = of_branch::Looking {
                context,
                git,
                home: &home,
                connection: &connection,
                into: &into,
                usual_base: &repository.default_branch,
            };
            looking.own()?
        }
    };
    let ground = Ground {
        connection,
        into,
        pull,
    };
    Ok((ground, unpushed))
}

fn by_number(connection: &Connection, into: &Name, number: u64) -> anyhow::Result<Pull> {
    match pulls::get(&connection.github, into, number) {
        Err(error) if error.is_not_found() => {
            Failure::new(Kind::Usage, format!("{into} has no pull request {number}")).err()
        }
        other => Ok(other?),
    }
}

/// The step that leads in; `None` where something is missing.
fn plan(
    context: &Context,
    args: &Args,
    gate: &Gate,
    standing: &Standing,
) -> anyhow::Result<Option<Step>> {
    let way = way(context, args, gate)?;
    if standing.missing.is_empty() {
        return Ok(Some(match gate.has_queue {
            true => Step::Enqueue,
            false => Step::Merge(way),
        }));
    }
    if !args.auto || !standing.may_come {
        return Ok(None);
    }
    if !gate.auto_merge_allowed {
        let what = "this repository does not let pull requests be merged by themselves";
        return Failure::new(Kind::Failed, what)
            .next("its settings have \"Allow auto-merge\"; or call it again without --auto when it is green")
            .err();
    }
    Ok(Some(Step::WhenReady(way)))
}

fn way(context: &Context, args: &Args, gate: &Gate) -> anyhow::Result<Way> {
    if context.config.is_promoted_to(&gate.base) {
        let asked = args.method.map_or(Way::Merge, Way::from);
        return by_merge_commit(gate, asked).map(|()| Way::Merge);
    }
    let allowed: Vec<&str> = gate.ways.iter().map(|way| way.as_str()).collect();
    let chosen = match args.method {
        Some(method) => Some(Way::from(method)).filter(|way| gate.ways.contains(way)),
        None => gate.ways.first().copied(),
    };
    chosen.ok_or_else(|| {
        Failure::new(
            Kind::Usage,
            "the repository does not allow this way to merge",
        )
        .next(format!("--method takes one of: {}", allowed.join(", ")))
        .into()
    })
}

/// What a branch that code is promoted to takes: with any other way its history would not hold the branch
/// that was promoted, and the next promotion would bring the same commits again.
fn by_merge_commit(gate: &Gate, asked: Way) -> anyhow::Result<()> {
    let base = safe_line(&gate.base);
    if asked != Way::Merge {
        let what = format!("code is promoted to {base}: it takes merge commits only");
        return Failure::new(Kind::Usage, what)
            .next(format!("cargo xtask merge {}", gate.number))
            .err();
    }
    if gate.ways.contains(&Way::Merge) {
        return Ok(());
    }
    Failure::new(
        Kind::Failed,
        format!("the repository allows no merge commits, and {base} takes no others"),
    )
    .next("its settings have \"Allow merge commits\"")
    .err()
}

/// Reads and judges a pull request that another command has found.
///
/// # Errors
/// What GitHub says; Ctrl-C.
pub(crate) fn look(context: &Context, ground: &Ground) -> anyhow::Result<(Gate, Standing)> {
    let gate = gate::read(context, ground)?;
    let standing = gate::judge(context, ground, &gate);
    Ok((gate, standing))
}

/// Brings a pull request that lacks nothing into a branch that code is promoted to, and reads back what
/// became of it: it is merged, or in the queue.
///
/// # Errors
/// [`Kind::Service`] when GitHub refuses, or it is neither.
pub(crate) fn into_release(
    context: &Context,
    ground: &Ground,
    gate: &Gate,
) -> anyhow::Result<Pull> {
    by_merge_commit(gate, Way::Merge)?;
    let step = match gate.has_queue {
        true => Step::Enqueue,
        false => Step::Merge(Way::Merge),
    };
    apply(context, ground, gate, step)?;
    let pull = pulls::get(&ground.connection.github, &ground.into, gate.number)?;
    if pull.is_merged() || gate::read(context, ground)?.queue_position.is_some() {
        return Ok(pull);
    }
    Failure::new(
        Kind::Service,
        format!("pull request {} is not merged", gate.number),
    )
    .next("call it again: it looks first")
    .err()
}

/// Shows what a pull request has and lacks.
pub(crate) fn show(context: &Context, gate: &Gate, standing: &Standing) {
    let ui = &context.ui;
    let link = ui.link(&gate.url, &gate.url);
    let title = safe_line(&gate.title);
    ui.status("Request", &format!("{} {title} {link}", gate.number));
    for good in &standing.good {
        ui.status("Has", &safe_line(good));
    }
    for missing in &standing.missing {
        ui.status_toned("Lacks", &safe_line(missing), Tone::Warning);
    }
    for note in &standing.notes {
        ui.status_toned("Note", &safe_line(note), Tone::Accent);
    }
}

fn missing(args: &Args, gate: &Gate, standing: &Standing) -> anyhow::Result<()> {
    let mut failure = Failure::new(
        Kind::Failed,
        format!(
            "pull request {} is not merged: {}",
            gate.number,
            standing.missing.join("; ")
        ),
    );
    for next in &standing.next {
        failure = failure.next(next.clone());
    }
    if standing.may_come && gate.auto_merge_allowed && !args.auto {
        failure = failure.next(format!(
            "cargo xtask merge {} --auto   # GitHub merges it as soon as its rules allow",
            gate.number
        ));
    }
    failure.err()
}

/// Sent once. What a lost reply leaves open, the look afterwards tells.
fn apply(context: &Context, ground: &Ground, gate: &Gate, step: Step) -> anyhow::Result<()> {
    let github = &ground.connection.github;
    let progress = context
        .ui
        .progress("Merging", &format!("pull request {}", gate.number));
    let sent = match step {
        Step::Merge(way) => {
            merging::merge(github, &ground.into, gate.number, &gate.head_sha, way).map(drop)
        }
        Step::Enqueue => merging::enqueue(github, &gate.id, &gate.head_sha),
        Step::WhenReady(way) => merging::merge_when_ready(github, &gate.id, &gate.head_sha, way),
    };
    progress.clear();
    match sent {
        Ok(()) => Ok(()),
        Err(error) if error.leaves_open() => {
            context.ui.warn(&format!(
                "no good answer came ({}); looking what became of it",
                safe_line(&error.to_string())
            ));
            Ok(())
        }
        Err(error) => Err(refused(gate, &error)),
    }
}

fn refused(gate: &Gate, error: &xtask_remote::Error) -> anyhow::Error {
    let (what, next) = match error.status() {
        Some(409) => (
            "somebody pushed to the branch meanwhile; nothing was merged",
            "look at what is new, and call it again",
        ),
        Some(403) => (
            "the token may not merge here",
            "a token that may write contents and pull requests",
        ),
        _ => (
            "GitHub does not merge it",
            "cargo xtask merge --dry-run shows what is missing",
        ),
    };
    Failure::new(
        Kind::Service,
        format!("{what} (pull request {})", gate.number),
    )
    .details(error.to_string())
    .next(next)
    .into()
}

/// Looks what became of it.
fn read_back(
    context: &Context,
    args: &Args,
    ground: &Ground,
    gate: &Gate,
    step: Step,
    standing: &Standing,
) -> anyhow::Result<()> {
    let github = &ground.connection.github;
    let pull = pulls::get(github, &ground.into, gate.number)?;
    let ui = &context.ui;
    if pull.is_merged() {
        let sha = pull.merge_commit_sha.clone().unwrap_or_default();
        let short = crate::words::short(&sha);
        ui.status(
            "Merged",
            &format!("pull request {} into {} as {short}", gate.number, gate.base),
        );
        let target = context.config.target_of(&gate.base);
        if let Some((target, _)) = target {
            ui.status(
                "Next",
                &format!("pushes to {} are deployed to target {target}", gate.base),
            );
        }
        return answer(context, args, gate, "merged", Some(sha), standing);
    }
    let now = gate::read(context, ground)?;
    match step {
        Step::Enqueue if now.queue_position.is_some() => {
            let place = now.queue_position.unwrap_or_default();
            ui.status(
                "Queued",
                &format!(
                    "pull request {} is number {place} in the merge queue",
                    gate.number
                ),
            );
            answer(context, args, gate, "queued", None, standing)
        }
        Step::WhenReady(_) if now.auto_merge => {
            ui.status(
                "Waiting",
                "GitHub merges it as soon as its rules allow; a push or a click there stops that",
            );
            answer(context, args, gate, "waiting", None, standing)
        }
        _ => Failure::new(
            Kind::Service,
            format!("pull request {} is not merged", gate.number),
        )
        .next("call it again: it looks first")
        .err(),
    }
}

fn answer(
    context: &Context,
    args: &Args,
    gate: &Gate,
    outcome: &'static str,
    merged_as: Option<String>,
    standing: &Standing,
) -> anyhow::Result<()> {
    if !args.json {
        return Ok(());
    }
    let answer = Answer {
        version: 1,
        outcome,
        number: gate.number,
        url: &gate.url,
        base: &gate.base,
        head: &gate.head_sha,
        merged_as: merged_as.filter(|_| outcome == "merged"),
        missing: standing.missing.clone(),
    };
    context.ui.json(&answer)?;
    Ok(())
}
