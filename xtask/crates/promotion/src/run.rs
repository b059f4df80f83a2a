//! A run through the steps of a promotion, or of one that is taken back; and the steps back where something forbids the
//! next one.

use std::path::Path;
use std::time::Duration;

use xtask_remote::Request;
use xtask_remote::databricks::model_versions;
use xtask_remote::records::artifact_digest;

use crate::calls::Known;
use crate::error::{Error, Refusal};
use crate::event::{Event, State};
use crate::journal::{Journal, Line};
use crate::lock;
use crate::open_end::OpenEnd;
use crate::plan::Plan;
use crate::planning;
use crate::promotion::{Done, Promotion, Watch};
use crate::steps::{self, Aim, Step, Work};
use crate::survey::{CHALLENGER, CHAMPION};
use crate::tags::PROMOTION_ID;
use crate::undo::{self, UndoPlan};

/// How long a registration may take until the version is ready.
const PATIENCE: Duration = Duration::from_secs(300);

/// A run through the steps.
pub(crate) struct Run<'r, 'a> {
    promotion: &'r Promotion<'a>,
    watch: &'r mut dyn Watch,
    journal: &'r mut Journal,
    known: Known,
    about: About<'r>,
    locked: bool,
    /// Whether the version is on its way to be champion.
    setting_champion: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum About<'r> {
    Promote(&'r Plan),
    Undo(&'r UndoPlan),
}

impl<'r> About<'r> {
    fn plan(self) -> Option<&'r Plan> {
        match self {
            About::Promote(plan) => Some(plan),
            About::Undo(_) => None,
        }
    }
}

impl<'r, 'a> Run<'r, 'a> {
    /// A run that has not begun. `version` is the one that it is about, where that is known.
    pub(crate) fn new(
        promotion: &'r Promotion<'a>,
        watch: &'r mut dyn Watch,
        journal: &'r mut Journal,
        about: About<'r>,
        version: Option<u64>,
    ) -> Run<'r, 'a> {
        Run {
            promotion,
            watch,
            journal,
            known: Known {
                version,
                now: String::new(),
                owner: promotion.owner.to_string(),
            },
            about,
            locked: false,
            setting_champion: false,
        }
    }

    /// Makes the steps; where one fails, it steps back.
    pub(crate) fn through(mut self, steps: &[Step]) -> Result<Done, Error> {
        match self.all(steps) {
            Ok(()) => Ok(Done {
                version: self.known.version.unwrap_or_default(),
                at: self.known.now,
            }),
            Err(error) => {
                self.step_back(&error);
                Err(error)
            }
        }
    }

    fn all(&mut self, steps: &[Step]) -> Result<(), Error> {
        for step in steps {
            if self.watch.stopped() {
                return Err(Error::Interrupted);
            }
            self.watch.step(step);
            let name = || step.name.to_owned();
            self.journal.write(&Line::Before { step: name() });
            self.make(step)?;
            self.watch.made(step);
            self.journal.write(&Line::After { step: name() });
        }
        Ok(())
    }

    fn make(&mut self, step: &Step) -> Result<(), Error> {
        match step.work {
            Work::Lock => self.lock(&step.calls),
            Work::Create => self.create(&step.calls),
            Work::Upload => self.upload(&step.calls),
            Work::Ready => self.ready(&step.calls),
            Work::Verify => self.verify(),
            Work::Send => self.send(&step.calls),
            Work::Smoke => self.smoke(),
            Work::SetChampion { from, to } => self.set_champion(&step.calls, from, to),
            Work::ReadBack(aim) => self.read_back(aim),
            Work::Unlock => self.unlock(&step.calls),
        }
    }

    fn send(&self, calls: &[Request]) -> Result<(), Error> {
        for call in calls {
            self.send_one(call)?;
        }
        Ok(())
    }

    /// Sends a call that does no harm when it is sent twice. What is to be removed may be gone.
    fn send_one(&self, call: &Request) -> Result<(), Error> {
        let filled = self.known.fill(call).repeatable();
        match self.promotion.to.transport.send(&filled) {
            Err(error) if call.method == xtask_remote::Method::Delete && is_gone(&error) => Ok(()),
            other => other.map(drop).map_err(Error::from),
        }
    }

    fn lock(&mut self, calls: &[Request]) -> Result<(), Error> {
        let Promotion {
            from,
            to,
            owner,
            break_lock,
            ..
        } = self.promotion;
        for call in calls {
            self.known.now = lock::take(to, call, &self.known, owner, *break_lock)?;
        }
        self.locked = true;
        match self.about {
            About::Promote(plan) => planning::still_holds(plan, from, to),
            About::Undo(plan) => undo::still_holds(plan, to),
        }
    }

