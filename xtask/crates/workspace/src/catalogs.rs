//! The catalogs and schemas of Unity Catalog.

pub(crate) mod names;

use serde_json::{Map, Value, json};

use crate::access;
use crate::caller::{Caller, Credential};
use crate::error::ApiError;
use crate::state::App;
use crate::store::{Securable, Store};

pub(crate) const DEFAULT: &str = "default";

/// Privileges of every identity in a catalog that was created on first use, and in its `default` schema.
const IN_CATALOG: &[&str] = &["USE_CATALOG", "CREATE_SCHEMA"];
const IN_DEFAULT: &[&str] = &["USE_SCHEMA", "CREATE_MODEL", "CREATE_VOLUME"];

/// Creates the catalog if it is missing. The workspace's user owns it; every identity may use it, create schemas in it,
/// and create objects in its `default` schema, as in the default catalog of a Databricks workspace.
pub(crate) fn ensure(app: &App, name: &str) -> Result<(), ApiError> {
    if app.store.securable("catalog", name)?.is_none() {
        add_catalog(app, &app.owner(Credential::Owner), name, &Map::new())?;
        let default = format!("{name}.{DEFAULT}");
        for (kind, full_name, privileges) in [
            ("catalog", name, IN_CATALOG),
            ("schema", &default, IN_DEFAULT),
        ] {
            let privileges = privileges.iter().map(|text| (*text).to_owned()).collect();
            app.store
                .set_grant(kind, full_name, Store::EVERYBODY, &privileges)?;
        }
    }
    Ok(())
}

/// Adds a catalog with its `default` schema; `None` if the name is taken.
pub(crate) fn add_catalog(
    app: &App,
    caller: &Caller,
    name: &str,
    given: &Map<String, Value>,
) -> Result<Option<Value>, ApiError> {
    let mut body = Value::Object(names::origin(app, caller, "id")?);
    for (key, value) in [
        ("name", json!(name)),
        ("full_name", json!(name)),
        ("catalog_type", json!("MANAGED_CATALOG")),
        ("securable_type", json!("CATALOG")),
        ("isolation_mode", json!("OPEN")),
    ] {
        body[key] = value;
    }
    names::apply(
        caller,
        &mut body,
        given,
        &["comment", "properties", "options", "isolation_mode"],
    )?;
    let catalog = Securable {
        kind: "catalog",
        full_name: name.to_owned(),
        parent: String::new(),
        body: body.clone(),
    };
    if !app.store.create_securable(&catalog)? {
        return Ok(None);
    }
    add_schema(app, caller, name, DEFAULT, &Map::new())?;
    Ok(Some(body))
}

/// Adds a schema; `None` if the name is taken.
pub(crate) fn add_schema(
    app: &App,
    caller: &Caller,
    catalog: &str,
    name: &str,
    given: &Map<String, Value>,
) -> Result<Option<Value>, ApiError> {
    let full_name = format!("{catalog}.{name}");
    let mut body = Value::Object(names::origin(app, caller, "schema_id")?);
    for (key, value) in [
        ("name", json!(name)),
        ("catalog_name", json!(catalog)),
        ("full_name", json!(full_name)),
        ("catalog_type", json!("MANAGED_CATALOG")),
        ("securable_type", json!("SCHEMA")),
        ("enable_predictive_optimization", json!("INHERIT")),
        ("browse_only", json!(false)),
    ] {
        body[key] = value;
    }
    names::apply(
        caller,
        &mut body,
        given,
        &["comment", "properties", "storage_root"],
    )?;
    let schema = Securable {
        kind: "schema",
        full_name,
        parent: catalog.to_owned(),
        body,
    };
    Ok(app.store.create_securable(&schema)?.then_some(schema.body))
}

pub(crate) fn schema_named(app: &App, full_name: &str) -> Result<Value, ApiError> {
    app.store
        .securable("schema", &names::full_name(full_name))?
        .ok_or_else(|| names::absent("schema", full_name))
}

/// 404 for a schema that does not exist. `default` exists in every catalog, and a catalog is created on first use.
pub(crate) fn require_schema(app: &App, catalog: &str, schema: &str) -> Result<(), ApiError> {
    if schema == DEFAULT {
        ensure(app, catalog)?;
    }
    schema_named(app, &format!("{catalog}.{schema}")).map(drop)
}

/// Requires the right to create this kind of object in a schema.
pub(crate) fn require_creation(
    app: &App,
    caller: &Caller,
    privilege: &str,
    full_name: &str,
) -> Result<(), ApiError> {
    access::require_privilege(app, caller, "USE_SCHEMA", "schema", full_name)?;
    access::require_privilege(app, caller, privilege, "schema", full_name)
}

/// Requires that the schema exists and that the caller may create a model in it.
pub(crate) fn require_schema_for_model(
    app: &App,
    caller: &Caller,
    catalog: &str,
    schema: &str,
) -> Result<(), ApiError> {
    require_schema(app, catalog, schema)?;
    require_creation(app, caller, "CREATE_MODEL", &format!("{catalog}.{schema}"))
}
