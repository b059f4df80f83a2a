//! The steps of a promotion: each says which calls it will make, and is made of nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use xtask_remote::{Method, Request};

use crate::calls::{Call, VERSION};
use crate::event::{Event, State};
use crate::lock;
use crate::open_end::OpenEnd;
use crate::plan::Plan;
use crate::registry::NewVersion;
use crate::survey::{CHALLENGER, CHAMPION};
use crate::tags::{
    LONGEST, OF_THE_PLACE, PREVIOUS_CHAMPION, PROMOTION_FROM, PROMOTION_ID, PROMOTION_SOURCE,
    TRAINED_IN, VERDICT, VERDICT_FOR, VERDICT_REASON, shortened,
};

#[derive(Debug, Clone)]
pub struct Step {
    /// A word for it, the same in each promotion.
    pub name: &'static str,
    /// What it does, for people.
    pub does: String,
    /// The calls that it writes with, in their order.
    pub(crate) calls: Vec<Request>,
    /// What else there is to it.
    pub work: Work,
}

impl Step {
    /// The calls that it writes with, in their order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.calls.iter().map(Call::of).collect()
    }
}

/// What a step does besides its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Takes the lock, and looks at both ends again.
    Lock,
    /// Makes the version, unless a lost reply has.
    Create,
    /// Fetches the source's files, compares their digest, and sends them on.
    Upload,
    /// Waits until the version is ready.
    Ready,
    /// Fetches the destination's files and compares their digest.
    Verify,
    /// Nothing.
    Send,
    /// Has the destination's code predict with the files that were verified.
    Smoke,
    /// Moves the champion's alias, if it was not moved in the meantime.
    SetChampion {
        /// Where it must be before.
        from: Option<u64>,
        /// Where it goes.
        to: Aim,
    },
    /// Reads the champion's alias.
    ReadBack(Aim),
    /// Gives the lock back.
    Unlock,
}

/// Whom an alias is to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// The version that this is about.
    Ours,
    /// Another one.
    Version(u64),
    Nobody,
}

/// A step of calls alone.
pub(crate) fn send(name: &'static str, does: impl Into<String>, calls: Vec<Request>) -> Step {
    Step {
        name,
        does: does.into(),
        calls,
        work: Work::Send,
    }
}

/// A step with work of its own.
pub(crate) fn work(name: &'static str, does: impl Into<String>, work: Work) -> Step {
    Step {
        name,
        does: does.into(),
        calls: Vec::new(),
        work,
    }
}

/// All steps of a plan, in their order.
#[must_use]
pub fn of(plan: &Plan, from: &OpenEnd<'_>, to: &OpenEnd<'_>, folder: &Path) -> Vec<Step> {
    let mut steps = vec![Step {
        calls: vec![lock::taking(to, &plan.id, &plan.sentence())],
        ..work("lock", format!("take the lock of {}", to.model), Work::Lock)
    }];
    if !plan.within {
        steps.extend(copying(plan, to, folder));
    }
    if !plan.is_champion() {
        steps.extend(setting_champion(plan, from, to));
    }
    if !plan.is_settled() || !plan.is_champion() {
        steps.push(settling(plan, to));
    }
    if !plan.links.is_empty() {
        let calls = plan.links.iter().map(Call::request).collect();
        steps.push(send(
            "links",
            format!("mend the links of {}", to.model),
            calls,
        ));
    }
    steps.push(work(
        "read back",
        format!("read the champion of {}", to.target),
        Work::ReadBack(Aim::Ours),
    ));
    steps.push(Step {
        calls: vec![lock::giving_back(to)],
        ..work("unlock", "give the lock back", Work::Unlock)
    });
    steps
}

/// Where the source's files lie on their way.
pub(crate) fn staging(folder: &Path) -> PathBuf {
    folder.join("source")
}

/// Where the destination's files lie when they are compared.
pub(crate) fn arrived(folder: &Path) -> PathBuf {
    folder.join("destination")
}

/// How the version is written in calls: by its number, or by the word for it.
fn version(plan: &Plan) -> String {
    let copy = plan.found.copy.as_ref();
    copy.map_or_else(|| VERSION.to_owned(), |copy| copy.number.to_string())
}

