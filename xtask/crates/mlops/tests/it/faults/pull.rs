//! `model pull` with a fault at each of its calls.

use xtask_testkit::{Answer, Cut, Fault, When};

use super::world::{NONSENSE, World, matters};

fn instead(answer: Answer) -> Fault {
    Fault::Answer(answer, When::Before)
}

/// What passes when the call is made again.
fn passing() -> Vec<Fault> {
    vec![
        Fault::Drop(Cut::Before),
        Fault::Drop(Cut::After),
        Fault::Drop(Cut::MidHeaders),
        Fault::Drop(Cut::MidBody),
        Fault::Drop(Cut::Short),
        instead(Answer::too_many(Some("0"))),
        instead(Answer::too_many(None)),
        instead(Answer::status(502)),
        instead(Answer::status(503)),
        instead(Answer::status(504)),
    ]
}

#[test]
fn what_passes_is_outlasted_and_what_does_not_is_told() {
    let world = World::new();
    assert_eq!(world.pull(false).code, Some(0));
    let calls: Vec<String> = (world.proxy.record().iter())
        .filter(|passed| matters(passed))
        .map(xtask_testkit::Passed::call)
        .collect();
    assert!(calls.len() >= 4, "{calls:?}");

    // Each call meets some of them, each of them some call.
    for (place, fault) in passing().into_iter().enumerate() {
        let n = place % calls.len() + 1;
        world.at(n, fault.clone());
        let said = world.pull(false);
        assert_eq!(
            said.code,
            Some(0),
            "{fault:?} at {}: {}",
            calls[n - 1],
            said.stderr
        );
    }

    for n in 1..=calls.len() {
        let expired = Answer::error(401, "UNAUTHENTICATED", "the token has expired");
        world.at(n, instead(expired));
        let said = world.pull(false);
        assert_eq!(said.code, Some(6), "{}: {}", calls[n - 1], said.stderr);
        assert!(
            said.stderr.contains("the token has expired"),
            "{}",
            said.stderr
        );
        assert!(
            said.stderr.contains("next: cargo xtask workspace down"),
            "{}",
            said.stderr
        );
    }

    let day = instead(Answer::too_many(Some("86400")));
    let no = instead(Answer::error(403, "PERMISSION_DENIED", "you may not"));
    let page = instead(Answer::page());
    for (fault, says) in [
        (day, "86400 seconds"),
        (no, "you may not"),
        (page, "Sign in"),
    ] {
        world.at(1, fault);
        let said = world.pull(false);
        assert_eq!(said.code, Some(4), "{}", said.stderr);
        assert!(said.stderr.contains(says), "{}", said.stderr);
    }
    for body in NONSENSE {
        world.always(instead(Answer::status(200).body(*body)));
        let said = world.pull(false);
        assert!(
            matches!(said.code, Some(1..=4)),
            "{body:?}: {}",
            said.stderr
        );
        assert!(said.stderr.contains("error: "), "{}", said.stderr);
    }
}

#[test]
fn what_has_come_of_a_file_need_not_come_again() {
    let world = World::new();
    let of_the_large_one = |passed: &xtask_testkit::Passed| passed.path.contains("model.bin");
    let rule = xtask_testkit::Rule::new(Fault::Drop(Cut::MidBody)).matching(of_the_large_one);
    world.proxy.add(rule.times(3));
    assert_eq!(world.pull(false).code, Some(0));
    let record = world.proxy.record();
    let starts: Vec<u64> = (record.iter().filter(|passed| of_the_large_one(passed)))
        .map(|passed| passed.header("range").unwrap_or("bytes=0-"))
        .map(|range| range[6..range.len() - 1].parse().unwrap())
        .collect();
    // Each goes on from where the one before has come to, which is half of the rest at most.
    assert_eq!((starts.len(), starts[0]), (4, 0), "{starts:?}");
    for pair in starts.windows(2) {
        assert!(
            pair[0] < pair[1] && pair[1] <= (pair[0] + 3_000_000) / 2,
            "{starts:?}"
        );
    }
    let folder = world.project.root().join(".xtask/models");
    let model = folder.join("check.loyalty.months_left_regressor/1/data");
    assert_eq!(
        std::fs::read(model.join("model.bin")).unwrap(),
        vec![b'm'; 3_000_000]
    );
    assert_eq!(std::fs::read_dir(model).unwrap().count(), 1);
}