    /// Makes the version. A reply that was lost may have made one: that is looked for before anything is sent again.
    fn create(&mut self, calls: &[Request]) -> Result<(), Error> {
        let to = &self.promotion.to;
        for call in calls {
            let mut attempts = 3;
            self.known.version = Some(loop {
                attempts -= 1;
                let error = match to.transport.send(call) {
                    Ok(reply) => match model_versions::made(call, &reply) {
                        Ok(number) => break number,
                        Err(error) => error,
                    },
                    Err(error) => error,
                };
                if !(error.leaves_open() || error.is_transient()) || attempts == 0 {
                    return Err(error.into());
                }
                if let Some(number) = self.made()? {
                    break number;
                }
            });
        }
        Ok(())
    }

    /// The version that this promotion has made, whatever was said about it.
    fn made(&self) -> Result<Option<u64>, Error> {
        let Some(plan) = self.about.plan() else {
            return Ok(None);
        };
        let to = &self.promotion.to;
        let versions = to.registry.versions(to.transport, to.model)?;
        let mut ours = versions
            .iter()
            .filter(|version| version.tags.get(PROMOTION_ID) == Some(&plan.id));
        Ok(ours.next().map(|version| version.number))
    }

    fn upload(&mut self, calls: &[Request]) -> Result<(), Error> {
        let Some(plan) = self.about.plan() else {
            return Ok(());
        };
        let Promotion { from, to, .. } = self.promotion;
        let staging = steps::staging(self.promotion.folder);
        self.fetch(from, plan.from.number, &staging)?;
        let found = artifact_digest(&staging)?;
        if found != plan.digest() {
            return altered(from, plan.from.number, plan.digest(), &found);
        }
        let length = |call: &Request| match &call.body {
            xtask_remote::Body::File(path) => std::fs::metadata(path).map_or(0, |file| file.len()),
            _ => 0,
        };
        let calls: Vec<(Request, u64)> = calls
            .iter()
            .map(|call| (self.known.fill(call), length(call)))
            .collect();
        let watch = &mut *self.watch;
        let number = self.known.version.unwrap_or_default();
        let mut on_bytes = |done, total| {
            watch.bytes(done, total);
            !watch.stopped()
        };
        let (way, model) = (to.transport, to.model);
        to.carrier
            .store(way, model, number, &staging, &calls, &mut on_bytes)
    }

    fn fetch(&mut self, end: &OpenEnd<'_>, version: u64, folder: &Path) -> Result<(), Error> {
        let watch = &mut *self.watch;
        std::fs::create_dir_all(folder).map_err(|source| Error::local(folder, source))?;
        end.carrier.fetch(
            end.transport,
            end.model,
            version,
            folder,
            &mut |done, total| {
                watch.bytes(done, total);
                !watch.stopped()
            },
        )
    }

    fn ready(&mut self, calls: &[Request]) -> Result<(), Error> {
        self.send(calls)?;
        let to = &self.promotion.to;
        let number = self.known.version.unwrap_or_default();
        let (mut waited, mut pause) = (Duration::ZERO, Duration::from_millis(100));
        loop {
            let found = to.registry.version(to.transport, to.model, number)?;
            let status = found.map_or_else(|| "gone".to_owned(), |version| version.status);
            match status.as_str() {
                "READY" => return Ok(()),
                "PENDING_REGISTRATION" | "PENDING" if waited < PATIENCE => {}
                status => {
                    return Refusal::new(format!(
                        "version {number} of {} did not become ready: {status}",
                        to.model
                    ))
                    .next("call it again: a failed registration is left aside")
                    .err();
                }
            }
            if self.watch.stopped() {
                return Err(Error::Interrupted);
            }
            self.watch.sleep(pause);
            waited += pause;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    fn verify(&mut self) -> Result<(), Error> {
        let Some(plan) = self.about.plan() else {
            return Ok(());
        };
        self.setting_champion = true;
        let number = self.known.version.unwrap_or_default();
        let folder = steps::arrived(self.promotion.folder);
        let to = self.promotion.to;
        // Anew: what an earlier attempt fetched says nothing about what is there now.
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::local(&folder, error));
            }
            _ => {}
        }
        self.fetch(&to, number, &folder)?;
        let found = artifact_digest(&folder)?;
        match found == plan.digest() {
            true => Ok(()),
            false => altered(&to, number, plan.digest(), &found),
        }
    }

    fn smoke(&mut self) -> Result<(), Error> {
        let said = (self.promotion.smoke)(&steps::arrived(self.promotion.folder))?;
        self.watch.note(&said);
        Ok(())
    }

