//! Promoting a model version: plan, evidence, consent, apply, read back.

use camino::Utf8Path;
use serde::Serialize;
use xtask_promotion::apply::{self, Done, Promotion};
use xtask_promotion::journal;
use xtask_promotion::{Asked, Call, Error, Plan, Refusal, Step, plan, steps};
use xtask_remote::databricks::bundle_state;

use super::Args;
use super::ends::{self, Connection, OpenTarget, Targets};
use super::evidence::{self, Evidence};
use super::via_ci::{self, Ended, Workflow};
use super::{ask, plan_file, show, watch};
use crate::bundle;
use crate::context::Context;
use crate::crash;
use crate::databricks::{Purpose, guard};
use crate::engine_failure;
use crate::error::Failure;
use crate::links;
use crate::next_step;
use crate::smoke;
use crate::tools::Toolbox;
use crate::ui::safe_line;

/// What `--json` prints; docs/promote.md describes the fields.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    /// `promoted`, `planned` or `unchanged`.
    outcome: &'static str,
    id: &'a str,
    from: &'a str,
    to: &'a str,
    source: String,
    model: &'a str,
    /// The version of the destination; null while it is not made.
    promoted: Option<u64>,
    /// The champion that it replaced.
    previous_champion: Option<u64>,
    digest: &'a str,
    evidence: &'a Evidence,
    steps: Vec<StepAnswer>,
    /// The run of the workflow that did it; null where this command did.
    run: Option<&'a Ended>,
}

#[derive(Debug, Serialize)]
struct StepAnswer {
    name: &'static str,
    does: String,
    calls: Vec<Call>,
}

/// Promotes a version.
pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let reviewed = match &args.plan {
        Some(path) if !args.dry_run => Some(plan_file::read(&context.env.cwd.join(path))?),
        _ => None,
    };
    let ends = match &reviewed {
        Some(plan) => Targets {
            from: plan.from.target.clone(),
            to: plan.to.target.clone(),
        },
        None => ends::choose(context, args)?,
    };
    let pass = guard::check(context, &ends.to, Purpose::Promote)?;
    let workflow = via_ci::workflow(context, args, &ends)?;
    let needs = super::needs(args);
    let toolbox = bundle::ready(context, &[&ends.from, &ends.to], needs)?;
    // While CI promotes, it holds the lock, and nothing could be planned.
    let followed = match &workflow {
        Some(workflow) if !args.dry_run => workflow.follow(context, args.version)?,
        _ => None,
    };
    recall(context);
    let planning = format!("{} to {}", ends.from, ends.to);
    let mut progress = context.ui.progress("Planning", &planning);
    let (from, to) = open(context, &toolbox, &ends)?;
    let source = from.connection(&toolbox)?;
    let destination = to.changing(&toolbox, &pass)?;
    let user = to.user(context);
    let reviewed = reviewed.map(|plan| check(plan, &from, &to)).transpose()?;
    let is_reviewed = reviewed.is_some();
    let mut found = match reviewed {
        Some(plan) => plan,
        None if context.ui.can_ask() => {
            progress.clear();
            let version = match &followed {
                Some((version, _)) => Some(*version),
                None => version(context, args, &ends, &source)?,
            };
            progress = context.ui.progress("Planning", &planning);
            planned(context, version, &to, &source, &destination)?
        }
        None => planned(context, args.version, &to, &source, &destination)?,
    };
    let evidence = evidence::gather(context, &found, &source.end(), &destination.end())?;
    if let (Some(pull), false) = (&evidence.pull_request, is_reviewed) {
        found.event.pull = Some(pull.number);
    }
    if let (Some(via_ci::Id(Some(id))), false) = (&args.id, is_reviewed) {
        given_id(&mut found, id);
    }
    progress.clear();

    let run = Planned {
        context,
        args,
        toolbox: &toolbox,
        to: &to,
        source: &source,
        destination: &destination,
        plan: &found,
        evidence: &evidence,
        workflow: workflow.as_ref(),
    };
    match followed {
        Some((_, ended)) => run.read_back(&found, &ended),
        None => run.go_on(&user),
    }
}

/// Gives a new promotion the id that it was announced by; one that was interrupted keeps its own.
fn given_id(plan: &mut Plan, id: &str) {
    let known = |tags: &std::collections::BTreeMap<String, String>| {
        tags.values().any(|value| value.contains(&plan.id))
    };
    if plan
        .found
        .copy
        .as_ref()
        .is_some_and(|copy| known(&copy.tags))
    {
        return;
    }
    plan.id = id.to_owned();
    plan.event.id = id.to_owned();
}

