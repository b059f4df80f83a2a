//! `/api/2.0/mlflow/{registered-models,model-versions}/…`: the workspace registry, which has stages, and aliases where it
//! is MLflow's own. Fields without content are left out, as MLflow leaves them out.

use serde_json::{Map, Value, json};
use xtask_remote::{Method, Request};

use super::State;
use super::arguments::Arguments;
use super::registry::{Model, NewVersion, Stage, Version};
use super::reply::{Answer, Refusal, Reply};
use super::unity_catalog::{tags_wire, version_of_uri};
use super::{search, verbs};

pub(super) fn answer(state: &mut State, request: &Request, route: &str) -> Answer {
    let arguments = Arguments::of(request)?;
    let now = state.now;
    let registry = &mut state.registry;
    let empty = Ok(Reply::Json(json!({})));
    match (request.method, route) {
        (Method::Post, "registered-models/create") => {
            let description = arguments.text("description").unwrap_or_default();
            let name = arguments.required("name")?;
            let model = registry.create_model(now, &name, &description, arguments.tags())?;
            Ok(model_reply(&name, model))
        }
        (Method::Get, "registered-models/get") => {
            let name = arguments.required("name")?;
            Ok(model_reply(&name, registry.model(&name)?))
        }
        (Method::Get, "registered-models/search") => {
            let (found, next) = search::models(registry, &arguments)?;
            let found = found.iter().map(|(name, model)| model_wire(name, model));
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
        (Method::Get | Method::Post, "registered-models/get-latest-versions") => {
            latest(state, &arguments)
        }
        (Method::Post, "registered-models/set-tag") => {
            verbs::set_model_tag(registry, &arguments).and(empty)
        }
        (Method::Delete, "registered-models/delete-tag") => {
            verbs::delete_model_tag(registry, &arguments).and(empty)
        }
        (Method::Post, "registered-models/alias") => {
            verbs::set_alias(registry, &arguments).and(empty)
        }
        (Method::Delete, "registered-models/alias") => {
            verbs::delete_alias(registry, &arguments).and(empty)
        }
        (Method::Get, "registered-models/alias") => {
            let (name, alias) = (arguments.required("name")?, arguments.required("alias")?);
            let (number, _) = registry.by_alias(&name, &alias)?;
            version_reply(state, &name, number)
        }
        (Method::Post, "model-versions/create") => create_version(state, &arguments),
        (Method::Get, "model-versions/get") => found_version(state, &arguments),
        (Method::Get, "model-versions/search") => {
            let (found, next) = search::versions(registry, &arguments)?;
            // MLflow does not look up aliases in a search.
            let found = found
                .iter()
                .map(|(name, (number, version))| version_wire(name, None, *number, version));
            Ok(page("model_versions", found.collect(), next))
        }
        (Method::Patch, "model-versions/update") => {
            verbs::describe_version(now, registry, &arguments)?;
            found_version(state, &arguments)
        }
        (Method::Post, "model-versions/transition-stage") => {
            let (name, number) = (arguments.required("name")?, arguments.required("version")?);
            let stage = arguments.required("stage")?;
            let archive = arguments.flag("archive_existing_versions");
            let number = registry.transition(now, &name, &number, &stage, archive)?;
            version_reply(state, &name, number)
        }
        (Method::Post, "model-versions/set-tag") => {
            verbs::set_version_tag(registry, &arguments).and(empty)
        }
        (Method::Delete, "model-versions/delete-tag") => {
            verbs::delete_version_tag(registry, &arguments).and(empty)
        }
        (Method::Delete, "model-versions/delete") => {
            let (name, number) = (arguments.required("name")?, arguments.required("version")?);
            registry.delete_version(now, &name, &number)?;
            empty
        }
        _ => Err(Refusal::no_endpoint(request)),
    }
}

/// A version from a place that clients name by `models:/NAME/NUMBER` or `dbfs:/…`. Its files stay where they are.
fn create_version(state: &mut State, arguments: &Arguments) -> Answer {
    let name = arguments.required("name")?;
    let source = arguments.required("source")?;
    let mut run_id = arguments.text("run_id").unwrap_or_default().into_owned();
    if let Some((model, number)) = version_of_uri(&source) {
        state.registry.model(model)?;
        let (_, from) = state.registry.version(model, number)?;
        if !arguments.has("run_id") {
            run_id.clone_from(&from.run_id);
        } else if run_id != from.run_id {
            return Err(Refusal::invalid(format!(
                "Invalid model version source: '{source}'. The run_id and model_id request parameters must match the \
                 referenced model version."
            )));
        }
    } else if !source.contains(":/") || source.starts_with("runs:/") {
        return Err(Refusal::invalid(format!(
            "Invalid model version source: '{source}'."
        )));
    }
    let new = NewVersion {
        source: source.into_owned(),
        run_id,
        model_id: String::new(),
        description: arguments
            .text("description")
            .unwrap_or_default()
            .into_owned(),
        tags: arguments.tags(),
        pending: false,
    };
    let number = state.registry.create_version(state.now, &name, new)?;
    version_reply(state, &name, number)
}

fn latest(state: &State, arguments: &Arguments) -> Answer {
    let name = arguments.required("name")?;
    let model = state.registry.model(&name)?;
    let mut wanted = Vec::new();
    for stage in arguments.list("stages") {
        wanted.push(Stage::parse(&stage)?);
    }
    let known = Some(model);
    let found = model
        .newest_of_each_stage()
        .into_iter()
        .filter(|(stage, _)| wanted.is_empty() || wanted.contains(stage))
        .map(|(_, (number, version))| version_wire(&name, known, number, version));
    Ok(page("model_versions", found.collect(), None))
}

fn found_version(state: &State, arguments: &Arguments) -> Answer {
    let name = arguments.required("name")?;
    let number = arguments.required("version")?;
    let (number, _) = state.registry.version(&name, &number)?;
    version_reply(state, &name, number)
}

fn version_reply(state: &State, name: &str, number: u64) -> Answer {
    let model = state.registry.model(name)?;
    let (_, version) = state.registry.version(name, &number.to_string())?;
    let known = Some(model);
    let wire = version_wire(name, known, number, version);
    Ok(Reply::Json(json!({"model_version": wire})))
}

fn model_reply(name: &str, model: &Model) -> Reply {
    Reply::Json(json!({"registered_model": model_wire(name, model)}))
}

fn model_wire(name: &str, model: &Model) -> Value {
    let aliases: Vec<Value> = model
        .aliases
        .iter()
        .map(|(alias, number)| json!({"alias": alias, "version": number.to_string()}))
        .collect();
    let latest: Vec<Value> = model
        .newest_of_each_stage()
        .into_values()
        .map(|(number, version)| version_wire(name, None, number, version))
        .collect();
    with_content(json!({
        "name": name, "creation_timestamp": model.created, "last_updated_timestamp": model.updated,
        "description": model.description, "latest_versions": latest, "tags": tags_wire(&model.tags),
        "aliases": aliases,
    }))
}

/// A version; of a model, with the aliases that name it.
fn version_wire(name: &str, model: Option<&Model>, number: u64, version: &Version) -> Value {
    let aliases = model
        .map(|model| model.aliases_of(number))
        .unwrap_or_default();
    with_content(json!({
        "name": name, "version": number.to_string(),
        "creation_timestamp": version.created, "last_updated_timestamp": version.updated,
        "current_stage": version.stage.as_str(), "description": version.description,
        "source": version.source, "run_id": version.run_id, "status": "READY",
        "tags": tags_wire(&version.tags), "aliases": aliases,
    }))
}

fn with_content(wire: Value) -> Value {
    let Value::Object(fields) = wire else {
        return wire;
    };
    let filled = |value: &Value| match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    Value::Object(
        fields
            .into_iter()
            .filter(|(_, value)| filled(value))
            .collect::<Map<String, Value>>(),
    )
}

fn page(field: &str, rows: Vec<Value>, next: Option<String>) -> Reply {
    let mut body = with_content(json!({ field: rows }));
    if let Some(token) = next {
        body["next_page_token"] = token.into();
    }
    Reply::Json(body)
}
