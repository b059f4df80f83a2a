//! Takes a promotion back: the champion that it replaced is champion again. No version is ever deleted.

use serde::{Deserialize, Serialize};
use xtask_remote::records::{Champion, VersionRecord};

use crate::calls::NOW;
use crate::error::{Error, Refusal};
use crate::event::{Event, State};
use crate::open_end::OpenEnd;
use crate::plan::End;
use crate::registry::Version;
use crate::steps::{self, Aim, Step, Work};
use crate::survey::{CHALLENGER, CHAMPION};
use crate::{lock, random};

/// What taking back will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoPlan {
    pub to: End,
    /// The version that is champion no more afterwards.
    pub number: u64,
    /// What it remembers of the promotion that is taken back.
    pub event: Event,
    /// Who takes it back.
    pub by: String,
    /// The champion now.
    pub champion: Option<u64>,
    /// Whether the version still has the challenger's alias, which the promotion left.
    pub is_challenger: bool,
    /// Whether all this is done but one thing: the lock that was taken for it still stands.
    #[serde(default)]
    pub left_locked: bool,
}

impl UndoPlan {
    /// The champion afterwards; none where the first one is taken back.
    #[must_use]
    pub fn previous(&self) -> Option<u64> {
        match self.is_overtaken() {
            true => self.champion,
            false => self.event.was,
        }
    }

    /// Whether it was begun, and another version became champion before it was finished: then only this is
    /// noted, and the champion stays.
    fn is_overtaken(&self) -> bool {
        self.event.state == State::Undoing
            && self.champion != Some(self.number)
            && self.champion != self.event.was
    }

    /// Whether there is nothing left to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.was_undone() && !self.left_locked
    }

    fn was_undone(&self) -> bool {
        self.event.state == State::Undone
    }

    /// One line for the lock, and for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let number = self.number;
        if self.is_overtaken() {
            return format!(
                "note that version {number} of {} was taken back; the champion stays, as it was moved since",
                self.to.model
            );
        }
        match self.previous() {
            Some(previous) => format!(
                "take version {number} of {} back: version {previous} is champion again",
                self.to.model
            ),
            None => format!(
                "take version {number} of {} back: it was the first champion, so there is none afterwards",
                self.to.model
            ),
        }
    }

    /// The steps, in their order.
    #[must_use]
    pub fn steps(&self, to: &OpenEnd<'_>) -> Vec<Step> {
        let mut steps = vec![Step {
            calls: vec![lock::taking(to, &self.event.id, &self.sentence())],
            ..steps::work("lock", format!("take the lock of {}", to.model), Work::Lock)
        }];
        if !self.was_undone() {
            steps.extend(self.undoing(to));
        }
        steps.push(Step {
            calls: vec![lock::giving_back(to)],
            ..steps::work("unlock", "give the lock back", Work::Unlock)
        });
        steps
    }

    /// The steps between lock and unlock.
    fn undoing(&self, to: &OpenEnd<'_>) -> Vec<Step> {
        let version = self.number.to_string();
        let marked = |state: State| {
            let undone = state == State::Undone;
            let event = Event {
                state,
                undone_by: Some(self.by.clone()),
                undone_at: undone.then(|| NOW.to_owned()),
                ..self.event.clone()
            };
            to.registry
                .set_tag(to.model, &version, &event.key(), &event.value())
        };
        let mut steps = Vec::new();
        if self.event.state != State::Undoing {
            let does = "note on it that it is being taken back";
            steps.push(steps::send("mark", does, vec![marked(State::Undoing)]));
        }
        let aim = self.previous().map_or(Aim::Nobody, Aim::Version);
        if self.champion == Some(self.number) {
            steps.push(self.setting_champion(to, aim));
        }
        let mut calls = Vec::new();
        if self.is_challenger {
            calls.extend(steps::after_challenger(to, self.event.waits, &version));
        }
        calls.push(marked(State::Undone));
        steps.push(steps::send(
            "settle",
            "note on it that it was taken back",
            calls,
        ));
        steps.push(steps::work(
            "read back",
            format!("read the champion of {}", to.target),
            Work::ReadBack(aim),
        ));
        steps
    }

    fn setting_champion(&self, to: &OpenEnd<'_>, aim: Aim) -> Step {
        let (call, does) = match self.previous() {
            Some(previous) => (
                to.registry
                    .set_alias(to.model, CHAMPION, &previous.to_string()),
                format!("make version {previous} champion again"),
            ),
            None => (
                to.registry
                    .delete_alias(to.model, CHAMPION, &self.number.to_string()),
                "leave the model without a champion, as it was before".to_owned(),
            ),
        };
        let set_champion = Work::SetChampion {
            from: Some(self.number),
            to: aim,
        };
        Step {
            calls: vec![call],
            ..steps::work("champion", does, set_champion)
        }
    }
}