/// Says what this clone began and did not end; what counts is what the registry says.
fn recall(context: &Context) {
    let (unfinished, aside) = journal::unfinished(ends::journals(context).as_std_path());
    for one in unfinished {
        let step = one
            .step
            .map(|step| format!(", at the step \"{step}\""))
            .unwrap_or_default();
        context.ui.warn(&safe_line(&format!(
            "interrupted here before{step}: {} ({})",
            one.what, one.id
        )));
    }
    for path in aside {
        context.ui.warn(&format!(
            "a journal could not be read and was set aside as {}",
            path.display()
        ));
    }
}

/// Opens both ends side by side.
fn open<'a>(
    context: &'a Context,
    toolbox: &'a Toolbox,
    ends: &Targets,
) -> anyhow::Result<(OpenTarget<'a>, OpenTarget<'a>)> {
    let (from, to) = std::thread::scope(|scope| {
        let from = scope.spawn(|| OpenTarget::open(context, toolbox, &ends.from));
        let to = OpenTarget::open(context, toolbox, &ends.to);
        (from.join(), to)
    });
    let from = from.map_err(|_| anyhow::anyhow!("opening {} broke off", ends.from))?;
    Ok((from?, to?))
}

/// The version that was named, or that is chosen from those that may be promoted.
fn version(
    context: &Context,
    args: &Args,
    ends: &Targets,
    from: &Connection<'_>,
) -> anyhow::Result<Option<u64>> {
    match args.version {
        None if ends.from != ends.to => ask::version(context, &from.end()),
        version => Ok(version),
    }
}

/// Looks at both ends, and at the links of the destination's model.
fn planned(
    context: &Context,
    version: Option<u64>,
    place: &OpenTarget<'_>,
    from: &Connection<'_>,
    to: &Connection<'_>,
) -> anyhow::Result<Plan> {
    let end = to.end();
    let deployed = bundle_state::source(end.transport, end.state_path)?.unwrap_or_default();
    let repair = links::repair(context, &place.target, &place.summary, &deployed)?;
    let asked = Asked {
        version,
        by: &place.user(context),
        pull: None,
        links: repair.requests,
        train: &context.config.jobs.train,
    };
    plan(&from.end(), &end, &asked).map_err(engine_failure::of)
}

/// A plan from a file must be about these workspaces.
fn check(plan: Plan, from: &OpenTarget<'_>, to: &OpenTarget<'_>) -> anyhow::Result<Plan> {
    let is = |host: &str, model: &str, place: &OpenTarget<'_>| {
        host == place.host && model == place.model
    };
    if is(&plan.from.host, &plan.from.model, from) && is(&plan.to.host, &plan.to.model, to) {
        return Ok(plan);
    }
    Failure::usage("the plan is about other workspaces or models")
        .details(format!(
            "plan      {} at {} to {} at {}\nhere      {} at {} to {} at {}",
            plan.from.model,
            plan.from.host,
            plan.to.model,
            plan.to.host,
            from.model,
            from.host,
            to.model,
            to.host,
        ))
        .next("make a new one: cargo xtask promote --dry-run --plan FILE")
        .err()
}

/// A promotion that has been planned.
struct Planned<'r> {
    context: &'r Context,
    args: &'r Args,
    toolbox: &'r Toolbox,
    to: &'r OpenTarget<'r>,
    source: &'r Connection<'r>,
    destination: &'r Connection<'r>,
    plan: &'r Plan,
    evidence: &'r Evidence,
    /// What does it instead of this command.
    workflow: Option<&'r Workflow>,
}

