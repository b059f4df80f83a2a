//! Users and service principals.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};

use super::error::ScimError;
use super::filter::{ListQuery, page};
use super::patch::Patch;
use crate::call::{Call, JsonBody, QueryString, Routes};
use crate::caller::Caller;
use crate::files::RelativePath;
use crate::state::App;
use crate::store::{Principal, PrincipalKind};

type Reply = Result<Json<Value>, ScimError>;
type Id = Path<String>;

use PrincipalKind::{ServicePrincipal, User};
use axum::response::{AppendHeaders, IntoResponse};

fn noun(kind: PrincipalKind) -> &'static str {
    match kind {
        User => "User",
        ServicePrincipal => "Service principal",
    }
}

/// A service principal's name is its application id.
fn view(app: &App, who: &Principal) -> Value {
    view_as(who.kind, app, who)
}

fn view_as(kind: PrincipalKind, app: &App, who: &Principal) -> Value {
    let (schema, name) = match kind {
        User => ("User", "userName"),
        ServicePrincipal => ("ServicePrincipal", "applicationId"),
    };
    let mut body = json!({
        "schemas": [format!("urn:ietf:params:scim:schemas:core:2.0:{schema}")],
        "id": who.id.to_string(),
        (name): who.name,
        "displayName": who.display_name,
        "active": who.active,
        "groups": groups(app, who),
        "entitlements": who.entitlements,
    });
    if who.kind == User {
        body["emails"] = json!([{"value": who.name, "type": "work", "primary": true}]);
    }
    if !who.external_id.is_empty() {
        body["externalId"] = who.external_id.as_str().into();
    }
    body
}

fn groups(app: &App, who: &Principal) -> Vec<Value> {
    let known = app.store.groups().unwrap_or_default();
    known
        .iter()
        .filter(|group| group.members.iter().any(|(id, ..)| *id == who.id))
        .map(|group| {
            json!({"display": group.name, "type": "direct", "value": group.id.to_string(),
                "$ref": format!("Groups/{}", group.id)})
        })
        .collect()
}

async fn list(
    kind: PrincipalKind,
    call: Call,
    QueryString(query): QueryString<ListQuery>,
) -> Reply {
    let all = call.store.principals(kind)?;
    page(&query, all.iter().map(|who| view(&call, who)).collect()).map(Json)
}

async fn show(kind: PrincipalKind, call: Call, Path(id): Id) -> Reply {
    Ok(Json(view(&call, &find(&call, kind, &id)?)))
}

fn find(app: &App, kind: PrincipalKind, id: &str) -> Result<Principal, ScimError> {
    let found = app.store.principal(id.parse().unwrap_or_default())?;
    found
        .filter(|who| who.kind == kind)
        .ok_or_else(|| ScimError::absent(noun(kind), id))
}

/// Only admins may create and change identities, and no job runs.
fn check(caller: &Caller) -> Result<(), ScimError> {
    caller.require_admin()?;
    Ok(caller.require_own_token()?)
}

async fn create(
    kind: PrincipalKind,
    call: Call,
    JsonBody(body): JsonBody<Value>,
) -> Result<(StatusCode, Json<Value>), ScimError> {
    check(&call.caller)?;
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    let name = match kind {
        User => text("userName"),
        ServicePrincipal => text("applicationId"),
    };
    // It becomes a folder name.
    if !name.is_empty() && (name.contains('/') || RelativePath::parse(&name).is_err()) {
        return Err(ScimError::invalid("the name is not valid as a folder name"));
    }
    if kind == User && name.is_empty() {
        return Err(ScimError::invalid("userName is missing"));
    }
    let display = text("displayName");
    let mut new = Principal {
        id: 0,
        kind,
        display_name: if display.is_empty() {
            name.clone()
        } else {
            display
        },
        name,
        external_id: text("externalId"),
        entitlements: json!([]),
        active: true,
        groups: Vec::new(),
    };
    change(&mut new, &body);
    let made = call.store.create_principal(&new)?;
    let made = made.ok_or_else(|| ScimError::taken(noun(kind), &new.name))?;
    set_groups(&call, &made, &body)?;
    make_home(&call, &made.name)?;
    let shown = find(&call, kind, &made.id.to_string())?;
    Ok((StatusCode::CREATED, Json(view(&call, &shown))))
}

