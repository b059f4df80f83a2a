//! Whatever happens in whatever order: trainings, promotions, undoings, some of them killed, people at the web page, files
//! on their way that are lost, a second machine. A small model says what must come of each.
//!
//! `XTASK_SEED` starts other sequences, `XTASK_CASES` says how many. What fails is made as short as it can be, and
//! printed with its seed.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;
use xtask_promotion::Error;
use xtask_testkit::{Dice, Life, Phase};

use crate::promoter::{Promoter, Ways};
use crate::watched::Watched;
use crate::world::{Before, PROD, STAGING, World, train};

const CASES: u64 = 256;
const LONGEST: usize = 14;
const MACHINES: [&str; 2] = ["laptop", "server"];

/// Something that happens. Numbers choose among what there is, whatever that is by then.
#[derive(Debug, Clone, Copy)]
enum Op {
    /// A job trains in staging, and makes what it trained champion there.
    Train,
    /// The same in production.
    TrainInProd,
    Promote {
        machine: usize,
        version: Option<usize>,
        killed: Option<(usize, Phase)>,
        /// Whether a lock of the other machine is broken.
        breaks: bool,
    },
    Undo {
        machine: usize,
        event: Option<usize>,
        killed: Option<(usize, Phase)>,
        breaks: bool,
    },
    /// Somebody moves an alias of production at the web page.
    Edit { alias: &'static str, to: usize },
    /// The files on their way are gone.
    Forget { machine: usize },
}

fn ops(seed: u64) -> Vec<Op> {
    let mut dice = Dice::new(seed);
    let count = 4 + dice.below(LONGEST - 3);
    (0..count).map(|_| op(&mut dice)).collect()
}

fn op(dice: &mut Dice) -> Op {
    let machine = dice.below(2);
    let killed = dice
        .chance(2, 5)
        .then(|| (1 + dice.below(45), dice.one_of(&Phase::ALL)));
    let breaks = dice.chance(1, 2);
    match dice.below(12) {
        0 | 1 => Op::Train,
        2 => Op::TrainInProd,
        3..=6 => Op::Promote {
            machine,
            version: dice.chance(1, 3).then(|| dice.below(8)),
            killed,
            breaks,
        },
        7..=9 => Op::Undo {
            machine,
            event: dice.chance(1, 2).then(|| dice.below(8)),
            // An undoing makes fewer calls.
            killed: killed.map(|(call, phase)| (1 + call % 18, phase)),
            breaks,
        },
        10 => Op::Edit {
            alias: dice.one_of(&["champion", "champion", "challenger"]),
            to: dice.below(8),
        },
        _ => Op::Forget { machine },
    }
}

/// What a version remembers of a promotion.
#[derive(Debug, Clone)]
struct Event {
    version: u64,
    n: u64,
    id: String,
    state: String,
    was: Option<u64>,
}

fn events(world: &World) -> Vec<Event> {
    let mut events = Vec::new();
    for (version, kept) in world.prod.versions(PROD) {
        for (key, value) in &kept.tags {
            if !key.starts_with("mlops_event_") {
                continue;
            }
            let event: Value = serde_json::from_str(value).unwrap();
            events.push(Event {
                version,
                n: event["n"].as_u64().unwrap(),
                id: event["id"].as_str().unwrap().to_owned(),
                state: event["state"].as_str().unwrap().to_owned(),
                was: event["was"].as_u64(),
            });
        }
    }
    events.sort_by_key(|event| event.n);
    events
}

/// A run of one sequence.
struct Run {
    world: World,
    promoters: [Promoter; 2],
    trained: usize,
}

impl Run {
    fn new() -> Run {
        Run {
            world: World::new(Before::Champion),
            promoters: MACHINES.map(Promoter::on),
            trained: 0,
        }
    }

    fn all(&mut self, ops: &[Op]) {
        for op in ops {
            self.one(*op);
            self.must_hold();
        }
        // Whatever was left, one more call ends it.
        let last = Op::Promote {
            machine: 0,
            version: None,
            killed: None,
            breaks: true,
        };
        self.one(Op::Train);
        self.one(last);
        self.must_hold();
        assert_eq!(self.world.prod.workspace_files(), Vec::<String>::new());
    }

    fn one(&mut self, op: Op) {
        match op {
            Op::Train => {
                self.trained += 1;
                let number = train(&self.world.staging, STAGING, &format!("{}", self.trained));
                self.world
                    .staging
                    .set_alias(STAGING, "champion", Some(number));
            }
            Op::TrainInProd => {
                self.trained += 1;
                let number = train(&self.world.prod, PROD, &format!("{}", self.trained));
                self.world.prod.set_alias(PROD, "champion", Some(number));
            }
            Op::Promote {
                machine,
                version,
                killed,
                breaks,
            } => self.promote(machine, version, killed, breaks),
            Op::Undo {
                machine,
                event,
                killed,
                breaks,
            } => self.undo(machine, event, killed, breaks),
            Op::Edit { alias, to } => {
                let ready: Vec<u64> = self.ready();
                self.world
                    .prod
                    .set_alias(PROD, alias, Some(ready[to % ready.len()]));
            }
            Op::Forget { machine } => self.promoters[machine].clear(),
        }
    }