fn copying(plan: &Plan, to: &OpenEnd<'_>, folder: &Path) -> Vec<Step> {
    let copy = plan.found.copy.as_ref();
    if copy.is_some_and(|copy| copy.ready) {
        return Vec::new();
    }
    let version = version(plan);
    let mut steps = Vec::new();
    if copy.is_none() {
        let does = format!("make a version of {}", to.model);
        steps.push(Step {
            calls: vec![creating(plan, to)],
            ..work("create", does, Work::Create)
        });
    }
    let has =
        |name: &str, length: u64| copy.is_some_and(|copy| copy.uploaded.get(name) == Some(&length));
    let missing: Vec<&str> = plan
        .from
        .files
        .iter()
        .filter(|(name, length)| !has(name, **length))
        .map(|(name, _)| name.as_str())
        .collect();
    let bytes: u64 = missing
        .iter()
        .filter_map(|name| plan.from.files.get(*name))
        .sum();
    steps.push(Step {
        calls: to
            .carrier
            .uploads(to.model, &version, &staging(folder), &missing),
        ..work(
            "upload",
            match to.registry.takes_files() {
                true => format!(
                    "bring {} files, {bytes} bytes, from {}",
                    missing.len(),
                    plan.from.target
                ),
                false => format!(
                    "compare the files of {} with those validated",
                    plan.source()
                ),
            },
            Work::Upload,
        )
    });
    steps.push(Step {
        calls: to
            .registry
            .finalize(to.model, &version)
            .into_iter()
            .collect(),
        ..work("ready", "wait until it is ready", Work::Ready)
    });
    steps
}

/// The call that makes the version, with all that is known about it: an interrupted promotion finds it by these tags.
fn creating(plan: &Plan, to: &OpenEnd<'_>) -> Request {
    // Only the same workspace knows the run and the logged model.
    let known_there =
        |id: &'_ String| (plan.from.host == plan.to.host && !id.is_empty()).then(|| id.clone());
    let (run_id, model_id) = (
        known_there(&plan.from.run_id),
        known_there(&plan.from.model_id),
    );
    let new = NewVersion {
        source: format!("models:/{}", plan.source()),
        files: &plan.from.place,
        run_id: run_id.as_deref(),
        model_id: model_id.as_deref(),
        tags: &copied_tags(plan),
        description: format!(
            "Copy of version {} of {}",
            plan.from.number, plan.from.model
        ),
    };
    to.registry.create(to.model, &new)
}

