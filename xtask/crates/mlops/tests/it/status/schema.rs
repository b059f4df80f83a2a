//! `--json` is what docs/status.schema.json says: every field, and none besides.

use serde_json::Value;

use super::world::{World, log};

#[test]
fn the_answer_for_machines_keeps_its_schema() {
    let (world, _) = World::with_pull_request();
    let sha = world.head();
    world.failed(&sha, "notebook", &log("notebook"));
    world.failed(&sha, "tests", &log("pytest-many"));
    let facts = world.facts();
    holds(&facts);
    let schema = written();
    let mut wrong = Vec::new();
    // And the check itself can fail.
    let mut other = facts;
    other["surprise"] = true.into();
    other["branch"].as_object_mut().unwrap().remove("head");
    other["verdict"] = "great".into();
    check(&schema, &schema, &other, "", &mut wrong);
    assert_eq!(wrong.len(), 3, "{wrong:#?}");
}

fn written() -> Value {
    let path = xtask_testkit::repository().join("docs/status.schema.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Expects that an answer is as the schema says.
pub(crate) fn holds(facts: &Value) {
    let schema = written();
    let mut wrong = Vec::new();
    check(&schema, &schema, facts, "", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The part of JSON Schema that the file uses.
fn check(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches("#/$defs/");
        return check(root, &root["$defs"][name], value, at, wrong);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = |choice: &&Value| (choice["type"] == "null") == value.is_null();
        match choices.iter().find(fits) {
            Some(choice) => return check(root, choice, value, at, wrong),
            None => return wrong.push(format!("{at}: {value} fits none")),
        }
    }
    let allowed: Vec<&Value> = match &schema["enum"] {
        Value::Array(values) => values.iter().collect(),
        _ => schema.get("const").into_iter().collect(),
    };
    if !allowed.is_empty() && !allowed.contains(&value) {
        wrong.push(format!("{at}: {value} is none of {allowed:?}"));
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |kind: &str| match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        _ => value.is_object(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is(kind)) {
        wrong.push(format!("{at}: {value} is no {kinds:?}"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        check(
            root,
            &schema["items"],
            item,
            &format!("{at}/{index}"),
            wrong,
        );
    }
    let Some(fields) = value.as_object() else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            wrong.push(format!("{at}: {name} is missing"));
        }
    }
    for (name, field) in fields {
        let at = format!("{at}/{name}");
        match (
            schema["properties"].get(name),
            &schema["additionalProperties"],
        ) {
            (Some(property), _) => check(root, property, field, &at, wrong),
            (None, Value::Bool(false)) => wrong.push(format!("{at} is not described")),
            (None, Value::Object(_)) => {
                check(root, &schema["additionalProperties"], field, &at, wrong)
            }
            (None, _) => {}
        }
    }
}