fn make_home(app: &App, name: &str) -> Result<(), ScimError> {
    let home = RelativePath::parse(&format!("Users/{name}"))?;
    let made = app.workspace_files.create_dir_all(&home);
    Ok(made.map_err(|error| crate::error::ApiError::disk("cannot make a home folder", &error))?)
}

/// Applies the fields of a request that can change.
fn change(who: &mut Principal, body: &Value) {
    if let Some(name) = body["displayName"].as_str().filter(|name| !name.is_empty()) {
        name.clone_into(&mut who.display_name);
    }
    if let Some(id) = body["externalId"].as_str() {
        id.clone_into(&mut who.external_id);
    }
    // Microsoft Entra sends the string `"False"`.
    let active = &body["active"];
    let off = *active == false
        || active
            .as_str()
            .is_some_and(|text| text.eq_ignore_ascii_case("false"));
    if !active.is_null() {
        who.active = !off;
    }
    if body["entitlements"].is_array() {
        who.entitlements = body["entitlements"].clone();
    }
}

/// Sets the groups, if the request lists any.
fn set_groups(app: &App, who: &Principal, body: &Value) -> Result<(), ScimError> {
    let Some(listed) = body["groups"].as_array() else {
        return Ok(());
    };
    for group in app.store.groups()? {
        let id = group.id.to_string();
        let wanted = listed.iter().any(|entry| entry["value"] == id.as_str());
        let mut members: Vec<i64> = group.members.iter().map(|(id, ..)| *id).collect();
        if wanted != members.contains(&who.id) && group.name != crate::store::USERS {
            members.retain(|member| *member != who.id);
            if wanted {
                members.push(who.id);
            }
            app.store.set_members(group.id, &members)?;
        }
    }
    Ok(())
}

async fn replace(
    kind: PrincipalKind,
    call: Call,
    Path(id): Id,
    JsonBody(body): JsonBody<Value>,
) -> Reply {
    set(kind, &call, &id, &body)
}

async fn patch(
    kind: PrincipalKind,
    call: Call,
    Path(id): Id,
    JsonBody(patch): JsonBody<Patch>,
) -> Reply {
    check(&call.caller)?;
    let before = view(&call, &find(&call, kind, &id)?);
    set(kind, &call, &id, &patch.apply(before)?)
}

fn set(kind: PrincipalKind, call: &Call, id: &str, body: &Value) -> Reply {
    check(&call.caller)?;
    let mut who = find(call, kind, id)?;
    change(&mut who, body);
    if who.name == call.identity.user_name && !who.active {
        return Err(ScimError::invalid(
            "the workspace's own user must stay active",
        ));
    }
    call.store.replace_principal(&who)?;
    if who.name != call.identity.user_name {
        set_groups(call, &who, body)?;
    }
    Ok(Json(view(call, &find(call, kind, id)?)))
}

async fn delete(kind: PrincipalKind, call: Call, Path(id): Id) -> Result<StatusCode, ScimError> {
    check(&call.caller)?;
    let who = find(&call, kind, &id)?;
    if who.name == call.identity.user_name {
        return Err(ScimError::invalid(
            "the workspace's own user cannot be deleted",
        ));
    }
    call.store.delete_principal(who.id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same routes for users and for service principals.
pub(super) fn router(root: &str, kind: PrincipalKind) -> Routes {
    let all = get(move |call, query| list(kind, call, query))
        .post(move |call, body| create(kind, call, body));
    let one = get(move |call, id| show(kind, call, id))
        .put(move |call, id, body| replace(kind, call, id, body))
        .patch(move |call, id, body| patch(kind, call, id, body))
        .delete(move |call, id| delete(kind, call, id));
    Routes::new()
        .route(root, all)
        .route(&format!("{root}/{{id}}"), one)
}

/// The header carries the workspace's id. A service principal appears as a user named by its application id, as on
/// Databricks.
pub(super) async fn me(call: Call) -> impl IntoResponse {
    (
        AppendHeaders([("X-Databricks-Org-Id", call.identity.workspace_id.clone())]),
        Json(view_as(User, &call, &call.caller.who)),
    )
}
