//! `/api/2.0/mlflow/unity-catalog/…`: what the local workspace answers to clients whose registry is `databricks-uc`.

use serde_json::{Value, json};
use xtask_remote::databricks::tag_limits;
use xtask_remote::{Method, Request};

use super::State;
use super::arguments::Arguments;
use super::registry::{Model, NewVersion, Tags, Version};
use super::reply::{Answer, Refusal, Reply};
use super::search;

/// The tag that the local workspace keeps for itself.
const ORIGIN_TAG: &str = "xtask.origin";

pub(super) fn answer(state: &mut State, request: &Request, route: &str) -> Answer {
    let arguments = arguments(request)?;
    let name = arguments.text("name").unwrap_or_default().into_owned();
    let now = state.now;
    let registry = &mut state.registry;
    let empty = Ok(Reply::Json(json!({})));
    match (request.method, route) {
        (Method::Post, "registered-models/create") => {
            let description = arguments.text("description").unwrap_or_default();
            let name = arguments.required("name")?;
            check_tags(&arguments.tags().into_iter().collect())?;
            let model = registry.create_model(now, &name, &description, arguments.tags())?;
            Ok(model_reply(&name, model))
        }
        (Method::Get, "registered-models/get") => {
            let name = arguments.required("name")?;
            Ok(model_reply(&name, registry.model(&name)?))
        }
        (Method::Get, "registered-models/search") => {
            let (found, next) = search::models(registry, &arguments)?;
            let found = found
                .iter()
                .map(|(name, model)| found_by_search(model_wire(name, model)));
            Ok(page("registered_models", found.collect(), next))
        }
        (Method::Patch, "registered-models/update") => {
            let description = arguments.text("description").unwrap_or_default();
            let name = arguments.required("name")?;
            let model = registry.model_mut(&name)?;
            model.description = description.into_owned();
            model.updated = now;
            Ok(model_reply(&name, model))
        }
        (Method::Post, "registered-models/set-tag") => {
            check_tags(&new_tag(&arguments))?;
            let mut tags = registry.model(&name)?.tags.clone();
            tags.extend(new_tag(&arguments));
            check_tags(&tags)?;
            super::verbs::set_model_tag(registry, &arguments).and(empty)
        }
        (Method::Delete, "registered-models/delete-tag") => {
            super::verbs::delete_model_tag(registry, &arguments).and(empty)
        }
        (Method::Post, "registered-models/alias") => {
            super::verbs::set_alias(registry, &arguments).and(empty)
        }
        (Method::Delete, "registered-models/alias") => {
            super::verbs::delete_alias(registry, &arguments).and(empty)
        }
        (Method::Get, "registered-models/alias") => {
            let (name, alias) = (arguments.required("name")?, arguments.required("alias")?);
            let (number, version) = registry.by_alias(&name, &alias)?;
            Ok(version_reply(
                &name,
                registry.model(&name)?,
                number,
                version,
            ))
        }
        (Method::Post, "model-versions/create") => create_version(state, &arguments),
        (Method::Get, "model-versions/get") => found_version(state, &arguments),
        (Method::Get, "model-versions/search") => {
            let (found, next) = search::versions(registry, &arguments)?;
            let found = found.iter().filter_map(|(name, (number, version))| {
                let model = registry.model(name).ok()?;
                Some(found_by_search(version_wire(name, model, *number, version)))
            });
            Ok(page("model_versions", found.collect(), next))
        }
        (Method::Get, "model-versions/get-download-uri") => {
            let (number, version) = registry.version(&name, &arguments.required("version")?)?;
            if version.pending {
                let status = version.status();
                let why = format!(
                    "Version {number} of '{name}' cannot be loaded: its status is {status}."
                );
                return Err(Refusal::new(400, "INVALID_STATE", why));
            }
            Ok(Reply::Json(
                json!({"artifact_uri": storage_location(&name, number)}),
            ))
        }
        (Method::Post, "model-versions/finalize") => {
            let name = arguments.required("name")?;
            let number = arguments.required("version")?;
            registry.version_mut(&name, &number)?.1.pending = false;
            found_version(state, &arguments)
        }
        (Method::Patch, "model-versions/update") => {
            super::verbs::describe_version(now, registry, &arguments)?;
            found_version(state, &arguments)
        }
        (Method::Post, "model-versions/set-tag") => {
            not_ours(&arguments)?;
            check_tags(&new_tag(&arguments))?;
            let number = arguments.required("version")?;
            let mut tags = registry.version(&name, &number)?.1.tags.clone();
            tags.extend(new_tag(&arguments));
            check_tags(&tags)?;
            super::verbs::set_version_tag(registry, &arguments).and(empty)
        }
        (Method::Delete, "model-versions/delete-tag") => {
            not_ours(&arguments)?;
            super::verbs::delete_version_tag(registry, &arguments).and(empty)
        }
        (Method::Delete, "model-versions/delete") => {
            let name = arguments.required("name")?;
            let number = arguments.required("version")?;
            state.delete_version(&name, &number).and(empty)
        }
        _ => Err(Refusal::no_endpoint(request)),
    }
}

/// The tag that a call is to set.
fn new_tag(arguments: &Arguments) -> Tags {
    let text = |field| arguments.text(field).unwrap_or_default().into_owned();
    Tags::from([(text("key"), text("value"))])
}

fn check_tags(tags: &Tags) -> Result<(), Refusal> {
    match tag_limits::refused(tags) {
        None => Ok(()),
        Some(why) => Err(Refusal::invalid(format!("the tags {why}"))),
    }
}

