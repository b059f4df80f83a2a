//! One call goes wrong: it does not arrive, its reply is lost or is a web page, the service has had enough, is not there,
//! or does not know us any more. Called again, all ends as if nothing had been.

use xtask_promotion::Error;
use xtask_testkit::{Mishap, Mishaps};

use crate::promoter::{Promoter, Ways};
use crate::watched::Watched;
use crate::world::{Before, World, differences};

const ALL: [fn() -> Mishap; 6] = [
    || Mishap::NotSent,
    || Mishap::ReplyLost,
    || Mishap::Page,
    || Mishap::limited(Some("1")),
    Mishap::unavailable,
    Mishap::expired,
];

/// What is done, at both ends.
type Act<'a> = &'a dyn Fn(&Promoter, Ways<'_>) -> Result<Option<u64>, Error>;

/// Does it with these mishaps at one of the ends; answers how many calls that end saw.
fn with(
    world: &World,
    promoter: &Promoter,
    act: Act<'_>,
    at_prod: bool,
    mishap: Option<(usize, Mishap)>,
) -> (Result<Option<u64>, Error>, usize) {
    let watched = Watched::new(&world.prod).whose_champion_may_go();
    let inner: &dyn xtask_remote::Transport = match at_prod {
        true => &watched,
        false => &world.staging,
    };
    let broken = Mishaps::new(inner, mishap);
    let ways = match at_prod {
        true => Ways {
            staging: &world.staging,
            prod: &broken,
        },
        false => Ways {
            staging: &broken,
            prod: &watched,
        },
    };
    let done = act(promoter, ways);
    (done, broken.calls())
}

fn one_goes_wrong(before: &World, act: Act<'_>) {
    let expected = before.clone();
    let promoter = Promoter::on("laptop");
    for at_prod in [true, false] {
        let world = before.clone();
        let (done, calls) = with(&world, &promoter, act, at_prod, None);
        done.unwrap();
        if at_prod {
            assert!(act(&promoter, ways(&expected)).is_ok());
        }
        for (number, mishap) in (1..=calls).flat_map(|number| ALL.map(|mishap| (number, mishap())))
        {
            promoter.clear();
            let world = before.clone();
            let what = format!("call {number} at production: {at_prod}, {mishap:?}");
            let (done, _) = with(&world, &promoter, act, at_prod, Some((number, mishap)));
            if let Err(error) = done {
                assert!(!matches!(error, Error::Refused(_)), "{what}: {error}");
                let again = act(&promoter, ways(&world));
                assert!(again.is_ok(), "{what}, then {again:?}");
            }
            let differences = differences("", &expected.outcome(), &world.outcome());
            assert!(
                differences.is_empty(),
                "{what}:\n{}",
                differences.join("\n")
            );
            world.assert_no_copy_is_there_twice();
        }
    }
}

fn ways(world: &World) -> Ways<'_> {
    Ways {
        staging: &world.staging,
        prod: &world.prod,
    }
}

#[test]
fn a_promotion_of_which_one_call_goes_wrong_ends_as_another() {
    for before in [Before::Challenger, Before::Nothing] {
        one_goes_wrong(&World::new(before), &|promoter, ways| {
            promoter.promote(ways, None)
        });
    }
}

#[test]
fn an_undoing_of_which_one_call_goes_wrong_ends_as_another() {
    for before in [Before::Challenger, Before::Nothing] {
        let world = World::new(before);
        let promoter = Promoter::on("laptop");
        promoter.promote(ways(&world), None).unwrap();
        let id = world.champions_promotion();
        one_goes_wrong(&world, &|promoter, ways| promoter.undo(ways, Some(&id)));
    }
}
