//! Users and service principals.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::error::ScimError;
use super::page::{ListQuery, page};
use super::patch::Patch;
use crate::caller::Caller;
use crate::extract::{JsonBody, QueryString};
use crate::files::RelativePath;
use crate::state::App;
use crate::store::{Principal, PrincipalKind};

type Reply = Result<Json<Value>, ScimError>;
type Id = Path<String>;

use PrincipalKind::{ServicePrincipal, User};

fn noun(kind: PrincipalKind) -> &'static str {
    match kind {
        User => "User",
        ServicePrincipal => "Service principal",
    }
}

pub(super) fn user_view(app: &App, who: &Principal) -> Value {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": who.id.to_string(),
        "userName": who.name,
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

fn service_view(app: &App, who: &Principal) -> Value {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal"],
        "id": who.id.to_string(),
        "applicationId": who.name,
        "displayName": who.display_name,
        "active": who.active,
        "groups": groups(app, who),
        "entitlements": who.entitlements,
    });
    if !who.external_id.is_empty() {
        body["externalId"] = who.external_id.as_str().into();
    }
    body
}

fn view(app: &App, who: &Principal) -> Value {
    match who.kind {
        User => user_view(app, who),
        ServicePrincipal => service_view(app, who),
    }
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

fn list(app: &App, kind: PrincipalKind, query: &ListQuery) -> Reply {
    let all = app.store.principals(kind)?;
    page(query, all.iter().map(|who| view(app, who)).collect()).map(Json)
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

fn create(
    app: &App,
    caller: &Caller,
    kind: PrincipalKind,
    body: &Value,
) -> Result<(StatusCode, Json<Value>), ScimError> {
    check(caller)?;
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
    change(&mut new, body);
    let made = app.store.create_principal(&new)?;
    let made = made.ok_or_else(|| ScimError::taken(noun(kind), &new.name))?;
    set_groups(app, &made, body)?;
    make_home(app, &made.name)?;
    let shown = find(app, kind, &made.id.to_string())?;
    Ok((StatusCode::CREATED, Json(view(app, &shown))))
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

fn replace(app: &App, caller: &Caller, kind: PrincipalKind, id: &str, body: &Value) -> Reply {
    check(caller)?;
    let mut who = find(app, kind, id)?;
    change(&mut who, body);
    if who.name == app.identity.user_name && !who.active {
        return Err(ScimError::invalid(
            "the workspace's own user must stay active",
        ));
    }
    app.store.replace_principal(&who)?;
    if who.name != app.identity.user_name {
        set_groups(app, &who, body)?;
    }
    Ok(Json(view(app, &find(app, kind, id)?)))
}

fn patch(app: &App, caller: &Caller, kind: PrincipalKind, id: &str, patch: &Patch) -> Reply {
    check(caller)?;
    let before = view(app, &find(app, kind, id)?);
    replace(app, caller, kind, id, &patch.apply(before)?)
}

fn delete(
    app: &App,
    caller: &Caller,
    kind: PrincipalKind,
    id: &str,
) -> Result<StatusCode, ScimError> {
    check(caller)?;
    let who = find(app, kind, id)?;
    if who.name == app.identity.user_name {
        return Err(ScimError::invalid(
            "the workspace's own user cannot be deleted",
        ));
    }
    app.store.delete_principal(who.id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same routes under two names.
macro_rules! routes {
    ($kind:expr, $list:ident, $create:ident, $show:ident, $replace:ident, $patch:ident, $delete:ident) => {
        pub(super) async fn $list(
            State(app): State<Arc<App>>,
            QueryString(query): QueryString<ListQuery>,
        ) -> Reply {
            list(&app, $kind, &query)
        }

        pub(super) async fn $create(
            State(app): State<Arc<App>>,
            caller: Caller,
            JsonBody(body): JsonBody<Value>,
        ) -> Result<(StatusCode, Json<Value>), ScimError> {
            create(&app, &caller, $kind, &body)
        }

        pub(super) async fn $show(State(app): State<Arc<App>>, Path(id): Id) -> Reply {
            Ok(Json(view(&app, &find(&app, $kind, &id)?)))
        }

        pub(super) async fn $replace(
            State(app): State<Arc<App>>,
            caller: Caller,
            Path(id): Id,
            JsonBody(body): JsonBody<Value>,
        ) -> Reply {
            replace(&app, &caller, $kind, &id, &body)
        }

        pub(super) async fn $patch(
            State(app): State<Arc<App>>,
            caller: Caller,
            Path(id): Id,
            JsonBody(body): JsonBody<Patch>,
        ) -> Reply {
            patch(&app, &caller, $kind, &id, &body)
        }

        pub(super) async fn $delete(
            State(app): State<Arc<App>>,
            caller: Caller,
            Path(id): Id,
        ) -> Result<StatusCode, ScimError> {
            delete(&app, &caller, $kind, &id)
        }
    };
}

routes!(
    User,
    list_users,
    create_user,
    show_user,
    replace_user,
    patch_user,
    delete_user
);
routes!(
    ServicePrincipal,
    list_services,
    create_service,
    show_service,
    replace_service,
    patch_service,
    delete_service
);
