//! `--json` is what docs/schemas/status.json says: every field, and none besides.

use serde_json::Value;
use xtask_testkit::differences;

use super::world::{World, log};

#[test]
fn the_answer_for_machines_keeps_its_schema() {
    let (world, _) = World::with_pull_request();
    let sha = world.head();
    world.failed(&sha, "notebook", &log("notebook"));
    world.failed(&sha, "tests", &log("pytest-many"));
    let facts = world.facts();
    holds(&facts);
    // And the check itself can fail.
    let mut other = facts;
    other["surprise"] = true.into();
    other["branch"].as_object_mut().unwrap().remove("head");
    other["verdict"] = "great".into();
    let wrong = differences("status", &other.to_string());
    assert_eq!(wrong.len(), 3, "{wrong:#?}");
}

/// Expects that an answer is as the schema says.
pub(crate) fn holds(facts: &Value) {
    let wrong = differences("status", &facts.to_string());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