/// Finds the promotion that is to be taken back: the one with this id (or its first digits), else the newest. Reads only.
pub fn plan_undo(to: &OpenEnd<'_>, id: Option<&str>, by: &str) -> Result<UndoPlan, Error> {
    let champion = to.registry.aliased(to.transport, to.model, CHAMPION)?;
    let challenger = to.registry.aliased(to.transport, to.model, CHALLENGER)?;
    let versions = to.registry.versions(to.transport, to.model)?;
    let (number, event) = match (id, interrupted(to, id, &versions, champion)?) {
        (Some(id), _) => named(to, &versions, id)?,
        (None, Some(found)) => found,
        (None, None) => newest(to, &versions, champion)?,
    };
    let mut plan = UndoPlan {
        to: End {
            target: to.target.to_owned(),
            host: to.host.to_owned(),
            model: to.model.to_owned(),
        },
        number,
        event,
        by: by.to_owned(),
        champion,
        is_challenger: challenger == Some(number),
        left_locked: false,
    };
    if plan.was_undone() {
        plan.left_locked = lock::stands_for(to, &plan.event.id)?;
    } else {
        may_go(to, &plan, &versions)?;
    }
    Ok(plan)
}

/// The promotion whose undo holds the lock: a user whose undo was killed with all done but the lock, and who runs it again,
/// does not mean the one before it. Where the champion was moved since, they mean that.
fn interrupted(
    to: &OpenEnd<'_>,
    id: Option<&str>,
    versions: &[Version],
    champion: Option<u64>,
) -> Result<Option<(u64, Event)>, Error> {
    let held = match id {
        Some(_) => None,
        None => lock::holder(to)?,
    };
    let Some(held) = held else {
        return Ok(None);
    };
    let mut events = all(versions).into_iter();
    Ok(events.find(|(number, event)| {
        let under_way = match event.state {
            State::Undoing => champion == Some(*number) || champion == event.was,
            State::Undone => champion == event.was,
            _ => false,
        };
        under_way && event.id == held.id
    }))
}

fn named(to: &OpenEnd<'_>, versions: &[Version], id: &str) -> Result<(u64, Event), Error> {
    let mut found = all(versions)
        .into_iter()
        .filter(|(_, event)| id.len() >= 4 && event.id.starts_with(id));
    match (found.next(), found.next()) {
        (Some(found), None) => Ok(found),
        (Some(_), Some(_)) => Refusal::new(format!("several promotions begin with {id}"))
            .next(history(to))
            .err(),
        (None, _) => Refusal::new(format!("{} remembers no promotion {id}", to.model))
            .next(history(to))
            .err(),
    }
}

fn all(versions: &[Version]) -> Vec<(u64, Event)> {
    let mut events: Vec<(u64, Event)> = versions
        .iter()
        .flat_map(|version| {
            let events = Event::all(&version.tags).into_iter();
            events.map(|event| (version.number, event))
        })
        .collect();
    events.sort_by_key(|(_, event)| event.n);
    events
}

/// The newest promotion that went live, one whose undoing was interrupted first. A training job's own deployment has no
/// event; what it wrote down on the version is as good.
fn newest(
    to: &OpenEnd<'_>,
    versions: &[Version],
    champion: Option<u64>,
) -> Result<(u64, Event), Error> {
    let events = all(versions);
    let last = events.last().map_or(0, |(_, event)| event.n);
    // One that was overtaken since is not what is meant.
    let under_way = |(number, event): &&(u64, Event)| {
        event.state == State::Undoing && (champion == Some(*number) || champion == event.was)
    };
    let went_live = |(number, event): &&(u64, Event)| match event.state {
        State::Live => true,
        State::Begun => champion == Some(*number),
        State::Undoing | State::Refused | State::Undone => false,
    };
    let undoing = events.iter().find(under_way);
    let newest = undoing.or_else(|| events.iter().rfind(went_live));
    let by_job = champion.and_then(|champion| deployed_by_job(to, versions, champion, last));
    match (newest, by_job) {
        (Some((_, event)), Some(job))
            if event.state != State::Undoing && replaces(&job, newest) =>
        {
            Ok(job)
        }
        (Some(found), _) => Ok(found.clone()),
        (None, Some(job)) => Ok(job),
        (None, None) => Refusal::new(format!("{} has no promotion to take back", to.target))
            .next(history(to))
            .err(),
    }
}