/// The call's fields, with the model's name and an alias as Unity Catalog keeps them.
fn arguments(request: &Request) -> Result<Arguments, Refusal> {
    let mut arguments = Arguments::of(request)?;
    if let Some(name) = arguments.text("name").map(|name| canonical_name(&name)) {
        arguments.set("name", &name?);
    }
    if let Some(alias) = arguments.text("alias").map(|alias| alias.to_lowercase()) {
        arguments.set("alias", &alias);
    }
    Ok(arguments)
}

/// A name of three levels, in lower case.
pub(super) fn canonical_name(name: &str) -> Result<String, Refusal> {
    let parts: Vec<&str> = name.split('.').collect();
    let fine = |part: &&str| {
        !part.is_empty() && !part.contains(|c: char| c.is_control() || "/\\:'\"% ".contains(c))
    };
    if parts.len() == 3 && parts.iter().all(fine) {
        return Ok(name.to_lowercase());
    }
    Err(Refusal::invalid(format!(
        "'{name}' is not a model name of Unity Catalog: it has three levels, <catalog>.<schema>.<model>, without \
         spaces, slashes, colons or quotes"
    )))
}

/// A version whose files are still to come. Whatever its source, it is taken; one in this registry lends its run.
fn create_version(state: &mut State, arguments: &Arguments) -> Answer {
    let name = arguments.required("name")?;
    check_tags(&arguments.tags().into_iter().collect())?;
    let source = arguments.text("source").unwrap_or_default();
    let mut run_id = arguments.text("run_id").unwrap_or_default().into_owned();
    if run_id.is_empty()
        && let Some((model, number)) = version_of_uri(&source)
        && let Ok((_, from)) = state.registry.version(model, number)
    {
        run_id.clone_from(&from.run_id);
    }
    let model_id = arguments.text("model_id").unwrap_or_default();
    let new = NewVersion {
        source: source.into_owned(),
        run_id,
        model_id: model_id.into_owned(),
        description: arguments
            .text("description")
            .unwrap_or_default()
            .into_owned(),
        tags: arguments
            .tags()
            .into_iter()
            .filter(|(key, _)| key != ORIGIN_TAG)
            .collect(),
        pending: true,
    };
    let number = state.registry.create_version(state.now, &name, new)?;
    let model = state.registry.model(&name)?;
    let (_, version) = state.registry.version(&name, &number.to_string())?;
    Ok(version_reply(&name, model, number, version))
}

/// Model and number of `models:/NAME/7`.
pub(super) fn version_of_uri(uri: &str) -> Option<(&str, &str)> {
    let (name, number) = uri.strip_prefix("models:/")?.split_once('/')?;
    number
        .chars()
        .all(|c| c.is_ascii_digit())
        .then_some((name, number))
}

fn found_version(state: &State, arguments: &Arguments) -> Answer {
    let name = arguments.required("name")?;
    let (number, version) = state
        .registry
        .version(&name, &arguments.required("version")?)?;
    Ok(version_reply(
        &name,
        state.registry.model(&name)?,
        number,
        version,
    ))
}

fn not_ours(arguments: &Arguments) -> Result<(), Refusal> {
    if arguments.text("key").as_deref() == Some(ORIGIN_TAG) {
        return Err(Refusal::invalid(format!(
            "the tag {ORIGIN_TAG} belongs to the workspace"
        )));
    }
    Ok(())
}

fn storage_location(name: &str, number: u64) -> String {
    format!("dbfs:/Models/{}/{number}", name.replace('.', "/"))
}

pub(super) fn tags_wire(tags: &Tags) -> Value {
    tags.iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect()
}

fn model_wire(name: &str, model: &Model) -> Value {
    let aliases: Vec<Value> = model
        .aliases
        .iter()
        .map(|(alias, number)| json!({"alias": alias, "version": number.to_string()}))
        .collect();
    json!({
        "name": name, "creation_timestamp": model.created, "last_updated_timestamp": model.updated,
        "user_id": "", "description": model.description, "aliases": aliases,
        "tags": tags_wire(&model.tags),
    })
}

fn version_wire(name: &str, model: &Model, number: u64, version: &Version) -> Value {
    let text = number.to_string();
    let aliases: Vec<Value> = model
        .aliases_of(number)
        .iter()
        .map(|alias| json!({"alias": alias, "version": text}))
        .collect();
    json!({
        "name": name, "version": text,
        "creation_timestamp": version.created, "last_updated_timestamp": version.updated,
        "user_id": "", "description": version.description, "source": version.source,
        "run_id": version.run_id, "model_id": version.model_id, "status": version.status(),
        "storage_location": storage_location(name, number), "aliases": aliases,
        "tags": tags_wire(&version.tags),
    })
}

/// Searches of Unity Catalog tell neither tags nor aliases.
fn found_by_search(mut wire: Value) -> Value {
    if let Some(fields) = wire.as_object_mut() {
        fields.remove("tags");
        fields.remove("aliases");
    }
    wire
}

fn model_reply(name: &str, model: &Model) -> Reply {
    Reply::Json(json!({"registered_model": model_wire(name, model)}))
}

fn version_reply(name: &str, model: &Model, number: u64, version: &Version) -> Reply {
    Reply::Json(json!({"model_version": version_wire(name, model, number, version)}))
}

/// A page of a list; without a token it is the last.
pub(super) fn page(field: &str, rows: Vec<Value>, next: Option<String>) -> Reply {
    let mut body = json!({ field: rows });
    if let Some(token) = next {
        body["next_page_token"] = token.into();
    }
    Reply::Json(body)
}
