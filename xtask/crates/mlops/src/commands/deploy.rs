//! `cargo xtask deploy`: puts the bundle on a target's workspace. What was shown and agreed to is what is
//! applied, and what is there afterwards is read back.

use serde::Serialize;
use xtask_remote::databricks::bundle_state::{self, Source};

use crate::bundle;
use crate::context::Context;
use crate::databricks::guard::{self, Change};
use crate::databricks::{Outcome, Purpose, Summary, Target, Writer};
use crate::error::Failure;
use crate::links::LinkState;
use crate::ui::Tone;
use crate::words::short;
use crate::{deployment, next_step};

/// Options of `deploy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Bundle target to deploy to.
    #[arg(long, short, default_value = "dev")]
    target: String,
    /// Print the plan and exit.
    #[arg(long)]
    dry_run: bool,
    /// Allow the deployment to delete this resource and its data; repeatable.
    #[arg(long, value_name = "KIND.KEY")]
    delete: Vec<String>,
    /// Take over the lock of a deployment that was killed.
    #[arg(long)]
    force_lock: bool,
}

/// What `--json` prints; docs/deploy.md describes the fields.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    /// `deployed` or `planned`.
    outcome: &'static str,
    target: &'a str,
    host: String,
    /// The commit that is checked out.
    commit: Option<&'a str>,
    changes: &'a [Change],
    /// The model's links: as they are now, or before the deployment that was only planned.
    links: &'a [LinkState],
    deployed: Option<Deployed>,
}

/// What was read back.
#[derive(Debug, Serialize)]
struct Deployed {
    /// The commit that the workspace names.
    commit: Option<String>,
    /// What a second deployment would change.
    left: Vec<Change>,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let toolbox = bundle::ready(context, &[&args.target], &[])?;
    let pass = guard::check(context, &args.target, Purpose::Deploy)?;
    let commit = pass.commit();
    let target = Target::open_to_deploy(context, &toolbox, &args.target)?;
    let progress = context
        .ui
        .progress("Planning", &format!("target {}", target.name));
    target.validate()?;
    let plan = target.reviewable_plan()?;
    progress.clear();

    let changes = guard::changes(&plan);
    deployment::show(context, &changes);
    if args.dry_run {
        return planned(context, &target, commit, &changes);
    }
    let writer = pass.on(&target)?;
    let agreed = writer.agree(&plan, &args.delete)?;
    context
        .ui
        .agree(&format!("Deploy to {}?", target.name), true)?;
    if let Outcome::Moved(said) = deployment::apply(context, &writer, &agreed, args.force_lock)? {
        return moved(&target.name, said);
    }

    let summary = target.summary()?;
    let (deployed, links) = read_back(context, &writer, &summary, commit)?;
    show_resources(context, &target, &summary);
    context.ui.json(&Answer {
        version: 1,
        outcome: "deployed",
        target: &target.name,
        host: target.host(),
        commit,
        changes: &changes,
        links: &links,
        deployed: Some(deployed),
    })
}

/// The end of a dry run: what would be done about the model's links, too.
fn planned(
    context: &Context,
    target: &Target<'_>,
    commit: Option<&str>,
    changes: &[Change],
) -> anyhow::Result<()> {
    let summary = target.summary()?;
    let links = deployment::planned(context, target, &summary, commit);
    context.ui.only_planned();
    context.ui.json(&Answer {
        version: 1,
        outcome: "planned",
        target: &target.name,
        host: target.host(),
        commit,
        changes,
        links: &links,
        deployed: None,
    })
}

/// Reads back what the workspace has now: which commit, and whether anything is left to do. The model's
/// links are made right before that, so that what they might leave to do is seen.
fn read_back(
    context: &Context,
    writer: &Writer<'_, '_>,
    summary: &Summary,
    commit: Option<&str>,
) -> anyhow::Result<(Deployed, Vec<LinkState>)> {
    let target = writer.target();
    let progress = context
        .ui
        .progress("Reading", &format!("back what {} has", target.name));
    let transport = target.transport();
    let source = bundle_state::source(&*transport, &summary.workspace.state_path)?;
    let recorded = recorded(&target.name, source.as_ref(), commit)?;
    let links = deployment::keep(context, writer, summary, &source.unwrap_or_default());
    let left = guard::changes(&target.reviewable_plan()?);
    progress.clear();
    for change in &left {
        context.ui.warn(&format!(
            "{} still differs after the deployment (a new plan says: {})",
            change.resource, change.action
        ));
    }
    if let Some(commit) = &recorded {
        context.ui.status(
            "Verified",
            &format!("{} has commit {}", target.name, short(commit)),
        );
    }
    deployment::show_links(context, &links);
    let commit = recorded;
    Ok((Deployed { commit, left }, links.states))
}

/// The plan has aged, and nothing was done.
fn moved(target: &str, said: String) -> anyhow::Result<()> {
    Failure::failed(format!(
        "{target} was deployed to since this was planned; nothing was changed"
    ))
    .details(said)
    .next(format!(
        "review the new plan: cargo xtask deploy --target {target}"
    ))
    .err()
}

/// The commit that the deployment recorded, which must be the one that was checked.
fn recorded(
    target: &str,
    source: Option<&Source>,
    commit: Option<&str>,
) -> anyhow::Result<Option<String>> {
    let recorded = source.map(|source| source.commit.clone());
    let recorded = recorded.filter(|commit| !commit.is_empty());
    if recorded.as_deref() == commit {
        return Ok(recorded);
    }
    let name = |commit: Option<&str>| commit.map_or("no commit".to_owned(), str::to_owned);
    let what = format!(
        "{target} says that {} is deployed, not {}",
        name(recorded.as_deref()),
        name(commit)
    );
    Failure::failed(what)
        .details("another commit was checked out meanwhile, or another deployment came between")
        .next(format!("cargo xtask deploy --target {target} --dry-run"))
        .err()
}

/// Shows what is there now.
fn show_resources(context: &Context, target: &Target<'_>, summary: &Summary) {
    for (key, job) in &summary.resources.jobs {
        let url = job.url.as_deref().unwrap_or("not deployed");
        context
            .ui
            .line(&format!("  {}  {url}", context.ui.paint(key, Tone::Strong)));
    }
    if let Some(next) = next_step::of(context, target, summary) {
        context.ui.status("Next", &next);
    }
}