fn replaces(job: &(u64, Event), newest: Option<&(u64, Event)>) -> bool {
    newest.is_some_and(|(number, _)| job.1.was == Some(*number) && job.0 != *number)
}

/// What a training job's deployment wrote on the champion, as an event.
fn deployed_by_job(
    to: &OpenEnd<'_>,
    versions: &[Version],
    champion: u64,
    last: u64,
) -> Option<(u64, Event)> {
    let version = versions.iter().find(|version| version.number == champion)?;
    // One that was ever promoted is champion by that, or by hand: no job did it.
    if !Event::all(&version.tags).is_empty() {
        return None;
    }
    let record = VersionRecord::read(to.model, champion, &version.pairs());
    let was = match record.previous_champion? {
        Champion::Nobody => None,
        Champion::Version(number) => Some(number),
    };
    let event = Event {
        n: last + 1,
        id: random::hex(32),
        state: State::Live,
        at: NOW.to_owned(),
        by: "a training job".to_owned(),
        from: format!("{} {}/{champion}", to.target, to.model),
        commit: record.origin.git_commit,
        pull: None,
        was,
        waits: None,
        undone_by: None,
        undone_at: None,
        why: None,
    };
    Some((champion, event))
}

fn may_go(to: &OpenEnd<'_>, plan: &UndoPlan, versions: &[Version]) -> Result<(), Error> {
    let UndoPlan {
        number,
        event,
        champion,
        ..
    } = plan;
    let was_live = match event.state {
        State::Live | State::Undoing => true,
        State::Begun => *champion == Some(*number),
        State::Refused | State::Undone => false,
    };
    if !was_live {
        return Refusal::new(format!(
            "promotion {} never made version {number} champion: there is nothing to take back",
            event.id
        ))
        .next(history(to))
        .err();
    }
    let is_begun = event.state == State::Undoing;
    if *champion != Some(*number) && !is_begun {
        return since(to, plan, versions);
    }
    let Some(previous) = event.was.filter(|_| !plan.is_overtaken()) else {
        return Ok(());
    };
    match versions.iter().find(|version| version.number == previous) {
        Some(version) if version.is_ready() => Ok(()),
        other => Refusal::new(format!(
            "version {previous} of {}, which would be champion again, {}",
            to.model,
            other.map_or("is gone", |_| "is not ready")
        ))
        .next(format!(
            "cargo xtask promote VERSION --to {}   # another one",
            to.target
        ))
        .err(),
    }
}

/// Somebody has moved the champion since: who, as far as it is known.
fn since<T>(to: &OpenEnd<'_>, plan: &UndoPlan, versions: &[Version]) -> Result<T, Error> {
    let now = match plan.champion {
        Some(number) => format!("version {number} is champion now"),
        None => "there is no champion now".to_owned(),
    };
    let later = all(versions)
        .into_iter()
        .rfind(|(number, event)| Some(*number) == plan.champion && event.n > plan.event.n);
    let who = match later {
        Some((_, event)) => format!("promoted by {} at {} ({})", event.by, event.at, event.id),
        None => {
            "by other means than this tool: a training job, the web page, another client".to_owned()
        }
    };
    Refusal::new(format!(
        "the champion of {} was moved since version {} was promoted",
        to.target, plan.number
    ))
    .details(format!("{now}, {who}"))
    .next(history(to))
    .err()
}

fn history(to: &OpenEnd<'_>) -> String {
    format!("cargo xtask promote --history --to {}", to.target)
}

/// Whether a destination is still as the plan says.
pub(crate) fn still_holds(plan: &UndoPlan, to: &OpenEnd<'_>) -> Result<(), Error> {
    let champion = to.registry.aliased(to.transport, to.model, CHAMPION)?;
    let version = to.registry.version(to.transport, to.model, plan.number)?;
    let tags = version.map(|version| version.tags).unwrap_or_default();
    let present = Event::all(&tags)
        .into_iter()
        .find(|event| event.id == plan.event.id);
    // What a training job deployed has no event yet.
    let same = present.is_none_or(|event| event == plan.event);
    if champion == plan.champion && same {
        return Ok(());
    }
    Refusal::new("the plan does not hold any more; nothing was changed")
        .details(format!("changed since it was made: what {} has", to.target))
        .next(history(to))
        .err()
}
