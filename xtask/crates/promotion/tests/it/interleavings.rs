//! Two promoters on two machines, whose calls go through in an order that a seed decides.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use xtask_promotion::{Error, Plan};
use xtask_remote::{Method, Request, Transport as _};
use xtask_testkit::{Call, Dice, Interleaving, Life, Party, Phase, Recorded};

use crate::promoter::{Promoter, Ways};
use crate::watched::Watched;
use crate::world::{Before, PROD, STAGING, World, differences, train};

/// Orders of each pair of promoters.
const SEEDS: usize = 400;

/// What one of the two does.
#[derive(Clone, Copy)]
enum Act<'p> {
    /// Plans, and applies that.
    Promote(u64),
    /// Applies what was planned before either began.
    Planned(&'p Plan),
    /// Takes the promotion with this id back, or the newest.
    Undo(Option<&'p str>),
}

impl Act<'_> {
    fn play(self, promoter: &Promoter, ways: Ways<'_>) -> Result<Option<u64>, Error> {
        match self {
            Act::Promote(version) => promoter.promote(ways, Some(version)),
            Act::Planned(plan) => promoter.apply(ways, plan).map(Some),
            Act::Undo(id) => promoter.undo(ways, id),
        }
    }

    /// How the world is when those of these acts that there are come one after the other.
    fn one_by_one(world: &World, acts: &[Act<'_>], break_lock: Option<&str>) -> Option<Value> {
        let promoter = Promoter::on("laptop").breaking(break_lock);
        let world = world.clone();
        for act in acts {
            promoter.clear();
            act.play(&promoter, ways(&world)).ok()?;
        }
        Some(world.outcome())
    }
}

fn ways(world: &World) -> Ways<'_> {
    Ways {
        staging: &world.staging,
        prod: &world.prod,
    }
}

/// What comes of the acts one after the other.
struct Expected {
    first: Vec<Value>,
    second: Vec<Value>,
    both: Vec<Value>,
}

