//! Promotions and undoings that are killed, called again, killed again, and called once more: they end as those that
//! nobody kills.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use xtask_testkit::{Life, Phase};

use crate::promoter::{Promoter, Ways};
use crate::watched::Watched;
use crate::world::{Before, World, differences, train};

/// What is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act<'a> {
    Promote,
    /// The one with this id, or the newest.
    Undo(Option<&'a str>),
}

impl Act<'_> {
    /// One life of it; whether it came to its end.
    fn live(self, world: &World, promoter: &Promoter, life: &Life) -> bool {
        let watched = Watched::new(&world.prod);
        let watched = match self {
            Act::Promote => watched,
            Act::Undo(_) => watched.whose_champion_may_go(),
        };
        let ways = Ways {
            staging: &life.through(&world.staging),
            prod: &life.through(&watched),
        };
        let done = life.live(|| match self {
            Act::Promote => promoter.promote(ways, None),
            Act::Undo(id) => promoter.undo(ways, id),
        });
        match done {
            Some(Err(error)) => panic!("{error}: {error:?}"),
            Some(Ok(_)) => true,
            None => false,
        }
    }

    /// Ends that it may come to in this world.
    fn ends(self, world: &World, promoter: &Promoter) -> Vec<(usize, Phase)> {
        let life = Life::endless();
        assert!(self.live(&world.clone(), promoter, &life));
        life.ends()
    }

    /// The world after one life that ends so.
    fn killed(self, world: &World, promoter: &Promoter, end: (usize, Phase)) -> World {
        let world = world.clone();
        let (number, phase) = end;
        let lived = self.live(&world, promoter, &Life::ending_at(number, phase));
        assert!(!lived, "it was to be killed at {end:?}");
        world
    }

    /// Lives to the end, and compares with what was to come of it.
    fn finish(self, world: &World, promoter: &Promoter, expected: &Value, killed: &str) {
        let world = world.clone();
        assert!(self.live(&world, promoter, &Life::endless()));
        let differences = differences("", expected, &world.outcome());
        assert!(
            differences.is_empty(),
            "killed {killed}, it ends otherwise:\n{}",
            differences.join("\n")
        );
        if self == Act::Promote {
            world.assert_no_copy_is_there_twice();
        }
    }
}

/// Kills it at each pair of calls; answers how many pairs there were.
fn all_pairs(world: &World, act: Act<'_>) -> usize {
    let expected = {
        let world = world.clone();
        assert!(act.live(&world, &Promoter::on("laptop"), &Life::endless()));
        world.outcome()
    };
    let ends = act.ends(world, &Promoter::on("laptop"));
    let (next, pairs) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        let promoter = Promoter::on("laptop");
        while let Some(first) = ends.get(next.fetch_add(1, Ordering::SeqCst)) {
            promoter.clear();
            let once = act.killed(world, &promoter, *first);
            act.finish(&once, &promoter, &expected, &format!("at {first:?}"));
            for second in act.ends(&once, &promoter) {
                let twice = act.killed(&once, &promoter, second);
                let killed = format!("at {first:?} and {second:?}");
                act.finish(&twice, &promoter, &expected, &killed);
                pairs.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        work();
        if let Err(cause) = other.join() {
            std::panic::resume_unwind(cause);
        }
    });
    pairs.into_inner()
}

/// A world in which a promotion has gone well, and its id.
fn promoted(before: Before) -> (World, String) {
    let world = World::new(before);
    assert!(Act::Promote.live(&world, &Promoter::on("laptop"), &Life::endless()));
    let id = world.champions_promotion();
    (world, id)
}

#[test]
fn a_promotion_that_is_killed_twice_ends_as_one_that_is_not() {
    for before in [Before::Challenger, Before::Nothing] {
        let pairs = all_pairs(&World::new(before), Act::Promote);
        println!("{before:?}: {pairs} pairs");
        assert!(pairs > 500, "{pairs}");
    }
}

#[test]
fn an_undoing_that_is_killed_twice_ends_as_one_that_is_not() {
    for before in [Before::Challenger, Before::Champion, Before::Nothing] {
        let (world, id) = promoted(before);
        let pairs = all_pairs(&world, Act::Undo(Some(&id)));
        println!("{before:?}: {pairs} pairs");
        assert!(pairs > 100, "{pairs}");
    }
}

#[test]
fn an_undoing_without_an_id_that_is_killed_does_not_go_on_to_the_one_before() {
    // The champion before was a training job's, which can be taken back as well.
    let (world, _) = promoted(Before::Champion);
    let (act, promoter) = (Act::Undo(None), Promoter::on("laptop"));
    let expected = world.clone();
    assert!(act.live(&expected, &promoter, &Life::endless()));
    let expected = expected.outcome();
    let mut ends = act.ends(&world, &promoter);
    // With the lock given back all is done, and who calls again means the one before.
    assert_eq!(ends.pop().unwrap().1, Phase::After);
    for end in ends {
        let once = act.killed(&world, &promoter, end);
        act.finish(&once, &promoter, &expected, &format!("at {end:?}"));
    }
}

#[test]
fn promoting_again_after_an_undoing_comes_to_the_same() {
    for before in [Before::Challenger, Before::Champion, Before::Nothing] {
        let (world, id) = promoted(before);
        let (first, promoter) = (world.places(), Promoter::on("laptop"));
        assert!(Act::Undo(Some(&id)).live(&world, &promoter, &Life::endless()));
        assert_eq!(world.places(), World::new(before).places(), "{before:?}");
        assert!(Act::Promote.live(&world, &promoter, &Life::endless()));
        assert_eq!(world.places(), first, "{before:?}");
        assert_eq!(world.copies().len(), 1);
        // And the next version takes its place, with a way back to it.
        let number = train(&world.staging, crate::world::STAGING, "newer");
        world
            .staging
            .set_alias(crate::world::STAGING, "champion", Some(number));
        let replaced = world.champion();
        assert!(Act::Promote.live(&world, &promoter, &Life::endless()));
        assert_ne!(world.champion(), replaced);
        let id = world.champions_promotion();
        assert!(Act::Undo(Some(&id)).live(&world, &promoter, &Life::endless()));
        assert_eq!(world.champion(), replaced);
    }
}
