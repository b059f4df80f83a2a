//! Looks at both ends of a promotion and says what would be done.

use crate::calls::{Call, NOW};
use crate::error::{Error, Refusal};
use crate::event::{Event, State};
use crate::lock;
use crate::open_end::OpenEnd;
use crate::plan::{Asked, End, FORM, Found, Plan, Source};
use crate::random;
use crate::survey::{self, CHALLENGER, CHAMPION, Wanted};
use crate::tag_limits;
use crate::tags::PROMOTION_ID;

/// A version of a workspace's own registry points to files of that workspace.
fn elsewhere<T>(from: &OpenEnd<'_>, to: &OpenEnd<'_>) -> Result<T, Error> {
    Refusal::new(format!(
        "{} and {} are different workspaces, and their registries take no files from one another",
        from.target, to.target
    ))
    .details(format!(
        "the model registry of {} holds no files of its own: a version there points to those of a run of the same workspace",
        to.host
    ))
    .next("models of Unity Catalog go from workspace to workspace: docs/registries.md")
    .next(format!(
        "or let {} train its own: cargo xtask promote --code brings the code there",
        to.target
    ))
    .err()
}

/// Looks at both ends and says what would be done. Reads only.
///
/// # Errors
/// [`Error::Refused`] when the version may not be promoted: none was found, it is not ready, was never validated, was
/// rejected, or another promotion may hold the destination's lock.
pub fn plan(from: &OpenEnd<'_>, to: &OpenEnd<'_>, asked: &Asked<'_>) -> Result<Plan, Error> {
    let within = from.model == to.model && from.host == to.host;
    if from.host != to.host && !to.registry.takes_files() {
        return elsewhere(from, to);
    }
    let source = match asked.version {
        Some(number) => source(from, number, None)?,
        None => usual(from, asked.train, within)?,
    };
    let digest = deployable(&source)?;
    let of = format!("{}/{}", source.model, source.number);
    let wanted = match within {
        true => Wanted::Number(source.number),
        false => Wanted::CopyOf {
            source: &of,
            digest: &digest,
        },
    };
    let found = survey::look(to, wanted)?;
    let event = event(&source, &found, asked)?;
    let mut plan = Plan {
        version: FORM,
        id: event.id.clone(),
        within,
        to: End {
            target: to.target.to_owned(),
            host: to.host.to_owned(),
            model: to.model.to_owned(),
        },
        from: source,
        found,
        event,
        links: asked.links.iter().map(Call::of).collect(),
        left_locked: false,
    };
    tag_limits::check(&plan, to)?;
    // Only where nothing else is left: all other plans take the lock over and give it back anyway.
    plan.left_locked = plan.is_done() && lock::stands_for(to, &plan.id)?;
    Ok(plan)
}

/// The source's version, with what is written on it.
pub(crate) fn source(
    from: &OpenEnd<'_>,
    number: u64,
    alias: Option<String>,
) -> Result<Source, Error> {
    let found = from.registry.version(from.transport, from.model, number)?;
    let Some(found) = found else {
        return Refusal::new(format!("{} has no version {number}", from.model))
            .next("cargo xtask status")
            .err();
    };
    if !found.is_ready() {
        return Refusal::new(format!("version {number} of {} is not ready", from.model))
            .details(format!("its registration is {}", found.status))
            .err();
    }
    Ok(Source {
        target: from.target.to_owned(),
        host: from.host.to_owned(),
        model: from.model.to_owned(),
        number,
        alias,
        run_id: found.run_id,
        tags: found.tags,
        place: found.source,
        model_id: found.model_id,
        files: from.carrier.list(from.transport, from.model, number)?,
    })
}

/// The version that is promoted where none is named: the champion, or the challenger where both ends are one.
fn usual(from: &OpenEnd<'_>, train: &str, within: bool) -> Result<Source, Error> {
    let alias = if within { CHALLENGER } else { CHAMPION };
    if let Some(number) = from.registry.aliased(from.transport, from.model, alias)? {
        return source(from, number, Some(alias.to_owned()));
    }
    Refusal::new(format!("{} has no {alias}", from.model))
        .next(format!(
            "cargo xtask run {train} --target {}   # its job validates and deploys",
            from.target
        ))
        .next("or name a version that was validated: cargo xtask promote VERSION")
        .err()
}

