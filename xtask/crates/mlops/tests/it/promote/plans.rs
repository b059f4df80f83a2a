//! What a plan says is what is done: each call that writes, with its method, path and body, in its order.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xtask_testkit::{Content, Passed};

use super::world::{End, TO, Training, World};

/// The calls that wrote, as the server's side saw them.
fn written(end: &End) -> Vec<(String, String, Value)> {
    let record = end.proxy.record();
    let writes = |asked: &&Passed| {
        !asked.is_of_the_cli() && !["GET", "HEAD"].contains(&asked.method.as_str())
    };
    let call = |asked: &Passed| {
        let body = match &asked.body {
            Content::Json(value) if asked.method != "PUT" => value.clone(),
            _ => Value::Null,
        };
        (asked.method.clone(), asked.path.clone(), body)
    };
    record.iter().filter(writes).map(call).collect()
}

/// The calls of an answer, with what was not known yet filled in.
fn planned(answer: &Value, calls: &str, known: &[(&str, String)]) -> Vec<(String, String, Value)> {
    let mut text = answer[calls].to_string();
    for (word, value) in known {
        text = text.replace(word, value);
    }
    let found: Value = serde_json::from_str(&text).unwrap();
    let listed = found.as_array().unwrap().iter();
    let calls: Vec<&Value> = match calls {
        "steps" => listed
            .flat_map(|step| step["calls"].as_array().unwrap())
            .collect(),
        _ => listed.collect(),
    };
    let part = |call: &Value, field: &str| call[field].as_str().unwrap().to_owned();
    calls
        .into_iter()
        .map(|call| {
            (
                part(call, "method"),
                part(call, "path"),
                call["body"].clone(),
            )
        })
        .collect()
}

/// What stood for these in the plan: the owner and the time, as the server has them.
fn known(world: &World, version: u64) -> Vec<(&'static str, String)> {
    let record = world.to.proxy.record();
    let lock = record
        .iter()
        .find(|asked| asked.path.contains("import-file"))
        .unwrap();
    let Content::Json(lock) = &lock.body else {
        panic!("{lock:?}");
    };
    let mut events = record.iter().filter_map(|asked| match &asked.body {
        Content::Json(body) => body["value"]
            .as_str()
            .filter(|text| text.contains("\"state\"")),
        _ => None,
    });
    let event: Value = serde_json::from_str(events.next_back().unwrap()).unwrap();
    let now = event["undone_at"]
        .as_str()
        .or(event["at"].as_str())
        .unwrap();
    vec![
        ("{version}", version.to_string()),
        ("{owner}", lock["owner"].as_str().unwrap().to_owned()),
        ("{now}", now.to_owned()),
    ]
}

#[test]
fn the_plan_is_what_the_server_saw() {
    let world = World::alone();
    let _ = world.train(&Training::default());
    for first in [true, false] {
        world.to.proxy.clear();
        let said = world.promote(&["--yes", "--json"]);
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        let answer: Value = serde_json::from_str(&said.stdout).unwrap();
        let known = known(&world, answer["promoted"].as_u64().unwrap());
        let seen = written(&world.to);
        assert!(seen.len() > 6, "{seen:?}");
        assert_eq!(planned(&answer, "steps", &known), seen);

        world.to.proxy.clear();
        let undone = world
            .project
            .succeed(&["promote", "--to", TO, "--undo", "--yes", "--json"]);
        let answer: Value = serde_json::from_str(&undone.stdout).unwrap();
        assert_eq!(
            planned(&answer, "calls", &self::known(&world, 0)),
            written(&world.to)
        );
        assert_eq!(world.to.champion(), None, "{first}");
    }
    assert_eq!(
        world.to.versions().len(),
        1,
        "the second time it takes the copy that is there"
    );
}

#[test]
fn a_dry_run_writes_nothing_and_its_plan_is_applied_later() {
    let world = World::alone();
    // What validation measures of a classification model; without both classes no ROC curve is defined.
    let metrics = [
        ("candidate_log_loss", json!(0.41)),
        ("candidate_log_loss_monthly", json!(0.52)),
        ("candidate_brier", json!(0.125)),
        ("candidate_accuracy", json!(0.88)),
        ("candidate_roc_auc", json!("NaN")),
    ];
    let _ = world.train(&Training {
        metrics: BTreeMap::from(metrics),
        ..Training::default()
    });
    let plan = world.project.root().join("plan.json");
    let plan = plan.to_str().unwrap();
    for end in [&world.from, &world.to] {
        end.proxy.clear();
    }
    let said = world.promote(&["--dry-run", "--plan", plan]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!((written(&world.from), written(&world.to)), (vec![], vec![]));
    let measured = |name: &str, value: &str| {
        let mut lines = said.stderr.lines();
        lines.any(|line| line.split_whitespace().eq([name, value]))
    };
    for (name, value) in [
        ("log_loss", "0.4100"),
        ("brier", "0.1250"),
        ("accuracy", "0.8800"),
        ("roc_auc", "NaN"),
    ] {
        assert!(measured(name, value), "{name}: {}", said.stderr);
    }
    let of_a_slice = "and 1 of parts of the data";
    assert!(said.stderr.contains(of_a_slice), "{}", said.stderr);

    let said = world
        .project
        .succeed(&["promote", "--plan", plan, "--yes", "--json"]);
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    let promoted = answer["promoted"].as_u64().unwrap();
    let steps: Vec<&str> = answer["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        planned(&answer, "steps", &known(&world, promoted)),
        written(&world.to)
    );
    assert_eq!(steps.first(), Some(&"lock"));
    assert_eq!(world.to.champion(), Some(promoted));

    // It was about a destination without a champion.
    let again = world.project.run(&["promote", "--plan", plan, "--yes"]);
    assert_eq!(again.code, Some(1), "{}", again.stderr);
    assert!(
        again.stderr.contains("the plan does not hold any more"),
        "{}",
        again.stderr
    );
    std::fs::remove_file(plan).unwrap();
}
