//! What a plan shows is what is written: method, path, body, in this order, and nothing else.

use serde_json::Value;
use xtask_promotion::{Call, Step, plan_undo, steps};
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
