//! `jobs/update`: changes the given settings.

use axum::Json;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::find;
use crate::access::Act;
use crate::call::{Call, JsonBody, Reply};
use crate::jobs::{Declared, JobSettings, checked};
use crate::runner::check_run_as;

/// Lists whose elements are merged by a key.
const KEYED_LISTS: &[(&str, &str)] = &[
    ("tasks", "task_key"),
    ("job_clusters", "job_cluster_key"),
    ("environments", "environment_key"),
    ("parameters", "name"),
];

#[derive(Deserialize)]
pub(super) struct Update {
    job_id: i64,
    #[serde(default)]
    new_settings: Map<String, Value>,
    #[serde(default)]
    fields_to_remove: Vec<String>,
}

pub(super) async fn update(call: Call, JsonBody(body): JsonBody<Update>) -> Reply {
    let job = find(&call, body.job_id, Act::Change)?;
    check_run_as(
        &call.caller,
        &Declared::<JobSettings>::parse(json!(body.new_settings))?.run_as,
    )?;
    let Value::Object(mut settings) = job.settings.into_json() else {
        return Err(super::absent(body.job_id));
    };
    for field in &body.fields_to_remove {
        remove(&mut settings, field);
    }
    for (key, value) in body.new_settings {
        let identity = KEYED_LISTS
            .iter()
            .find(|(list, _)| *list == key)
            .map(|(_, identity)| *identity);
        match (
            identity,
            settings.get_mut(&key).and_then(Value::as_array_mut),
            value,
        ) {
            (Some(identity), Some(old), Value::Array(new)) => merge(old, new, identity),
            (_, _, value) => {
                settings.insert(key, value);
            }
        }
    }
    call.store.replace_job(body.job_id, &checked(settings)?)?;
    Ok(Json(json!({})))
}

/// Removes `field`, or an element of a keyed list: `tasks/train`.
fn remove(settings: &mut Map<String, Value>, field: &str) {
    let Some((list, element)) = field.split_once('/') else {
        settings.remove(field);
        return;
    };
    let identity = KEYED_LISTS
        .iter()
        .find(|(name, _)| *name == list)
        .map(|(_, identity)| *identity);
    if let (Some(identity), Some(elements)) = (
        identity,
        settings.get_mut(list).and_then(Value::as_array_mut),
    ) {
        elements.retain(|candidate| candidate[identity] != element);
    }
}

fn merge(old: &mut Vec<Value>, new: Vec<Value>, identity: &str) {
    for element in new {
        match old
            .iter_mut()
            .find(|candidate| candidate[identity] == element[identity])
        {
            Some(place) => *place = element,
            None => old.push(element),
        }
    }
}
