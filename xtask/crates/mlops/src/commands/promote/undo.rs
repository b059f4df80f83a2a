//! `promote --undo`: the champion before is champion again.

use serde::Serialize;
use xtask_promotion::apply::{self, Promotion};
use xtask_promotion::journal::{self, Journal};
use xtask_promotion::{Call, Error, Owner, Step, UndoPlan, plan_undo};

use super::Args;
use super::ends::{self, OpenTarget};
use super::{show, watch};
use crate::bundle;
use crate::context::Context;
use crate::databricks::{Purpose, guard};
use crate::engine_failure;
use crate::error::Failure;
use crate::next_step;

/// What `--json` prints; docs/promote.md describes the fields.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    /// `undone`, `planned` or `unchanged`.
    outcome: &'static str,
    id: &'a str,
    target: &'a str,
    model: &'a str,
    /// The version that is champion no more.
    from_version: u64,
    /// The champion afterwards.
    champion: Option<u64>,
    calls: Vec<Call>,
}

/// Takes a promotion back.
pub(super) fn run(context: &Context, args: &Args, id: &str) -> anyhow::Result<()> {
    let target = ends::destination(context, args)?;
    let pass = guard::check(context, &target, Purpose::Promote)?;
    let toolbox = bundle::ready(context, &[&target], super::needs(args))?;
    let progress = context
        .ui
        .progress("Planning", &format!("what {target} goes back to"));
    let place = OpenTarget::open(context, &toolbox, &target)?;
    let connection = place.changing(&toolbox, &pass)?;
    let user = place.user(context);
    let id = (!id.is_empty()).then_some(id);
    let plan = plan_undo(&connection.end(), id, &user).map_err(engine_failure::of)?;
    progress.clear();

    let steps = plan.steps(&connection.end());
    context.ui.status("Undo", &plan.sentence());
    if plan.is_done() {
        context.ui.status("Unchanged", "it was taken back already");
        journal::forget(ends::journals(context).as_std_path(), &journal_of(&plan));
        return answer(context, &plan, "unchanged", Vec::new());
    }
    show::steps(context, &steps);
    let calls = steps.iter().flat_map(Step::calls).collect();
    if args.dry_run {
        context.ui.only_planned();
        return answer(context, &plan, "planned", calls);
    }
    let question = format!("Undo this promotion in {target}?");
    context.ui.agree(&question, true)?;
    let owner = ends::owner(context, &user);
    apply(context, args, &plan, &steps, &connection, &owner)?;
    let now = match plan.previous() {
        Some(previous) => format!("version {previous} is champion of {target} again"),
        None => format!("{target} has no champion, as before"),
    };
    context.ui.status("Undone", &now);
    if let Some(next) = next_step::of(context, &place.target, &place.summary) {
        context.ui.status("Next", &next);
    }
    answer(context, &plan, "undone", calls)
}

/// The name of its journal: another than that of the promotion itself.
fn journal_of(plan: &UndoPlan) -> String {
    format!("undo-{}", plan.event.id)
}

fn apply(
    context: &Context,
    args: &Args,
    plan: &UndoPlan,
    steps: &[Step],
    connection: &ends::Connection<'_>,
    owner: &Owner,
) -> anyhow::Result<()> {
    let folder = ends::journals(context);
    let no_smoke = |_: &std::path::Path| -> Result<String, Error> { Ok(String::new()) };
    let promotion = Promotion {
        from: connection.end(),
        to: connection.end(),
        owner,
        break_lock: args.break_lock.as_deref(),
        folder: folder.as_std_path(),
        smoke: &no_smoke,
    };
    let id = journal_of(plan);
    let take_back = |screen: &mut watch::Screen<'_>, journal: &mut Journal| {
        apply::take_back(plan, steps, &promotion, screen, journal).map_err(|error| match error {
            Error::Interrupted => Failure::interrupted("stopped")
                .next(format!("cargo xtask promote --undo {}", plan.event.id))
                .into(),
            error => engine_failure::of(error),
        })
    };
    watch::applied(context, &id, &plan.sentence(), steps, take_back).map(drop)
}

fn answer(
    context: &Context,
    plan: &UndoPlan,
    outcome: &'static str,
    calls: Vec<Call>,
) -> anyhow::Result<()> {
    context.ui.json(&Answer {
        version: 1,
        outcome,
        id: &plan.event.id,
        target: &plan.to.target,
        model: &plan.to.model,
        from_version: plan.number,
        champion: plan.previous(),
        calls,
    })
}