/// Refuses what was not found good where it stands; answers the digest of its files.
fn deployable(source: &Source) -> Result<String, Error> {
    let record = source.record();
    let which = format!("version {} of {}", source.number, source.model);
    if !record.has_passed() {
        let refusal = match &record.judgement {
            Some(judgement) => Refusal::new(format!("{which} was rejected by its validation"))
                .details(judgement.reason.clone()),
            None => Refusal::new(format!("{which} carries no verdict of its own"))
                .details("it was never validated, or it is a copy of a version that was"),
        };
        return refusal
            .next("the training job validates what it trains")
            .err();
    }
    match record.artifact_digest {
        Some(digest) => Ok(digest),
        None => Refusal::new(format!(
            "no digest of {which} was written down when it was validated"
        ))
        .details("without it these files cannot be compared with the ones that passed validation")
        .next("train and validate it again")
        .err(),
    }
}

/// What will be remembered: anew, or as an interrupted promotion of the same version began to.
fn event(source: &Source, found: &Found, asked: &Asked<'_>) -> Result<Event, Error> {
    let copy = found.copy.as_ref();
    let before = copy.and_then(|copy| copy.event());
    let is_champion = copy.is_some_and(|copy| found.champion == Some(copy.number));
    let made_by = copy.and_then(|copy| copy.tags.get(PROMOTION_ID).cloned());
    let mut event = match before {
        Some(event) if event.state == State::Undoing => {
            return Refusal::new(format!(
                "taking back promotion {} of this version was interrupted",
                event.id
            ))
            .next(format!(
                "finish it: cargo xtask promote --undo {}",
                event.id
            ))
            .err();
        }
        Some(event) if event.state == State::Begun || is_champion => event,
        before => Event {
            n: found.last_event + 1,
            // A copy without any event was made by a promotion that came no further: this goes on with it.
            id: match (before, made_by) {
                (None, Some(id)) => id,
                _ => random::hex(32),
            },
            state: State::Begun,
            at: NOW.to_owned(),
            by: asked.by.to_owned(),
            from: format!("{} {}/{}", source.target, source.model, source.number),
            commit: source.record().origin.git_commit,
            pull: asked.pull,
            was: None,
            waits: None,
            undone_by: None,
            undone_at: None,
            why: None,
        },
    };
    if !is_champion {
        event.was = found.champion;
        let ours = copy.map(|copy| copy.number);
        if found.challenger != ours || ours.is_none() {
            event.waits = found.waits;
        }
    }
    Ok(event)
}

/// Whether both ends are still as a plan says.
pub(crate) fn still_holds(plan: &Plan, from: &OpenEnd<'_>, to: &OpenEnd<'_>) -> Result<(), Error> {
    let now = source(from, plan.from.number, None)?;
    let mut changed = Vec::new();
    if now.tags != plan.from.tags {
        changed.push(format!("what is written on {}", plan.source()));
    }
    if now.files != plan.from.files {
        changed.push(format!("the files of {}", plan.source()));
    }
    // Where both ends are one, the destination's look below says the same.
    if let (Some(alias), false) = (&plan.from.alias, plan.within) {
        let aliased = from.registry.aliased(from.transport, from.model, alias)?;
        if aliased != Some(plan.from.number) {
            changed.push(format!("the {alias} of {}", from.target));
        }
    }
    let of = plan.source();
    let wanted = match plan.within {
        true => Wanted::Number(plan.from.number),
        false => Wanted::CopyOf {
            source: &of,
            digest: plan.digest(),
        },
    };
    let found = survey::look(to, wanted)?;
    if found.champion != plan.found.champion {
        changed.push(format!("the champion of {}", to.target));
    }
    if found.challenger != plan.found.challenger {
        changed.push(format!("the challenger of {}", to.target));
    }
    if found != plan.found && changed.is_empty() {
        changed.push(format!("the versions of {}", to.target));
    }
    if changed.is_empty() {
        return Ok(());
    }
    Refusal::new("the plan does not hold any more; nothing was changed")
        .details(format!("changed since it was made: {}", changed.join(", ")))
        .next("call it again without --plan to see the new one")
        .err()
}
