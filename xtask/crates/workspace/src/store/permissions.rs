//! Access control lists of jobs, experiments and folders, grants of Unity Catalog, and owners of objects in MLflow.

use std::collections::BTreeSet;

use rusqlite::params;
use serde_json::Value;

use super::{Result, Store, json};

impl Store {
    /// The principal of grants to all.
    pub const EVERYBODY: &str = "account users";

    /// `None` if no list was set.
    pub fn acl(&self, object_type: &str, object_id: &str) -> Result<Option<Vec<Value>>> {
        const ACL: &str =
            "SELECT acl_json FROM permissions WHERE object_type = ?1 AND object_id = ?2";
        self.row(ACL, [object_type, object_id], |row| json(row, 0))
    }

    pub fn set_acl(&self, object_type: &str, object_id: &str, acl: &[Value]) -> Result<()> {
        let json = serde_json::to_string(acl)?;
        self.set(
            "INSERT INTO permissions (object_type, object_id, acl_json) VALUES (?1, ?2, ?3)
                 ON CONFLICT (object_type, object_id) DO UPDATE SET acl_json = excluded.acl_json",
            params![object_type, object_id, json],
        )
    }

    pub fn delete_acl(&self, object_type: &str, object_id: &str) -> Result<()> {
        self.set(
            "DELETE FROM permissions WHERE object_type = ?1 AND object_id = ?2",
            [object_type, object_id],
        )
    }

    /// Sorted by principal.
    pub fn grants(
        &self,
        securable_type: &str,
        full_name: &str,
    ) -> Result<Vec<(String, BTreeSet<String>)>> {
        const ALL: &str = "SELECT principal, privileges_json FROM grants
             WHERE securable_type = ?1 AND full_name = ?2 ORDER BY principal";
        self.rows(ALL, [securable_type, full_name], |row| {
            Ok((row.get(0)?, json(row, 1)?))
        })
    }

    /// Deletes the row if there are no privileges.
    pub fn set_grant(
        &self,
        securable_type: &str,
        full_name: &str,
        principal: &str,
        privileges: &BTreeSet<String>,
    ) -> Result<()> {
        let json = serde_json::to_string(privileges)?;
        self.write(|tx| {
            if privileges.is_empty() {
                tx.execute(
                    "DELETE FROM grants WHERE securable_type = ?1 AND full_name = ?2 AND principal = ?3",
                    [securable_type, full_name, principal],
                )?;
            } else {
                tx.execute(
                    "INSERT INTO grants (securable_type, full_name, principal, privileges_json) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (securable_type, full_name, principal)
                     DO UPDATE SET privileges_json = excluded.privileges_json",
                    params![securable_type, full_name, principal, json],
                )?;
            }
            Ok(())
        })
    }

    pub fn delete_grants(&self, securable_type: &str, full_name: &str) -> Result<()> {
        self.set(
            "DELETE FROM grants WHERE securable_type = ?1 AND full_name = ?2",
            [securable_type, full_name],
        )
    }

    /// `kind` is `experiment`, `model` or `version`; `None` for the workspace's own user.
    pub fn owner(&self, kind: &str, id: &str) -> Result<Option<String>> {
        self.row(
            "SELECT owner FROM owners WHERE kind = ?1 AND id = ?2",
            [kind, id],
            |row| row.get(0),
        )
    }

    pub fn set_owner(&self, kind: &str, id: &str, owner: &str) -> Result<()> {
        self.set(
            "INSERT INTO owners (kind, id, owner) VALUES (?1, ?2, ?3)
                 ON CONFLICT (kind, id) DO UPDATE SET owner = excluded.owner",
            params![kind, id, owner],
        )
    }

    pub fn forget_owner(&self, kind: &str, id: &str) -> Result<()> {
        self.set("DELETE FROM owners WHERE kind = ?1 AND id = ?2", [kind, id])
    }
}