    /// Moves the champion's alias. No registry compares and swaps, so: the lock must still be ours and the alias where
    /// the plan saw it, right before.
    fn set_champion(
        &mut self,
        calls: &[Request],
        from: Option<u64>,
        aim: Aim,
    ) -> Result<(), Error> {
        let to = &self.promotion.to;
        let goal = self.number(aim);
        for call in calls {
            let mut attempts = 3;
            loop {
                attempts -= 1;
                lock::still_ours(to, &self.known)?;
                let now = to.registry.aliased(to.transport, to.model, CHAMPION)?;
                if now == goal {
                    break;
                }
                if now != from {
                    return moved(to, from, now);
                }
                match to.transport.send(&self.known.fill(call)) {
                    Ok(_) => break,
                    Err(error) if attempts > 0 && (error.leaves_open() || error.is_transient()) => {
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn number(&self, aim: Aim) -> Option<u64> {
        match aim {
            Aim::Ours => self.known.version,
            Aim::Version(number) => Some(number),
            Aim::Nobody => None,
        }
    }

    fn read_back(&mut self, aim: Aim) -> Result<(), Error> {
        let to = &self.promotion.to;
        let (now, goal) = (
            to.registry.aliased(to.transport, to.model, CHAMPION)?,
            self.number(aim),
        );
        if now == goal {
            return Ok(());
        }
        moved(to, goal, now)
    }

    fn unlock(&mut self, calls: &[Request]) -> Result<(), Error> {
        for call in calls {
            lock::still_ours(&self.promotion.to, &self.known)?;
            match self.promotion.to.transport.send(call) {
                Err(error) if !is_gone(&error) => return Err(error.into()),
                _ => self.locked = false,
            }
        }
        Ok(())
    }

    /// After a failure: the lock is given back; and after a refusal the challenger is who it was, and the event says
    /// why. What fails here is left for the next call, which finds it.
    fn step_back(&mut self, error: &Error) {
        if !self.locked || lock::still_ours(&self.promotion.to, &self.known).is_err() {
            return;
        }
        if let (Error::Refused(refusal), Some(plan)) =
            (error, self.about.plan().filter(|_| self.setting_champion))
        {
            let _ = self.note_refusal(plan, refusal);
        }
        let _ = self
            .promotion
            .to
            .transport
            .send(&lock::giving_back(&self.promotion.to));
    }

    fn note_refusal(&mut self, plan: &Plan, refusal: &Refusal) -> Result<(), Error> {
        let to = &self.promotion.to;
        let Some(number) = self.known.version else {
            return Ok(());
        };
        let ours = number.to_string();
        let aliased = |alias| to.registry.aliased(to.transport, to.model, alias);
        if aliased(CHAMPION)? == Some(number) {
            return Ok(());
        }
        if aliased(CHALLENGER)? == Some(number)
            && !(plan.within && plan.found.challenger == Some(number))
        {
            let back = steps::after_challenger(to, plan.event.waits, &ours);
            self.send(&back.into_iter().collect::<Vec<_>>())?;
            self.watch.unmade("challenger");
        }
        let version = to.registry.version(to.transport, to.model, number)?;
        if version.is_some_and(|version| version.tags.contains_key(&plan.event.key())) {
            let event = Event {
                state: State::Refused,
                why: Some(refusal.why.clone()),
                ..plan.event.clone()
            };
            let call = to
                .registry
                .set_tag(to.model, &ours, &event.key(), &event.value());
            self.send_one(&call)?;
        }
        Ok(())
    }
}

/// Whether a refusal says that what was to be removed is not there.
fn is_gone(error: &xtask_remote::Error) -> bool {
    error.is_not_found()
        || matches!(error, xtask_remote::Error::Refused { message, .. }
            if message.contains("not found") || message.contains("does not exist"))
}

fn altered<T>(end: &OpenEnd<'_>, number: u64, validated: &str, found: &str) -> Result<T, Error> {
    Refusal::new(format!(
        "the files of version {number} of {} in {} are not those that were validated",
        end.model, end.target
    ))
    .details(format!("validated {validated}\nfound     {found}"))
    .next("do not use this version: train and validate a new one")
    .err()
}

fn moved<T>(end: &OpenEnd<'_>, expected: Option<u64>, found: Option<u64>) -> Result<T, Error> {
    let name = |number: Option<u64>| {
        number.map_or_else(
            || "no version".to_owned(),
            |number| format!("version {number}"),
        )
    };
    Refusal::new(format!(
        "the champion of {} was moved in the meantime",
        end.target
    ))
    .details(format!(
        "it should be {} and is {}",
        name(expected),
        name(found)
    ))
    .next("cargo xtask promote --history   # who")
    .next("cargo xtask status")
    .err()
}