    fn ready(&self) -> Vec<u64> {
        let versions = self.world.prod.versions(PROD).into_iter();
        versions
            .filter(|(_, version)| version.status == "READY")
            .map(|(number, _)| number)
            .collect()
    }

    /// Whether there is a lock.
    fn is_locked(&self) -> bool {
        let mut files = self.world.prod.workspace_files().into_iter();
        files.any(|path| path.ends_with(".lock"))
    }

    /// Whether there is a lock which the other machine has taken or begun to break.
    fn is_locked_elsewhere(&self, machine: usize) -> bool {
        let other = format!(" on {} ", MACHINES[1 - machine]);
        let mut files = self.world.prod.workspace_files().into_iter();
        self.is_locked()
            && files.any(|path| {
                let content = self.world.prod.workspace_file(&path).unwrap();
                String::from_utf8(content).unwrap().contains(&other)
            })
    }

    fn live<T>(
        &self,
        killed: Option<(usize, Phase)>,
        may_go: bool,
        work: impl FnOnce(Ways<'_>) -> T,
    ) -> Option<T> {
        let life = match killed {
            Some((call, phase)) => Life::ending_at(call, phase),
            None => Life::endless(),
        };
        let watched = Watched::new(&self.world.prod);
        let watched = if may_go {
            watched.whose_champion_may_go()
        } else {
            watched
        };
        let (staging, prod) = (life.through(&self.world.staging), life.through(&watched));
        life.live(|| {
            work(Ways {
                staging: &staging,
                prod: &prod,
            })
        })
    }

    fn promote(
        &mut self,
        machine: usize,
        version: Option<usize>,
        killed: Option<(usize, Phase)>,
        breaks: bool,
    ) {
        let count = self.world.staging.versions(STAGING).len();
        let version = version.map(|version| (version % count) as u64 + 1);
        let source = version
            .or(self.world.staging.alias(STAGING, "champion"))
            .unwrap();
        let before = self.world.champion();
        let is_undoing = self.copy(source).is_some_and(|copy| {
            let newest = events(&self.world)
                .into_iter()
                .rfind(|event| event.version == copy);
            newest.is_some_and(|event| event.state == "undoing")
        });
        let locked = self.is_locked_elsewhere(machine);
        let done = self.breaking(machine, breaks, killed, false, |promoter, ways| {
            promoter.promote(ways, version)
        });
        if self.world.champion() != before {
            let champion = self.world.champion();
            let events = events(&self.world).into_iter();
            let newest = events.rev().find(|event| Some(event.version) == champion);
            assert_eq!(newest.map(|event| event.was), Some(before), "the way back");
        }
        match done {
            None => assert!(
                self.world.champion() == before || self.world.champion() == self.copy(source),
                "killed, it left champion {:?}",
                self.world.champion()
            ),
            Some(Ok(made)) => {
                let copy = self.copy(source);
                assert!(copy.is_some() && self.world.champion() == copy, "{copy:?}");
                assert!(made.is_none() || made == copy);
                // With nothing to do, the lock of another promotion that was killed is nobody's business here.
                assert!(made.is_none() || !self.is_locked());
            }
            Some(Err(error)) => {
                assert_eq!(self.world.champion(), before, "{error}");
                assert!(matches!(error, Error::Refused(_)), "{error:?}");
                let expected = is_undoing || (locked && !breaks);
                assert!(expected, "nothing forbids it: {error}");
            }
        }
    }

    fn undo(
        &mut self,
        machine: usize,
        event: Option<usize>,
        killed: Option<(usize, Phase)>,
        breaks: bool,
    ) {
        let known = events(&self.world);
        let event = event.filter(|_| !known.is_empty());
        let event = event.map(|number| known[number % known.len()].clone());
        let before = self.world.champion();
        let locked = self.is_locked_elsewhere(machine);
        let id = event.as_ref().map(|event| event.id.as_str());
        let done = self.breaking(machine, breaks, killed, true, |promoter, ways| {
            promoter.undo(ways, id)
        });
        let after = self.world.champion();
        match (done, event) {
            (None, Some(event)) => assert!(after == before || after == event.was, "{event:?}"),
            (None, None) => {
                let way_back = self.taken_back(&known).map(|event| event.was);
                assert!(
                    after == before || way_back == Some(after),
                    "killed, it left champion {after:?}"
                );
            }
            (Some(Ok(None)), _) => assert_eq!(after, before),
            (Some(Ok(Some(version))), event) => {
                let taken_back = event.filter(|event| event.state != "undone");
                match taken_back.or_else(|| self.taken_back(&known)) {
                    Some(event) => {
                        assert_eq!(event.version, version);
                        let was_begun = known
                            .iter()
                            .any(|other| other.id == event.id && other.state == "undoing");
                        let overtaken = was_begun && before != Some(version) && before != event.was;
                        assert_eq!(after, if overtaken { before } else { event.was });
                        let is_undone =
                            |other: &Event| other.id == event.id && other.state == "undone";
                        assert!(events(&self.world).iter().any(is_undone));
                    }
                    // Only the lock was left to be given back.
                    None => assert_eq!(after, before),
                }
                assert!(!self.is_locked());
            }
            (Some(Err(error)), event) => {
                assert_eq!(after, before, "{error}");
                assert!(matches!(error, Error::Refused(_)), "{error:?}");
                let event = event.filter(|_| !locked || breaks);
                let may_go = event
                    .as_ref()
                    .is_some_and(|event| match event.state.as_str() {
                        "live" | "begun" => before == Some(event.version),
                        // Where somebody has moved the champion since, it is noted, and that is all.
                        "undoing" => true,
                        _ => false,
                    });
                assert!(!may_go, "nothing forbids it: {error} ({event:?})");
            }
        }
    }

    /// The promotion that is being taken back, or was, and was not yet when these events were there.
    fn taken_back(&self, before: &[Event]) -> Option<Event> {
        let was_undone = |event: &Event| {
            let same = before.iter().find(|other| other.id == event.id);
            same.is_some_and(|other| other.state == "undone")
        };
        let mut events = events(&self.world).into_iter();
        events.rfind(|event| event.state.starts_with("undo") && !was_undone(event))
    }

    /// Does something; where the other machine's lock stands in the way, once more with leave to break it.
    fn breaking(
        &mut self,
        machine: usize,
        breaks: bool,
        killed: Option<(usize, Phase)>,
        may_go: bool,
        work: impl Fn(&Promoter, Ways<'_>) -> Result<Option<u64>, Error>,
    ) -> Option<Result<Option<u64>, Error>> {
        let done = self.live(killed, may_go, |ways| work(&self.promoters[machine], ways));
        let Some(Err(Error::Refused(refusal))) = &done else {
            return done;
        };
        let name = refusal
            .next
            .iter()
            .find_map(|next| next.split_once("--break-lock "));
        let Some((_, name)) = name.filter(|_| breaks) else {
            return done;
        };
        self.promoters[machine].may_break(Some(name));
        let done = self.live(killed, may_go, |ways| work(&self.promoters[machine], ways));
        self.promoters[machine].may_break(None);
        done
    }

    /// The copy of a version of staging.
    fn copy(&self, source: u64) -> Option<u64> {
        let source = format!("{STAGING}/{source}");
        let copies = self.world.copies().into_iter();
        let mut of_it = copies.filter(|(_, copy)| copy.tags["mlops_promotion_source"] == source);
        of_it.next().map(|(number, _)| number)
    }

    /// What must hold after everything that happens.
    fn must_hold(&self) {
        self.world.assert_no_copy_is_there_twice();
        let sources = self.world.staging.versions(STAGING);
        let mut ids = BTreeMap::new();
        for (number, copy) in self.world.copies() {
            let source = &copy.tags["mlops_promotion_source"];
            let source = source.strip_prefix(&format!("{STAGING}/")).unwrap();
            let source = &sources[&source.parse::<u64>().unwrap()];
            for tag in ["mlops_artifact_digest", "mlops_git_commit"] {
                assert_eq!(copy.tags[tag], source.tags[tag], "{number}");
            }
            if copy.status == "READY" {
                assert_eq!(copy.files, source.files, "{number}");
            }
            if let Some(other) = ids.insert(copy.tags["mlops_promotion_id"].clone(), number) {
                panic!("{number} and {other} have the same promotion id");
            }
        }
        let numbers: Vec<u64> = events(&self.world).iter().map(|event| event.n).collect();
        assert!(numbers.windows(2).all(|two| two[0] < two[1]), "{numbers:?}");
    }
}

/// Whether a sequence comes to its end; an error says why not.
fn play(ops: &[Op]) -> Result<(), String> {
    let played = catch_unwind(AssertUnwindSafe(|| Run::new().all(ops)));
    played.map_err(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default()
    })
}

fn shortest(mut ops: Vec<Op>, mut why: String) -> String {
    let mut index = 0;
    while index < ops.len() {
        let mut fewer = ops.clone();
        fewer.remove(index);
        match play(&fewer) {
            Err(still) => (ops, why) = (fewer, still),
            Ok(()) => index += 1,
        }
    }
    format!("{ops:#?}\n{why}")
}

#[test]
fn whatever_happens_the_registry_is_as_the_model_says() {
    let number =
        |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (seed, cases): (u64, u64) = (number("XTASK_SEED", 1), number("XTASK_CASES", CASES));
    for seed in seed..seed + cases {
        let ops = ops(seed);
        if let Err(why) = play(&ops) {
            panic!("XTASK_SEED={seed} XTASK_CASES=1\n{}", shortest(ops, why));
        }
    }
    println!("{cases} sequences from seed {seed}");
}
