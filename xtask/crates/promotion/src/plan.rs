//! What a promotion will do: what was found, from which its steps follow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xtask_remote::Request;
use xtask_remote::records::VersionRecord;

use crate::calls::{Call, NOW};
use crate::error::{Error, Refusal};
use crate::event::{Event, State};
use crate::lock;
use crate::random;
use crate::registry::Version;
use crate::room;
use crate::side::Side;
use crate::survey::{self, CHALLENGER, CHAMPION, Wanted};
use crate::tags::{ARTIFACT_DIGEST, PROMOTION_ID};

pub use crate::survey::Found;

/// The version of the form in which plans are written to files.
const FORM: u32 = 1;

/// What one wants.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a> {
    /// The version of the source; by default its champion, or its challenger where both ends are one.
    pub version: Option<u64>,
    /// Who asks, as the destination's workspace knows them.
    pub by: &'a str,
    /// The pull request that brought the commit, for the record.
    pub pull: Option<u64>,
    /// The calls that mend the links of the destination's model; none where they are right.
    pub links: Vec<Request>,
    /// The job that trains, by its key in the bundle.
    pub train: &'a str,
}

/// Where a version comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The target.
    pub target: String,
    /// The address of its workspace.
    pub host: String,
    /// The model.
    pub model: String,
    /// The version.
    pub number: u64,
    /// The alias that it was chosen by; null where it was named by its number.
    pub alias: Option<String>,
    /// The MLflow run that logged it; may be empty.
    pub run_id: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its files: relative paths, and lengths in bytes.
    pub files: BTreeMap<String, u64>,
    /// Where they are, as its registry says; may be empty.
    #[serde(default)]
    pub place: String,
    /// The logged model that it was made from; may be empty.
    #[serde(default)]
    pub model_id: String,
}

/// Where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The target.
    pub target: String,
    /// The address of its workspace.
    pub host: String,
    /// The model.
    pub model: String,
}

/// A promotion before it is done. Plain data: it can be written to a file, read elsewhere, and applied there as long
/// as both ends are still as it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Of this form; 1.
    pub version: u32,
    /// The promotion's id: 32 hex digits. One that was interrupted keeps its id.
    pub id: String,
    /// Whether a challenger becomes champion where it is.
    pub within: bool,
    /// The version.
    pub from: Source,
    /// The destination.
    pub to: End,
    /// What the destination has.
    pub found: Found,
    /// What will be remembered of it.
    pub event: Event,
    /// The calls that mend the links of the destination's model.
    pub links: Vec<Call>,
    /// Whether all this is done but one thing: the lock that was taken for it still stands.
    #[serde(default)]
    pub left_locked: bool,
}

impl Plan {
    /// `<model>/<version>` of the source.
    #[must_use]
    pub fn source(&self) -> String {
        format!("{}/{}", self.from.model, self.from.number)
    }

    /// The digest of the files, as validation wrote it down.
    #[must_use]
    pub fn digest(&self) -> &str {
        self.from
            .tags
            .get(ARTIFACT_DIGEST)
            .map_or("", String::as_str)
    }

    /// The source's record.
    #[must_use]
    pub fn record(&self) -> VersionRecord {
        record(&self.from)
    }

    /// Whether the version is champion already.
    #[must_use]
    pub fn is_champion(&self) -> bool {
        let copy = self.found.copy.as_ref();
        copy.is_some_and(|copy| self.found.champion == Some(copy.number))
    }

    /// Whether there is anything to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let is_copied = self.found.copy.as_ref().is_some_and(|copy| copy.ready);
        is_copied
            && self.is_champion()
            && self.is_settled()
            && self.links.is_empty()
            && !self.left_locked
    }

    /// Whether a champion's promotion has nothing left to tidy up.
    pub(crate) fn is_settled(&self) -> bool {
        let copy = self.found.copy.as_ref();
        let event = copy.and_then(|copy| copy.event());
        let is_challenger = copy.is_some_and(|copy| self.found.challenger == Some(copy.number));
        event.is_none_or(|event| event.state != State::Begun) && !is_challenger
    }

    /// One line for the lock, and for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Plan { from, to, .. } = self;
        match self.within {
            true => format!("make version {} of {} champion", from.number, from.model),
            false => format!(
                "promote version {} of {} to {}",
                from.number, from.model, to.target
            ),
        }
    }
}

/// A version of a workspace's own registry points to files of that workspace.
fn elsewhere<T>(from: &Side<'_>, to: &Side<'_>) -> Result<T, Error> {
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

fn record(from: &Source) -> VersionRecord {
    let version = Version {
        number: from.number,
        status: String::new(),
        run_id: String::new(),
        tags: from.tags.clone(),
        source: String::new(),
        model_id: String::new(),
    };
    VersionRecord::read(&from.model, from.number, &version.pairs())
}

/// Looks at both ends and says what would be done. Reads only.
///
/// # Errors
/// [`Error::Refused`] when the version may not be promoted: none was found, it is not ready, was never validated, was
/// rejected, or somebody holds the destination's lock who may be at work.
pub fn plan(from: &Side<'_>, to: &Side<'_>, asked: &Asked<'_>) -> Result<Plan, Error> {
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
    room::check(&plan, to)?;
    // Only where nothing else is left: all other plans take the lock over and give it back anyway.
    plan.left_locked = plan.is_done() && lock::stands_for(to, &plan.id)?;
    Ok(plan)
}

/// The source's version, with what is written on it.
pub(crate) fn source(from: &Side<'_>, number: u64, alias: Option<String>) -> Result<Source, Error> {
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
fn usual(from: &Side<'_>, train: &str, within: bool) -> Result<Source, Error> {
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
    let record = record(source);
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
        .details("without it nobody can tell whether these are the files that passed")
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
            commit: record(source).origin.git_commit,
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
///
/// # Errors
/// [`Error::Refused`] with what has changed.
pub(crate) fn still_holds(plan: &Plan, from: &Side<'_>, to: &Side<'_>) -> Result<(), Error> {
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
