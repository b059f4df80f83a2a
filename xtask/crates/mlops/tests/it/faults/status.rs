//! `status` with services that answer nothing, too late, or nonsense.

use serde_json::Value;
use xtask_testkit::{Answer, Cut, Fault, When};

use super::world::{NONSENSE, World};

#[test]
fn status_says_what_it_does_not_know() {
    let world = World::new();
    let instead = |answer| Fault::Answer(answer, When::Before);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut faults = vec![
        Fault::Drop(Cut::Before),
        Fault::Drop(Cut::MidHeaders),
        Fault::Drop(Cut::MidBody),
        instead(Answer::status(500)),
        instead(Answer::status(502)),
        instead(Answer::error(400, "BAD_REQUEST", "\u{1b}[31mno\u{7}")),
        instead(Answer::error(401, "UNAUTHENTICATED", "expired")),
        instead(Answer::error(403, "PERMISSION_DENIED", "no")),
        instead(Answer::too_many(Some("86400"))),
        instead(Answer::page()),
        instead(Answer::status(200).body(deep)),
        instead(Answer::status(200).body("x".repeat(10_000_000))),
    ];
    let nonsense = NONSENSE.iter();
    faults.extend(nonsense.map(|body| instead(Answer::status(200).body(*body))));
    for fault in faults {
        world.always(fault.clone());
        let what: String = format!("{fault:?}").chars().take(200).collect();
        let said = world.said(&["status", "--json"]);
        assert_eq!(said.code, Some(0), "{what}: {}", said.stderr);
        let facts: Value = serde_json::from_str(&said.stdout).unwrap();
        assert!(facts["environments"].is_array(), "{what}");
        assert!(
            !said.stdout.contains('\u{1b}') && !said.stdout.contains("\\u001b"),
            "{what}"
        );
        assert!(
            said.stdout.len() < 100_000,
            "{what}: {} bytes",
            said.stdout.len()
        );
    }
}
