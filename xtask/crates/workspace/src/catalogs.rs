//! The catalogs, schemas and volumes of Unity Catalog.

pub(crate) mod names;

use serde_json::{Map, Value, json};
use xtask_local_server::now_ms;

use crate::access;
use crate::call::Call;
use crate::caller::Credential;
use crate::error::ApiError;
use crate::state::App;
use crate::store::{Securable, Store, new_uuid};

pub(crate) const DEFAULT: &str = "default";

/// Privileges of every identity in a catalog that was created on first use, and in its `default` schema.
const IN_CATALOG: &[&str] = &["USE_CATALOG", "CREATE_SCHEMA"];
const IN_DEFAULT: &[&str] = &["USE_SCHEMA", "CREATE_MODEL", "CREATE_VOLUME"];

/// What differs between catalogs, schemas and volumes.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    id_field: &'static str,
    /// The privilege that shows one.
    pub(crate) seen_with: &'static str,
    /// Fields that a client may give to a new one, and change later.
    given: &'static [&'static str],
    pub(crate) changeable: &'static [&'static str],
}

pub(crate) const CATALOG: Kind = Kind {
    name: "catalog",
    id_field: "id",
    seen_with: "USE_CATALOG",
    given: &["comment", "properties", "options", "isolation_mode"],
    changeable: &[
        "comment",
        "owner",
        "properties",
        "options",
        "isolation_mode",
    ],
};
pub(crate) const SCHEMA: Kind = Kind {
    name: "schema",
    id_field: "schema_id",
    seen_with: "USE_SCHEMA",
    given: &["comment", "properties", "storage_root"],
    changeable: &[
        "comment",
        "owner",
        "properties",
        "enable_predictive_optimization",
    ],
};
pub(crate) const VOLUME: Kind = Kind {
    name: "volume",
    id_field: "volume_id",
    seen_with: "READ_VOLUME",
    given: &["comment"],
    changeable: &["comment", "owner"],
};

impl Kind {
    pub(crate) fn find(&self, app: &App, full_name: &str) -> Result<Value, ApiError> {
        app.store
            .securable(self.name, full_name)?
            .ok_or_else(|| names::absent(self.name, full_name))
    }

    /// Adds the one with this path, with the fields that all of its kind have, and those that a client gives.
    pub(crate) fn add(
        &self,
        call: &Call,
        path: &[&str],
        fields: Value,
        given: &Map<String, Value>,
    ) -> Result<Value, ApiError> {
        let (name, parents) = path.split_last().unwrap_or((&"", &[]));
        let full_name = path.join(".");
        let mut body = fields;
        for (field, value) in [
            (self.id_field, json!(new_uuid()?)),
            ("metastore_id", json!(call.identity.metastore_id())),
            ("owner", json!(call.caller.name())),
            ("created_at", json!(now_ms())),
            ("created_by", json!(call.caller.name())),
            ("name", json!(name)),
            ("full_name", json!(full_name)),
            ("securable_type", json!(self.name.to_uppercase())),
        ] {
            body[field] = value;
        }
        for (field, parent) in ["catalog_name", "schema_name"].into_iter().zip(parents) {
            body[field] = json!(parent);
        }
        names::apply(&call.caller, &mut body, given, self.given)?;
        let securable = Securable {
            kind: self.name,
            full_name,
            parent: parents.join("."),
            body,
        };
        if !call.store.create_securable(&securable)? {
            return Err(names::taken(self.name, &securable.full_name));
        }
        Ok(securable.body)
    }

    /// With its grants.
    pub(crate) fn delete(&self, app: &App, full_name: &str) -> Result<(), ApiError> {
        app.store.delete_securable(self.name, full_name)?;
        Ok(app.store.delete_grants(self.name, full_name)?)
    }
}

/// Creates the catalog if it is missing. The workspace's user owns it; every identity may use it, create schemas in it,
/// and create objects in its `default` schema, as in the default catalog of a Databricks workspace.
pub(crate) fn ensure(call: &Call, name: &str) -> Result<(), ApiError> {
    if call.store.securable(CATALOG.name, name)?.is_some() {
        return Ok(());
    }
    let owner = Call {
        app: call.app.clone(),
        caller: call.owner(Credential::Owner),
    };
    add_catalog(&owner, name, &Map::new())?;
    let default = format!("{name}.{DEFAULT}");
    for (kind, full_name, privileges) in
        [(CATALOG, name, IN_CATALOG), (SCHEMA, &default, IN_DEFAULT)]
    {
        let privileges = privileges.iter().map(|text| (*text).to_owned()).collect();
        call.store
            .set_grant(kind.name, full_name, Store::EVERYBODY, &privileges)?;
    }
    Ok(())
}

/// Adds a catalog with its `default` schema.
pub(crate) fn add_catalog(
    call: &Call,
    name: &str,
    given: &Map<String, Value>,
) -> Result<Value, ApiError> {
    let fields = json!({"catalog_type": "MANAGED_CATALOG", "isolation_mode": "OPEN"});
    let catalog = CATALOG.add(call, &[name], fields, given)?;
    add_schema(call, name, DEFAULT, &Map::new())?;
    Ok(catalog)
}

pub(crate) fn add_schema(
    call: &Call,
    catalog: &str,
    name: &str,
    given: &Map<String, Value>,
) -> Result<Value, ApiError> {
    let fields = json!({
        "catalog_type": "MANAGED_CATALOG",
        "enable_predictive_optimization": "INHERIT",
        "browse_only": false,
    });
    SCHEMA.add(call, &[catalog, name], fields, given)
}

/// 404 for a schema that does not exist. `default` exists in every catalog, and a catalog is created on first use.
pub(crate) fn require_schema(call: &Call, catalog: &str, schema: &str) -> Result<(), ApiError> {
    if schema == DEFAULT {
        ensure(call, catalog)?;
    }
    SCHEMA.find(call, &format!("{catalog}.{schema}")).map(drop)
}

/// Requires that the schema exists and that the caller may create this kind of object in it.
pub(crate) fn require_creation(
    call: &Call,
    privilege: &str,
    catalog: &str,
    schema: &str,
) -> Result<(), ApiError> {
    require_schema(call, catalog, schema)?;
    let full_name = format!("{catalog}.{schema}");
    access::require_privilege(call, "USE_SCHEMA", "schema", &full_name)?;
    access::require_privilege(call, privilege, "schema", &full_name)
}