impl Expected {
    fn of(world: &World, [one, other]: [Act<'_>; 2], break_lock: Option<&str>) -> Expected {
        let all = |orders: &[&[Act<'_>]]| {
            let orders = orders.iter();
            orders
                .filter_map(|order| Act::one_by_one(world, order, break_lock))
                .collect()
        };
        Expected {
            first: all(&[&[one]]),
            second: all(&[&[other]]),
            both: all(&[&[one, other], &[other, one]]),
        }
    }
}

/// How it went for one of the two.
struct Told {
    done: Result<Option<u64>, Error>,
    /// The calls that moved the champion.
    moves: Vec<Call>,
}

fn side_by_side(
    world: &World,
    seed: u64,
    acts: [Act<'_>; 2],
    promoters: &[Promoter; 2],
) -> [Told; 2] {
    let one = |index: usize| {
        move |party: &Party<'_>| {
            let watched = Watched::new(&world.prod);
            let (staging, prod) = (party.through(&world.staging), party.through(&watched));
            let recorded = Recorded::new(&prod);
            promoters[index].clear();
            let ways = Ways {
                staging: &staging,
                prod: &recorded,
            };
            let done = acts[index].play(&promoters[index], ways);
            let moves = recorded.writes().into_iter().filter(moves_the_champion);
            Told {
                done,
                moves: moves.collect(),
            }
        }
    };
    let (first, second) = Interleaving::run(seed, one(0), one(1));
    [first, second]
}

fn moves_the_champion(call: &Call) -> bool {
    call.path.ends_with("registered-models/alias")
        && call.body["alias"] == "champion"
        && call.status == Some(200)
}

/// What came of an order must be what comes of one after the other, of those that ended well; and whoever did not end
/// well has moved nothing. Answers who ended well.
fn judge(expected: &Expected, after: &World, told: &[Told; 2]) -> [bool; 2] {
    let [first, second] = [0, 1].map(|index| told[index].done.is_ok());
    for told in told {
        if let Err(error) = &told.done {
            assert!(matches!(error, Error::Refused(_)), "{error:?}");
            assert!(
                told.moves.is_empty(),
                "refused ({error}), but {:?}",
                told.moves
            );
        }
    }
    after.assert_no_copy_is_there_twice();
    let expected = match (first, second) {
        (true, true) => &expected.both,
        (true, false) => &expected.first,
        (false, true) => &expected.second,
        (false, false) => panic!(
            "nobody came through: {:?}, {:?}",
            told[0].done, told[1].done
        ),
    };
    let found = after.outcome();
    assert!(
        expected.contains(&found),
        "it is what comes of no order; from the first one:\n{}",
        differences("", expected.first().unwrap_or(&Value::Null), &found).join("\n")
    );
    [first, second]
}

/// All seeds of one pair of acts; counts how often [both, only the first, only the second] ended well.
fn all_orders(name: &str, world: &World, acts: [Act<'_>; 2]) -> [usize; 3] {
    all_orders_breaking(name, world, acts, None)
}

/// The same with a lock that both may break.
#[expect(clippy::print_stdout, reason = "a test says how the dice fell")]
fn all_orders_breaking(
    name: &str,
    world: &World,
    acts: [Act<'_>; 2],
    break_lock: Option<&str>,
) -> [usize; 3] {
    let seed_of_all: u64 = std::env::var("XTASK_SEED").map_or(0, |seed| seed.parse().unwrap());
    let (next, counts) = (AtomicUsize::new(0), [(); 3].map(|()| AtomicUsize::new(0)));
    let expected = Expected::of(world, acts, break_lock);
    let work = || {
        let promoters =
            ["laptop", "server"].map(|machine| Promoter::on(machine).breaking(break_lock));
        loop {
            let number = next.fetch_add(1, Ordering::SeqCst);
            if number >= SEEDS {
                return;
            }
            let seed = seed_of_all + number as u64;
            let after = world.clone();
            let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let told = side_by_side(&after, seed, acts, &promoters);
                judge(&expected, &after, &told)
            }));
            let Ok(well) = judged else {
                panic!("{name}: XTASK_SEED={seed}");
            };
            let index = match well {
                [true, true] => 0,
                [true, false] => 1,
                _ => 2,
            };
            counts[index].fetch_add(1, Ordering::SeqCst);
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        work();
        if let Err(cause) = other.join() {
            std::panic::resume_unwind(cause);
        }
    });
    let counts = counts.map(AtomicUsize::into_inner);
    println!("{name}: {SEEDS} orders; both, the first, the second came through: {counts:?}");
    counts
}

/// Staging has a second version, which is not its champion.
fn with_two_versions(before: Before) -> (World, u64) {
    let world = World::new(before);
    let number = train(&world.staging, STAGING, "another of staging");
    (world, number)
}

#[test]
fn of_two_that_planned_before_exactly_one_comes_through() {
    let (world, another) = with_two_versions(Before::Challenger);
    let plan = |version| {
        let promoter = Promoter::on("laptop");
        promoter.plan(ways(&world), Some(version)).unwrap()
    };
    let (one, same, other) = (plan(1), plan(1), plan(another));
    for (name, other) in [("the same version", &same), ("another version", &other)] {
        let [both, first, second] =
            all_orders(name, &world, [Act::Planned(&one), Act::Planned(other)]);
        assert_eq!((both, first + second), (0, SEEDS));
        assert!(
            first > SEEDS / 10 && second > SEEDS / 10,
            "the dice are fair"
        );
    }
}

#[test]
fn two_that_plan_side_by_side_end_as_one_after_the_other() {
    for before in [Before::Challenger, Before::Nothing] {
        let (world, another) = with_two_versions(before);
        all_orders(
            "the same version",
            &world,
            [Act::Promote(1), Act::Promote(1)],
        );
        all_orders(
            "another version",
            &world,
            [Act::Promote(1), Act::Promote(another)],
        );
    }
}

#[test]
fn a_promotion_and_an_undoing_end_as_one_after_the_other() {
    let (world, another) = with_two_versions(Before::Champion);
    Promoter::on("laptop")
        .promote(ways(&world), Some(1))
        .unwrap();
    let id = world.champions_promotion();
    let undo = Act::Undo(Some(&id));
    all_orders("undo and undo", &world, [undo, undo]);
    all_orders("promote and undo", &world, [Act::Promote(another), undo]);
    let newest = Act::Undo(None);
    all_orders(
        "promote and undo the newest",
        &world,
        [Act::Promote(another), newest],
    );
}

#[test]
fn a_lock_that_two_break_lets_one_through() {
    let (world, another) = with_two_versions(Before::Challenger);
    // Somebody's process on another machine ended with the lock taken and nothing done.
    let life = Life::ending_at(14, Phase::Before);
    let ended = life.live(|| {
        let ways = Ways {
            staging: &life.through(&world.staging),
            prod: &life.through(&world.prod),
        };
        Promoter::on("desktop").promote(ways, Some(1))
    });
    assert!(ended.is_none());
    let refused = Promoter::on("laptop").promote(ways(&world), Some(another));
    let Err(Error::Refused(refusal)) = refused else {
        panic!("the lock stands in the way: {refused:?}");
    };
    let name = refusal.next.last().unwrap().rsplit(' ').next().unwrap();
    all_orders_breaking(
        "a stale lock",
        &world,
        [Act::Promote(1), Act::Promote(another)],
        Some(name),
    );
}

/// Where in the record of production a call of a kind stands.
fn position(calls: &[Call], from: usize, is: impl Fn(&Call) -> bool) -> Option<usize> {
    let found = calls.iter().skip(from).position(is);
    found.map(|position| from + position)
}

/// What the promoter must have noticed of a person who makes version 2 champion at the web page while it promotes.
fn judge_with_a_person(world: &World, calls: &[Call], done: &Result<Option<u64>, Error>) {
    let persons = |call: &Call| moves_the_champion(call) && call.body["version"] == "2";
    let ours = |call: &Call| moves_the_champion(call) && call.body["version"] != "2";
    let looks = |call: &Call| {
        call.method == "GET"
            && call.path.ends_with("registered-models/alias")
            && call
                .query
                .contains(&("alias".to_owned(), "champion".to_owned()))
    };
    let person = position(calls, 0, persons).unwrap();
    let planned = position(calls, 0, looks).unwrap();
    let Some(crowned) = position(calls, 0, ours) else {
        // It came too late, and says so; or the person was first, and there is one champion after the other.
        assert!(done.is_err() && world.champion() == Some(2), "{done:?}");
        return;
    };
    let looked = calls[..crowned].iter().rposition(looks).unwrap();
    let read_back = position(calls, crowned, looks);
    if person < planned {
        assert_eq!(done.as_ref().ok(), Some(&world.champion()));
    } else if person < looked {
        panic!("it saw that there was another champion than planned, and went on");
    } else if person < crowned {
        // The one moment that nobody can close: between the last look and the call right behind it.
        assert!(crowned - looked <= 2, "{} calls", crowned - looked);
    } else if read_back.is_some_and(|read| person < read) {
        assert!(matches!(done, Err(Error::Refused(_))), "{done:?}");
        assert_eq!(world.champion(), Some(2), "what the person wants stays");
    } else {
        assert!(done.is_ok() && world.champion() == Some(2), "{done:?}");
    }
}

#[test]
fn a_person_who_moves_the_champion_meanwhile_is_noticed() {
    let world = World::new(Before::Challenger);
    let promoter = Promoter::on("laptop");
    let mut refused = 0;
    for seed in 0..SEEDS as u64 {
        let world = world.clone();
        let watched = Watched::new(&world.prod);
        let recorded = Recorded::new(&watched);
        promoter.clear();
        let (done, ()) = Interleaving::run(
            seed,
            |party| {
                let (staging, prod) = (party.through(&world.staging), party.through(&recorded));
                let ways = Ways {
                    staging: &staging,
                    prod: &prod,
                };
                promoter.promote(ways, None)
            },
            |party| {
                for _ in 0..Dice::new(seed ^ 0xface).below(60) {
                    party.wait_for_turn();
                }
                let path = "/api/2.0/mlflow/unity-catalog/registered-models/alias";
                let body = json!({"name": PROD, "alias": "champion", "version": "2"});
                let request = Request::new(Method::Post, path).json(&body);
                party.through(&recorded).send(&request).unwrap();
            },
        );
        refused += usize::from(done.is_err());
        judge_with_a_person(&world, &recorded.calls(), &done);
        assert_eq!(
            world.prod.workspace_files(),
            Vec::<String>::new(),
            "{done:?}"
        );
    }
    assert!(refused > SEEDS / 10 && refused < SEEDS, "{refused}");
}
