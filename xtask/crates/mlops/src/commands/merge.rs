//! `cargo xtask merge`: a green, approved pull request into its base.

mod of_branch;

use serde::Serialize;
use xtask_remote::github::merging::{MergeFacts, Way};
use xtask_remote::github::pulls::{self, Pull};
use xtask_remote::github::repositories::Name;

use crate::context::Context;
use crate::error::Failure;
use crate::git::Git;
use crate::github::{self, Connection, Home};
use crate::pull_request::merging::{self, Step};
use crate::pull_request::readiness::{self, PullRequest, Readiness};
use crate::steps::Steps;
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
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let git = Git::open(context)?;
    let progress = context
        .ui
        .progress("Looking", "at the pull request, its checks and reviews");
    let (request, apart) = find(context, &git, args)?;
    let facts = readiness::read(context, &request)?;
    progress.clear();
    let mut readiness = readiness::judge(context, &request, &facts);
    if readiness.done(&facts).is_none() {
        apart
            .iter()
            .for_each(|apart| apart.hold_back(&facts, &mut readiness));
    }
    readiness::show(context, &facts, &readiness);
    let answer = |outcome, merged_as| answer(context, &facts, &readiness, outcome, merged_as);
    if let Some(outcome) = readiness.done(&facts) {
        return answer(outcome, request.pull.merge_commit_sha.clone());
    }
    let Some(step) = plan(context, args, &facts, &readiness)? else {
        answer("blocked", None)?;
        return missing(args, &facts, &readiness);
    };
    let steps = Steps::new(vec![step], |step| step.describe(&facts));
    steps.show(&context.ui);
    if args.dry_run {
        context.ui.only_planned();
        return answer("planned", None);
    }
    context.ui.agree("Do this?", false)?;
    steps.apply(context, |step| {
        merging::apply(context, &request, &facts, *step)
    })?;
    let (outcome, merged_as) = read_back(context, &request, &facts, step)?;
    answer(outcome, merged_as)
}

/// The pull request that is meant, and how the clone differs from it where it is meant by its branch.
fn find(context: &Context, git: &Git, args: &Args) -> anyhow::Result<(PullRequest, Vec<Apart>)> {
    let home = Home::find(context, git, args.repo.as_deref())?;
    let connection = home.connect(context, git)?;
    if connection.token.is_none() {
        let host = home.address.host();
        return Failure::missing(format!("no token for {host}: merging needs one"))
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
    let request = PullRequest {
        connection,
        into,
        pull,
    };
    Ok((request, unpushed))
}

fn by_number(connection: &Connection, into: &Name, number: u64) -> anyhow::Result<Pull> {
    match pulls::get(&connection.github, into, number) {
        Err(error) if error.is_not_found() => {
            Failure::usage(format!("{into} has no pull request {number}")).err()
        }
        other => Ok(other?),
    }
}

/// The step that leads in; `None` where something is missing.
fn plan(
    context: &Context,
    args: &Args,
    facts: &MergeFacts,
    readiness: &Readiness,
) -> anyhow::Result<Option<Step>> {
    let way = way(context, args, facts)?;
    if readiness.missing.is_empty() {
        return Ok(Some(match facts.has_queue {
            true => Step::Enqueue,
            false => Step::Merge(way),
        }));
    }
    if !args.auto || !readiness.may_come {
        return Ok(None);
    }
    if !facts.auto_merge_allowed {
        return Failure::failed("this repository does not allow auto-merge")
            .next("turn on \"Allow auto-merge\" in its settings, or run it again without --auto once the checks pass")
            .err();
    }
    Ok(Some(Step::WhenReady(way)))
}

fn way(context: &Context, args: &Args, facts: &MergeFacts) -> anyhow::Result<Way> {
    if context.config.is_promoted_to(&facts.base) {
        let asked = args.method.map_or(Way::Merge, Way::from);
        return merging::by_merge_commit(facts, asked).map(|()| Way::Merge);
    }
    let allowed: Vec<&str> = facts.ways.iter().map(|way| way.as_str()).collect();
    let chosen = match args.method {
        Some(method) => Some(Way::from(method)).filter(|way| facts.ways.contains(way)),
        None => facts.ways.first().copied(),
    };
    chosen.ok_or_else(|| {
        Failure::usage("the repository does not allow this way to merge")
            .next(format!("--method takes one of: {}", allowed.join(", ")))
            .into()
    })
}

fn missing(args: &Args, facts: &MergeFacts, readiness: &Readiness) -> anyhow::Result<()> {
    let mut failure = Failure::failed(format!(
        "pull request {} is not merged: {}",
        facts.number,
        readiness.missing.join("; ")
    ));
    for next in &readiness.next {
        failure = failure.next(next.clone());
    }
    if readiness.may_come && facts.auto_merge_allowed && !args.auto {
        failure = failure.next(format!(
            "cargo xtask merge {} --auto   # GitHub merges it as soon as its rules allow",
            facts.number
        ));
    }
    failure.err()
}

/// What became of it, and the commit that it was merged as.
fn read_back(
    context: &Context,
    request: &PullRequest,
    facts: &MergeFacts,
    step: Step,
) -> anyhow::Result<(&'static str, Option<String>)> {
    let github = &request.connection.github;
    let pull = pulls::get(github, &request.into, facts.number)?;
    let (ui, number, base) = (&context.ui, facts.number, &facts.base);
    if pull.is_merged() {
        let sha = pull.merge_commit_sha.clone().unwrap_or_default();
        let short = crate::words::short(&sha);
        ui.status(
            "Merged",
            &format!("pull request {number} into {base} as {short}"),
        );
        if let Some((target, _)) = context.config.target_of(base) {
            ui.status(
                "Next",
                &format!("pushes to {base} are deployed to target {target}"),
            );
        }
        return Ok(("merged", Some(sha)));
    }
    let now = readiness::read(context, request)?;
    match (step, now.queue_position) {
        (Step::Enqueue, Some(place)) => {
            let what = format!("pull request {number} is number {place} in the merge queue");
            ui.status("Queued", &what);
            Ok(("queued", None))
        }
        (Step::WhenReady(_), _) if now.auto_merge => {
            ui.status(
                "Waiting",
                "GitHub merges it as soon as its rules allow; a push, or a click on its page, stops that",
            );
            Ok(("waiting", None))
        }
        _ => Failure::service(format!("pull request {number} is not merged"))
            .next("run it again: it looks first")
            .err(),
    }
}

fn answer(
    context: &Context,
    facts: &MergeFacts,
    readiness: &Readiness,
    outcome: &'static str,
    merged_as: Option<String>,
) -> anyhow::Result<()> {
    context.ui.json(&Answer {
        version: 1,
        outcome,
        number: facts.number,
        url: &facts.url,
        base: &facts.base,
        head: &facts.head_sha,
        merged_as: merged_as.filter(|_| outcome == "merged"),
        missing: readiness.missing.clone(),
    })
}
