//! Groups. Members are users and service principals; groups cannot be nested.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::error::ScimError;
use super::filter::{ListQuery, page};
use super::patch::Patch;
use crate::call::{Call, JsonBody, QueryString};
use crate::caller::Caller;
use crate::state::App;
use crate::store::{ADMINS, Group, USERS};

type Reply = Result<Json<Value>, ScimError>;

fn view(group: &Group) -> Value {
    let members: Vec<Value> = group
        .members
        .iter()
        .map(|(id, _, display)| json!({"value": id.to_string(), "display": display}))
        .collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": group.id.to_string(),
        "displayName": group.name,
        "members": members,
        "groups": [],
        "meta": {"resourceType": "WorkspaceGroup"},
    })
}

fn find(app: &App, id: &str) -> Result<Group, ScimError> {
    let found = app.store.group(id.parse().unwrap_or_default())?;
    found.ok_or_else(|| ScimError::absent("Group", id))
}

fn check(caller: &Caller) -> Result<(), ScimError> {
    caller.require_admin()?;
    Ok(caller.require_own_token()?)
}

pub(super) async fn list(call: Call, QueryString(query): QueryString<ListQuery>) -> Reply {
    page(&query, call.store.groups()?.iter().map(view).collect()).map(Json)
}

pub(super) async fn show(call: Call, Path(id): Path<String>) -> Reply {
    Ok(Json(view(&find(&call, &id)?)))
}

pub(super) async fn create(
    call: Call,
    JsonBody(body): JsonBody<Value>,
) -> Result<(StatusCode, Json<Value>), ScimError> {
    check(&call.caller)?;
    let name = body["displayName"].as_str().unwrap_or_default().trim();
    if name.is_empty() {
        return Err(ScimError::invalid("displayName is missing"));
    }
    let made = call.store.create_group(name)?;
    let made = made.ok_or_else(|| ScimError::taken("Group", name))?;
    change(&call, &made, &body)?;
    Ok((
        StatusCode::CREATED,
        Json(view(&find(&call, &made.id.to_string())?)),
    ))
}

pub(super) async fn replace(
    call: Call,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<Value>,
) -> Reply {
    check(&call.caller)?;
    change(&call, &find(&call, &id)?, &body)?;
    Ok(Json(view(&find(&call, &id)?)))
}

pub(super) async fn patch(
    call: Call,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<Patch>,
) -> Reply {
    check(&call.caller)?;
    let group = find(&call, &id)?;
    change(&call, &group, &body.apply(view(&group))?)?;
    Ok(Json(view(&find(&call, &id)?)))
}

pub(super) async fn delete(call: Call, Path(id): Path<String>) -> Result<StatusCode, ScimError> {
    check(&call.caller)?;
    let group = find(&call, &id)?;
    if [ADMINS, USERS].contains(&group.name.as_str()) {
        return Err(ScimError::invalid(format!(
            "the group {} stays",
            group.name
        )));
    }
    call.store.delete_group(group.id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Applies name and members of a request.
fn change(app: &App, group: &Group, body: &Value) -> Result<(), ScimError> {
    let own = [ADMINS, USERS].contains(&group.name.as_str());
    if let Some(name) = body["displayName"]
        .as_str()
        .filter(|name| *name != group.name)
    {
        if own {
            return Err(ScimError::invalid(format!(
                "the group {} cannot be renamed",
                group.name
            )));
        }
        if !app.store.rename_group(group.id, name)? {
            return Err(ScimError::taken("Group", name));
        }
    }
    let (Some(members), false) = (body["members"].as_array(), group.name == USERS) else {
        return Ok(());
    };
    let mut ids = Vec::new();
    for member in members {
        let id = member["value"].as_str().unwrap_or_default();
        let known = app.store.principal(id.parse().unwrap_or_default())?;
        ids.push(
            known
                .ok_or_else(|| {
                    ScimError::invalid(format!(
                        "{} is not a user or service principal",
                        id.escape_debug()
                    ))
                })?
                .id,
        );
    }
    if group.name == ADMINS && !ids.contains(&app.user.id) {
        return Err(ScimError::invalid(
            "the workspace's own user must stay an admin",
        ));
    }
    Ok(app.store.set_members(group.id, &ids)?)
}