impl Planned<'_> {
    fn go_on(&self, user: &str) -> anyhow::Result<()> {
        let (context, plan) = (self.context, self.plan);
        let (ui, to) = (&context.ui, &plan.to.target);
        let folder = ends::folder(context, to, plan.digest());
        let steps = steps::of(
            plan,
            &self.source.end(),
            &self.destination.end(),
            folder.as_std_path(),
        );
        show::evidence(context, plan, self.evidence);
        if plan.is_done() {
            ui.status("Unchanged", &format!("it is champion of {to} already"));
            journal::forget(ends::journals(context).as_std_path(), &plan.id);
            let _ = std::fs::remove_dir_all(&folder);
            return self.answer("unchanged", plan.found.champion, &[]);
        }
        show::steps(context, &steps);
        if let Some(workflow) = self.workflow {
            return self.via_ci(workflow, &steps);
        }
        if self.args.dry_run {
            if let Some(path) = &self.args.plan {
                crash::point(&context.env, "plan file");
                plan_file::write(&context.env.cwd.join(path), plan)?;
                ui.status(
                    "Written",
                    &format!("{path}: apply it with cargo xtask promote --plan {path}"),
                );
            }
            ui.only_planned();
            return self.answer(
                "planned",
                plan.found.copy.as_ref().map(|copy| copy.number),
                &steps,
            );
        }
        ui.agree(&format!("Promote to {to}?"), true)?;
        let done = self.apply(user, &folder, &steps)?;
        ui.status(
            "Promoted",
            &format!(
                "version {} of {} is champion of {to}",
                done.version, plan.to.model
            ),
        );
        ui.status(
            "Undo",
            &format!("cargo xtask promote --to {to} --undo {}", &plan.id[..8]),
        );
        if let Some(next) = next_step::of(context, &self.to.target, &self.to.summary) {
            ui.status("Next", &next);
        }
        self.answer("promoted", Some(done.version), &steps)
    }

    /// Has the workflow do it, and looks what the registry shows then.
    fn via_ci(&self, workflow: &Workflow, steps: &[Step]) -> anyhow::Result<()> {
        let (context, plan) = (self.context, self.plan);
        workflow.show(context, plan);
        if self.args.dry_run {
            context.ui.only_planned();
            return self.answer("planned", None, steps);
        }
        let question = format!("Promote to {} in GitHub Actions?", plan.to.target);
        context.ui.agree(&question, true)?;
        let ended = workflow.start(context, plan)?;
        let version = Some(plan.from.number);
        let (from, to) = (self.source, self.destination);
        let now = planned(context, version, self.to, from, to)?;
        self.read_back(&now, &ended)
    }

    fn read_back(&self, now: &Plan, ended: &Ended) -> anyhow::Result<()> {
        let what = format!("version {} of {}", now.from.number, now.from.model);
        let to = &now.to.target;
        if !now.is_champion() {
            return Failure::failed(format!(
                "the run ended well, and {what} is not champion of {to}"
            ))
            .details("another promotion or undo came after it, or the workflow promotes elsewhere")
            .next(format!("cargo xtask promote --history --to {to}"))
            .next(ended.url.clone())
            .err();
        }
        let ui = &self.context.ui;
        ui.status("Verified", &format!("{what} is champion of {to}"));
        self.answer_of(now, "promoted", now.found.champion, &[], Some(ended))
    }

    fn apply(&self, user: &str, folder: &Utf8Path, steps: &[Step]) -> anyhow::Result<Done> {
        let (context, plan) = (self.context, self.plan);
        let owner = ends::owner(context, user);
        let predict = |files: &std::path::Path| self.predict(files);
        let promotion = Promotion {
            from: self.source.end(),
            to: self.destination.end(),
            owner: &owner,
            break_lock: self.args.break_lock.as_deref(),
            folder: folder.as_std_path(),
            smoke: &predict,
        };
        let done = watch::applied(
            context,
            &plan.id,
            &plan.sentence(),
            steps,
            |screen, journal| {
                apply::apply(plan, steps, &promotion, screen, journal).map_err(engine_failure::of)
            },
        )?;
        crash::point(&context.env, "files' end");
        // Only a cache from here on.
        let _ = std::fs::remove_dir_all(folder);
        Ok(done)
    }

    /// The destination's code on sample input, in a process of its own.
    fn predict(&self, files: &std::path::Path) -> Result<String, Error> {
        let files = Utf8Path::from_path(files).unwrap_or(Utf8Path::new(""));
        let tried = smoke::predict(
            self.context,
            self.toolbox,
            &self.to.target,
            &self.to.summary,
            files,
        );
        match tried {
            Ok(smoke) => Ok(smoke.sentence()),
            Err(_) if self.context.interrupt.is_set() => Err(Error::Interrupted),
            Err(error) => {
                let report = crate::error::report(&error);
                let mut refusal = Refusal::new(report.what).details(
                    [report.causes.join("\n"), report.details.unwrap_or_default()].join("\n"),
                );
                refusal.next = report.next;
                refusal.err()
            }
        }
    }

    fn answer(
        &self,
        outcome: &'static str,
        promoted: Option<u64>,
        steps: &[Step],
    ) -> anyhow::Result<()> {
        self.answer_of(self.plan, outcome, promoted, steps, None)
    }

    fn answer_of(
        &self,
        plan: &Plan,
        outcome: &'static str,
        promoted: Option<u64>,
        steps: &[Step],
        run: Option<&Ended>,
    ) -> anyhow::Result<()> {
        self.context.ui.json(&Answer {
            version: 1,
            outcome,
            id: &plan.id,
            from: &plan.from.target,
            to: &plan.to.target,
            source: plan.source(),
            model: &plan.to.model,
            promoted,
            previous_champion: plan.event.was,
            digest: plan.digest(),
            evidence: self.evidence,
            steps: steps
                .iter()
                .map(|step| StepAnswer {
                    name: step.name,
                    does: step.does.clone(),
                    calls: step.calls(),
                })
                .collect(),
            run,
        })
    }
}
