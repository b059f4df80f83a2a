//! Access control lists of jobs, experiments, folders and so on: validated, stored and shown here, enforced by
//! `access`.

use axum::Json;
use axum::extract::Path;
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::{self, Act, Right};
use crate::call::{Call, JsonBody, Reply, Routes};
use crate::error::ApiError;
use crate::files::WorkspacePath;
use crate::state::App;
use crate::store::PrincipalKind;

/// Objects with permissions: name in the path, `object_type` in replies, levels.
const KINDS: &[(&str, &str, &[&str])] = &[
    (
        "jobs",
        "job",
        &["CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"],
    ),
    (
        "experiments",
        "mlflowExperiment",
        &["CAN_READ", "CAN_EDIT", "CAN_MANAGE"],
    ),
    (
        "directories",
        "directory",
        &["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"],
    ),
    (
        "notebooks",
        "notebook",
        &["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"],
    ),
    (
        "files",
        "file",
        &["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"],
    ),
    (
        "registered-models",
        "registered-model",
        &[
            "CAN_READ",
            "CAN_EDIT",
            "CAN_MANAGE_STAGING_VERSIONS",
            "CAN_MANAGE_PRODUCTION_VERSIONS",
            "CAN_MANAGE",
        ],
    ),
    (
        "pipelines",
        "pipelines",
        &["CAN_VIEW", "CAN_RUN", "CAN_MANAGE", "IS_OWNER"],
    ),
    (
        "clusters",
        "cluster",
        &["CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"],
    ),
    (
        "sql/warehouses",
        "warehouses",
        &[
            "CAN_VIEW",
            "CAN_USE",
            "CAN_MONITOR",
            "CAN_MANAGE",
            "IS_OWNER",
        ],
    ),
];
/// Kinds that are stored as records, with their name there.
const RECORDS: &[(&str, &str)] = &[
    ("pipelines", "pipeline"),
    ("clusters", "cluster"),
    ("sql/warehouses", "warehouse"),
];
const PRINCIPALS: [&str; 3] = ["user_name", "group_name", "service_principal_name"];

pub(super) fn router() -> Routes {
    Routes::new()
        .route(
            "/api/2.0/permissions/{object_type}/{object_id}",
            get(show).put(replace).patch(change),
        )
        .route(
            "/api/2.0/permissions/sql/{object_type}/{object_id}",
            get(|call, target| show(call, sql(target)))
                .put(|call, target, body| replace(call, sql(target), body))
                .patch(|call, target, body| change(call, sql(target), body)),
        )
}

#[derive(Deserialize)]
struct Entries {
    #[serde(default)]
    access_control_list: Vec<Value>,
}

type Target = Path<(String, String)>;

async fn show(call: Call, Path(target): Target) -> Reply {
    let object = Object::find(&call, target)?;
    let entries = object.entries(&call)?;
    Ok(Json(object.describe(&entries)))
}

/// SQL objects have a two-part name in the path.
fn sql(Path((kind, id)): Target) -> Target {
    Path((format!("sql/{kind}"), id))
}

async fn replace(call: Call, Path(target): Target, JsonBody(body): JsonBody<Entries>) -> Reply {
    let object = Object::find(&call, target)?;
    object.keep(&call, &body.access_control_list)
}

/// Sets the levels of the given principals, and keeps those of others.
async fn change(call: Call, Path(target): Target, JsonBody(body): JsonBody<Entries>) -> Reply {
    let object = Object::find(&call, target)?;
    let mut entries = object.entries(&call)?;
    for entry in body.access_control_list {
        entries.retain(|known| principal(known) != principal(&entry));
        entries.push(entry);
    }
    object.keep(&call, &entries)
}

/// Requires the right to see and set the permissions of an object.
fn check_access(call: &Call, kind: &str, id: &str) -> Result<(), ApiError> {
    let number = id.parse().unwrap_or_default();
    match kind {
        "jobs" => access::job(call, number, Act::Permissions),
        "directories" | "notebooks" | "files" => match call.store.object_path(number)? {
            Some(path) => access::path(call, &WorkspacePath::parse(&path)?, Right::Write),
            None => Ok(()),
        },
        "experiments" => {
            let owner = call.store.owner("experiment", id)?;
            access::manage(call, kind, id, owner.as_deref())
        }
        _ => access::manage(call, kind, id, None),
    }
}

struct Object {
    kind: &'static str,
    reply_kind: &'static str,
    levels: &'static [&'static str],
    id: String,
}

