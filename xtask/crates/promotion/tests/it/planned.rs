//! What a plan shows is what is written: method, path, body, in this order, and nothing else.

use serde_json::{Value, json};
use xtask_promotion::{Call, Step, plan_undo, steps};
use xtask_remote::{Method, Request, Transport as _};
use xtask_testkit::{Call as Sent, Recorded};

use crate::promoter::{Promoter, Ways};
use crate::world::{Before, World};

/// The planned calls, with what was not known yet filled in from what was sent.
fn filled(steps: &[Step], version: u64, at: &str, sent: &[String]) -> Vec<String> {
    let owner = sent[0].split("\"owner\":\"").nth(1).unwrap();
    let owner = owner.split('"').next().unwrap();
    let calls = steps.iter().flat_map(Step::calls);
    let text = |call: Call| format!("{} {} {}", call.method, call.path, call.body);
    calls
        .map(text)
        .map(|text| text.replace("{version}", &version.to_string()))
        .map(|text| text.replace("{now}", at).replace("{owner}", owner))
        .collect()
}

fn as_text(sent: &Sent) -> String {
    let query: Vec<String> = sent
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let query = match query.is_empty() {
        true => String::new(),
        false => format!("?{}", query.join("&")),
    };
    let body = match sent.body.get("file") {
        Some(_) => &Value::Null,
        None => &sent.body,
    };
    format!("{} {}{query} {body}", sent.method, sent.path)
}

#[test]
fn what_a_plan_shows_is_what_is_written() {
    for before in [Before::Challenger, Before::Champion, Before::Nothing] {
        let (world, promoter) = (World::new(before), Promoter::on("laptop"));
        let (staging, prod) = (Recorded::new(&world.staging), Recorded::new(&world.prod));
        let ways = Ways {
            staging: &staging,
            prod: &prod,
        };
        let plan = promoter.plan(ways, None).unwrap();
        let folder = promoter.folder_of(&plan);
        let steps = steps::of(&plan, &ways.staging(), &ways.prod(), &folder);
        assert!(prod.writes().is_empty(), "a plan only reads");
        let version = promoter.apply(ways, &plan).unwrap();
        let sent: Vec<String> = prod.writes().iter().map(as_text).collect();
        let at = promoted_at(&world, version);
        assert_eq!(filled(&steps, version, &at, &sent), sent, "{before:?}");
        assert!(
            staging.writes().is_empty(),
            "nothing is written to the source"
        );

        let prod = Recorded::new(&world.prod);
        let ways = Ways {
            prod: &prod,
            ..ways
        };
        let undo = plan_undo(&ways.prod(), None, "anna@example.com").unwrap();
        let steps = undo.steps(&ways.prod());
        promoter.apply_undo(ways, &undo).unwrap();
        let sent: Vec<String> = prod.writes().iter().map(as_text).collect();
        let undone = sent
            .iter()
            .rfind(|call| call.contains("undone_at"))
            .unwrap();
        let at = undone.split("undone_at\\\":\\\"").nth(1).unwrap();
        let at = at.split('\\').next().unwrap();
        assert_eq!(filled(&steps, version, at, &sent), sent, "{before:?}");
    }
}

/// Writes a tag on staging's version.
fn tag(world: &World, key: &str, value: &str) {
    let path = "/api/2.0/mlflow/unity-catalog/model-versions/set-tag";
    let body = json!({"name": crate::world::STAGING, "version": "1", "key": key, "value": value});
    let request = Request::new(Method::Post, path).json(&body);
    world.staging.send(&request).unwrap();
}

#[test]
fn tags_that_production_would_refuse_are_told_before_anything_is_written() {
    let refused = |world: &World| {
        let (staging, prod) = (Recorded::new(&world.staging), Recorded::new(&world.prod));
        let ways = Ways {
            staging: &staging,
            prod: &prod,
        };
        let why = Promoter::on("laptop").plan(ways, None).err();
        assert!(prod.writes().is_empty());
        why.map(|why| why.to_string())
    };
    let world = World::new(Before::Champion);
    // Its own and nine of the promotion are 50 with these.
    for number in 0..39 {
        tag(&world, &format!("team_{number}"), "x");
    }
    assert_eq!(refused(&world), None);
    tag(&world, "one_more", "x");
    let why = refused(&world).unwrap();
    assert!(
        why.contains("its tags are 51, and Unity Catalog keeps 50"),
        "{why}"
    );
}

#[test]
fn a_copy_keeps_its_logged_model_where_that_is_known() {
    let (world, promoter) = (World::new(Before::Nothing), Promoter::on("laptop"));
    let ways = Ways {
        staging: &world.staging,
        prod: &world.prod,
    };
    let mut plan = promoter.plan(ways, None).unwrap();
    plan.from.model_id = "m-1".to_owned();
    let created = |plan: &xtask_promotion::Plan| {
        let steps = steps::of(
            plan,
            &ways.staging(),
            &ways.prod(),
            &promoter.folder_of(plan),
        );
        let mut create = steps.iter().filter(|step| step.name == "create");
        let body = create.next().unwrap().calls()[0].body.clone();
        (body["run_id"].clone(), body["model_id"].clone())
    };
    assert_eq!(created(&plan), (Value::Null, Value::Null));
    plan.from.host = plan.to.host.clone();
    assert_eq!(created(&plan), (json!("run1"), json!("m-1")));
}

/// When it was promoted, as the version remembers it.
fn promoted_at(world: &World, version: u64) -> String {
    let kept = &world.prod.versions(crate::world::PROD)[&version];
    let mut tags = kept.tags.iter();
    let (_, event) = tags
        .find(|(key, _)| key.starts_with("mlops_event_"))
        .unwrap();
    let event: Value = serde_json::from_str(event).unwrap();
    event["at"].as_str().unwrap().to_owned()
}