/// What is written on a copy from the first moment.
pub(crate) fn copied_tags(plan: &Plan) -> BTreeMap<String, String> {
    let source = plan.source();
    let mut written: BTreeMap<String, String> = plan
        .from
        .tags
        .iter()
        .filter(|(key, _)| {
            !OF_THE_PLACE.contains(&key.as_str()) && !key.starts_with("mlops_event_")
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let from = format!("{} {}", plan.from.target, plan.from.host);
    for (key, value) in [
        (PROMOTION_ID, plan.id.as_str()),
        (PROMOTION_SOURCE, &source),
        (PROMOTION_FROM, &from),
    ] {
        written.insert(key.to_owned(), shortened(value, LONGEST));
    }
    if !plan.from.run_id.is_empty() {
        // A copy of a copy says where the first one came from.
        let trained_in = format!("{} {}", plan.from.host, plan.from.run_id);
        written.entry(TRAINED_IN.to_owned()).or_insert(trained_in);
    }
    written
}

fn setting_champion(plan: &Plan, from: &OpenEnd<'_>, to: &OpenEnd<'_>) -> Vec<Step> {
    let version = version(plan);
    let number = match version.as_str() {
        VERSION => "the new version".to_owned(),
        number => format!("version {number}"),
    };
    let mut steps = vec![work(
        "verify",
        format!(
            "compare its files in {} with those that were validated in {}",
            to.target, from.target
        ),
        Work::Verify,
    )];
    let tags = tagging(plan, to, &version);
    if !tags.is_empty() {
        steps.push(send(
            "tags",
            "write on it what it is, and whom it replaces",
            tags,
        ));
    }
    let is_challenger = plan
        .found
        .copy
        .as_ref()
        .is_some_and(|copy| plan.found.challenger == Some(copy.number));
    if !is_challenger {
        let call = to.registry.set_alias(to.model, CHALLENGER, &version);
        steps.push(send(
            "challenger",
            format!("make {number} the challenger"),
            vec![call],
        ));
    }
    steps.push(work(
        "smoke",
        format!("predict with it by the code of {}", to.target),
        Work::Smoke,
    ));
    let replaces = match plan.found.champion {
        Some(champion) => format!("make {number} champion in place of version {champion}"),
        None => format!("make {number} the first champion"),
    };
    let set_champion = Work::SetChampion {
        from: plan.found.champion,
        to: Aim::Ours,
    };
    steps.push(Step {
        calls: vec![to.registry.set_alias(to.model, CHAMPION, &version)],
        ..work("champion", replaces, set_champion)
    });
    steps
}

/// The tags that are not on it yet. The event comes last: from it one can go back.
fn tagging(plan: &Plan, to: &OpenEnd<'_>, version: &str) -> Vec<Request> {
    let present = plan.found.copy.as_ref().map(|copy| &copy.tags);
    champion_tags(plan, to, version)
        .iter()
        .filter(|(key, value)| present.and_then(|tags| tags.get(key)) != Some(value))
        .map(|(key, value)| to.registry.set_tag(to.model, version, key, value))
        .collect()
}

/// What a version on its way to be champion carries, in the order in which it is written.
pub(crate) fn champion_tags(plan: &Plan, to: &OpenEnd<'_>, version: &str) -> Vec<(String, String)> {
    let mut wanted: Vec<(String, String)> = Vec::new();
    if !plan.within {
        let judgement = plan.record().judgement;
        let reason = judgement.map_or_else(String::new, |judgement| judgement.reason);
        let reason = format!(
            "as version {} of {}: {reason}",
            plan.from.number, plan.from.model
        );
        wanted.push((VERDICT_REASON.to_owned(), shortened(&reason, LONGEST)));
        wanted.push((VERDICT_FOR.to_owned(), format!("{}/{version}", to.model)));
        wanted.push((VERDICT.to_owned(), "passed".to_owned()));
    }
    let was = plan.event.was;
    let was = was.map_or_else(|| "none".to_owned(), |number| number.to_string());
    wanted.push((PREVIOUS_CHAMPION.to_owned(), was));
    wanted.push((plan.event.key(), plan.event.value()));
    wanted
}

/// Puts the challenger back that had to wait, and notes that the promotion came to its end.
fn settling(plan: &Plan, to: &OpenEnd<'_>) -> Step {
    let version = version(plan);
    let copy = plan.found.copy.as_ref();
    let mut calls = Vec::new();
    let is_challenger = copy.is_some_and(|copy| plan.found.challenger == Some(copy.number));
    if !plan.is_champion() || is_challenger {
        calls.extend(after_challenger(to, plan.event.waits, &version));
    }
    let live = Event {
        state: State::Live,
        ..plan.event.clone()
    };
    let before = copy.and_then(|copy| copy.event());
    if before.is_none_or(|before| before.id != live.id || before.state == State::Begun) {
        calls.push(
            to.registry
                .set_tag(to.model, &version, &live.key(), &live.value()),
        );
    }
    send(
        "settle",
        "note that it is live, and free the challenger's place",
        calls,
    )
}

/// The call after which the challenger is who it was; none where the champion's alias took its place.
pub(crate) fn after_challenger(
    to: &OpenEnd<'_>,
    waits: Option<u64>,
    ours: &str,
) -> Option<Request> {
    let waits = waits.map(|waits| waits.to_string());
    match waits.filter(|waits| waits != ours) {
        Some(waits) => Some(to.registry.set_alias(to.model, CHALLENGER, &waits)),
        None if to.registry.has_stages() => None,
        None => Some(to.registry.delete_alias(to.model, CHALLENGER, ours)),
    }
}

impl Call {
    /// The request that this is the picture of; only for calls that send JSON or nothing.
    pub(crate) fn request(&self) -> Request {
        let method = match self.method.as_str() {
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            _ => Method::Post,
        };
        // The query stands in the path already, as it was escaped.
        let request = Request::new(method, self.path.as_str());
        match self.body.is_null() {
            true => request,
            false => request.json(&self.body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags;

    #[test]
    fn what_speaks_of_a_place_does_not_follow() {
        for key in [
            VERDICT,
            VERDICT_FOR,
            PREVIOUS_CHAMPION,
            tags::CHAMPION_AT_VALIDATION,
        ] {
            assert!(OF_THE_PLACE.contains(&key), "{key}");
        }
        assert!(!OF_THE_PLACE.contains(&tags::ARTIFACT_DIGEST));
    }
}