impl Object {
    /// Also checks that the caller may see and set the permissions.
    fn find(call: &Call, (kind, id): (String, String)) -> Result<Object, ApiError> {
        let Some((kind, reply_kind, levels)) =
            KINDS.iter().copied().find(|(name, ..)| *name == kind)
        else {
            return Err(ApiError::not_implemented(format!(
                "the local workspace has no permissions for {kind}"
            )));
        };
        check_access(call, kind, &id)?;
        let number = id.parse::<i64>();
        let exists = match (kind, number) {
            ("jobs", Ok(job_id)) => call.store.job(job_id)?.is_some(),
            ("directories" | "notebooks" | "files", Ok(object_id)) => {
                call.store.object_path(object_id)?.is_some()
            }
            ("jobs" | "directories" | "notebooks" | "files", Err(_)) => false,
            _ if let Some((_, record)) = RECORDS.iter().find(|(name, _)| *name == kind) => {
                call.store.record(record, &id)?.is_some()
            }
            _ => true,
        };
        if !exists {
            return Err(ApiError::not_found(format!(
                "{kind} {} does not exist.",
                id.escape_debug()
            )));
        }
        Ok(Object {
            kind,
            reply_kind,
            levels,
            id,
        })
    }

    /// The stored entries. Without a list, the creator of a job owns it.
    fn entries(&self, app: &App) -> Result<Vec<Value>, ApiError> {
        if let Some(entries) = app.store.acl(self.kind, &self.id)? {
            return Ok(entries);
        }
        Ok(match self.kind {
            "jobs" => vec![self.owner_entry(app)?],
            _ => Vec::new(),
        })
    }

    /// A job acts as its owner, so giving a job to another identity would mean acting as that identity.
    fn check_owner_stays(&self, app: &App, entries: &[Value]) -> Result<(), ApiError> {
        let owner = |entries: &[Value]| {
            let entry = entries
                .iter()
                .find(|entry| entry["permission_level"] == "IS_OWNER")?;
            principal(entry).map(|(_, name)| name.to_owned())
        };
        if owner(entries) == owner(&self.entries(app)?) {
            return Ok(());
        }
        Err(ApiError::forbidden(
            "Only an admin may change the owner of a job.",
        ))
    }

    fn owner_entry(&self, app: &App) -> Result<Value, ApiError> {
        let job = app.store.job(self.id.parse().unwrap_or_default())?;
        let creator = job.map_or_else(|| app.identity.user_name.clone(), |job| job.creator);
        let known = app.store.principal_by_name(&creator)?;
        let is_service = known.is_some_and(|who| who.kind == PrincipalKind::ServicePrincipal);
        let field = if is_service {
            "service_principal_name"
        } else {
            "user_name"
        };
        Ok(json!({field: creator, "permission_level": "IS_OWNER"}))
    }

    fn keep(&self, call: &Call, entries: &[Value]) -> Reply {
        for entry in entries {
            if principal(entry).is_none() {
                return Err(ApiError::invalid(format!(
                    "every entry needs one of {}",
                    PRINCIPALS.join(", ")
                )));
            }
            let level = entry["permission_level"].as_str().unwrap_or_default();
            if !self.levels.contains(&level) {
                return Err(ApiError::invalid(format!(
                    "'{level}' is not a permission level of {}; valid are: {}",
                    self.kind,
                    self.levels.join(", ")
                )));
            }
        }
        let entries = latest_levels(entries);
        let owners = entries
            .iter()
            .filter(|entry| entry["permission_level"] == "IS_OWNER")
            .count();
        if self.kind == "jobs" && owners != 1 {
            return Err(ApiError::invalid("The job must have exactly one owner."));
        }
        if self.kind == "jobs" && !call.caller.is_admin() {
            self.check_owner_stays(call, &entries)?;
        }
        call.store.set_acl(self.kind, &self.id, &entries)?;
        Ok(Json(self.describe(&entries)))
    }

    fn describe(&self, entries: &[Value]) -> Value {
        let describe = |entry: &Value| {
            let (kind, name) = principal(entry)?;
            let level = json!({"permission_level": entry["permission_level"], "inherited": false});
            let mut described = json!({kind: name, "all_permissions": [level]});
            if kind == "user_name" {
                described["display_name"] = name.into();
            }
            Some(described)
        };
        let entries: Vec<Value> = entries.iter().filter_map(describe).collect();
        json!({
            "object_id": format!("/{}/{}", self.kind, self.id),
            "object_type": self.reply_kind,
            "access_control_list": entries,
        })
    }
}

/// The last of several entries for one principal counts.
fn latest_levels(entries: &[Value]) -> Vec<Value> {
    let mut latest: Vec<Value> = Vec::new();
    for entry in entries {
        match latest
            .iter_mut()
            .find(|known| principal(known) == principal(entry))
        {
            Some(known) => *known = entry.clone(),
            None => latest.push(entry.clone()),
        }
    }
    latest
}

/// Kind and name.
fn principal(entry: &Value) -> Option<(&'static str, &str)> {
    PRINCIPALS
        .into_iter()
        .find_map(|kind| Some((kind, entry[kind].as_str().filter(|name| !name.is_empty())?)))
}
