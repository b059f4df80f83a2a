//! `/api/2.1/unity-catalog/models/…`: the same models, as Unity Catalog's own API describes them.

use serde_json::{Value, json};
use xtask_remote::{Method, Request};

use super::arguments::{Arguments, page_of};
use super::registry::{Model, Version};
use super::reply::{Answer, Refusal, Reply};
use super::unity_catalog::{canonical_name, page, tags_wire};
use super::{State, USER};

pub(super) fn answer(state: &mut State, request: &Request, parts: &[&str]) -> Answer {
    let Some((full_name, rest)) = parts.split_first() else {
        return Err(Refusal::unknown("lists of models"));
    };
    let arguments = Arguments::of(request)?;
    let name = match (request.method, rest) {
        // This body is read before the name is.
        (Method::Put, ["aliases", _]) => {
            version_num(&arguments)?;
            canonical_name(full_name)?
        }
        _ => canonical_name(full_name)?,
    };
    let now = state.now;
    match (request.method, rest) {
        (Method::Get, []) => Ok(model_reply(&name, state.registry.model(&name)?)),
        (Method::Patch, []) => {
            let model = state.registry.model_mut(&name)?;
            if let Some(comment) = arguments.text("comment") {
                model.description = comment.into_owned();
                model.updated = now;
            }
            Ok(model_reply(&name, model))
        }
        (Method::Get, ["versions"]) => {
            let model = state.registry.model(&name)?;
            let sizes = arguments.page(100, 1000)?;
            let (found, next) = page_of(model.alive().rev().collect(), sizes);
            let found = found.iter().map(|(number, version)| {
                let mut view = version_view(&name, model, *number, version);
                // A list does not say what names its rows.
                view["aliases"] = json!([]);
                view
            });
            Ok(page("model_versions", found.collect(), next))
        }
        (Method::Get, ["versions", number]) => version_reply(state, &name, number),
        (Method::Patch, ["versions", number]) => {
            let (_, version) = state.registry.version_mut(&name, number)?;
            if let Some(comment) = arguments.text("comment") {
                version.description = comment.into_owned();
                version.updated = now;
            }
            version_reply(state, &name, number)
        }
        (Method::Delete, ["versions", number]) => {
            state.delete_version(&name, number)?;
            Ok(Reply::Json(json!({})))
        }
        (_, ["aliases", alias]) => about_alias(state, request.method, &name, alias, &arguments),
        _ => Err(Refusal::unknown(format!(
            "{} {}",
            request.method.as_str(),
            request.path
        ))),
    }
}

fn about_alias(
    state: &mut State,
    method: Method,
    name: &str,
    alias: &str,
    arguments: &Arguments,
) -> Answer {
    let asked = alias;
    let alias = &alias.to_lowercase();
    match method {
        Method::Get => match state.registry.by_alias(name, alias) {
            Ok((number, _)) => version_reply(state, name, &number.to_string()),
            Err(refusal) if refusal.code == "INVALID_PARAMETER_VALUE" => {
                state.registry.model(name)?;
                Err(Refusal::absent(format!(
                    "Alias '{asked}' of model '{name}' does not exist."
                )))
            }
            Err(refusal) => Err(refusal),
        },
        Method::Put => {
            let number = version_num(arguments)?;
            state.registry.set_alias(name, alias, &number.to_string())?;
            Ok(Reply::Json(alias_view(alias, number)))
        }
        Method::Delete => {
            state.registry.delete_alias(name, alias)?;
            Ok(Reply::Json(json!({})))
        }
        _ => Err(Refusal::unknown("this about an alias")),
    }
}

fn version_num(arguments: &Arguments) -> Result<u64, Refusal> {
    let number = arguments.text("version_num").unwrap_or_default();
    number.parse().map_err(|_| {
        let what = "the request's body is not what this route takes";
        Refusal::new(400, "MALFORMED_REQUEST", what)
    })
}

fn version_reply(state: &State, name: &str, number: &str) -> Answer {
    let (number, version) = state.registry.version(name, number)?;
    let model = state.registry.model(name)?;
    Ok(Reply::Json(version_view(name, model, number, version)))
}

fn model_reply(full_name: &str, model: &Model) -> Reply {
    let mut parts = full_name.split('.');
    let aliases: Vec<Value> = model
        .aliases
        .iter()
        .map(|(alias, number)| alias_view(alias, *number))
        .collect();
    Reply::Json(json!({
        "catalog_name": parts.next(), "schema_name": parts.next(), "name": parts.next(),
        "full_name": full_name, "comment": model.description,
        "owner": USER, "created_by": USER, "updated_by": USER,
        "created_at": model.created, "updated_at": model.updated,
        "storage_location": format!("dbfs:/Models/{}", full_name.replace('.', "/")),
        "securable_type": "FUNCTION", "securable_kind": "FUNCTION_REGISTERED_MODEL",
        "tags": tags_wire(&model.tags), "aliases": aliases,
    }))
}

fn version_view(full_name: &str, model: &Model, number: u64, version: &Version) -> Value {
    let mut parts = full_name.split('.');
    let aliases: Vec<Value> = model
        .aliases_of(number)
        .iter()
        .map(|alias| alias_view(alias, number))
        .collect();
    json!({
        "catalog_name": parts.next(), "schema_name": parts.next(), "model_name": parts.next(),
        "version": number, "status": version.status(), "source": version.source,
        "run_id": version.run_id, "comment": version.description,
        "created_at": version.created, "updated_at": version.updated,
        "created_by": USER, "updated_by": USER,
        "storage_location": format!("dbfs:/Models/{}/{number}", full_name.replace('.', "/")),
        "aliases": aliases,
    })
}

fn alias_view(alias: &str, number: u64) -> Value {
    json!({"alias_name": alias, "version_num": number})
}
