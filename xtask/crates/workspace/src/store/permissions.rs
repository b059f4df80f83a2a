//! Access control lists of jobs, experiments and folders, and grants of Unity Catalog.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, params};
use serde_json::Value;

use super::{Result, Store};

impl Store {
    /// The principal of grants to all.
    pub const EVERYBODY: &str = "account users";

    /// `None` if no list was set.
    pub fn acl(&self, object_type: &str, object_id: &str) -> Result<Option<Vec<Value>>> {
        self.read(|connection| {
            let json: Option<String> = connection
                .query_row(
                    "SELECT acl_json FROM permissions WHERE object_type = ?1 AND object_id = ?2",
                    [object_type, object_id],
                    |row| row.get(0),
                )
                .optional()?;
            Ok(json.map(|json| serde_json::from_str(&json)).transpose()?)
        })
    }

    pub fn set_acl(&self, object_type: &str, object_id: &str, acl: &[Value]) -> Result<()> {
        let json = serde_json::to_string(acl)?;
        self.write(|tx| {
            tx.execute(
                "INSERT INTO permissions (object_type, object_id, acl_json) VALUES (?1, ?2, ?3)
                 ON CONFLICT (object_type, object_id) DO UPDATE SET acl_json = excluded.acl_json",
                params![object_type, object_id, json],
            )?;
            Ok(())
        })
    }

    pub fn delete_acl(&self, object_type: &str, object_id: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "DELETE FROM permissions WHERE object_type = ?1 AND object_id = ?2",
                [object_type, object_id],
            )?;
            Ok(())
        })
    }

    /// Sorted by principal.
    pub fn grants(
        &self,
        securable_type: &str,
        full_name: &str,
    ) -> Result<Vec<(String, BTreeSet<String>)>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT principal, privileges_json FROM grants
                 WHERE securable_type = ?1 AND full_name = ?2 ORDER BY principal",
            )?;
            let mut rows = statement.query([securable_type, full_name])?;
            let mut grants = Vec::new();
            while let Some(row) = rows.next()? {
                let json: String = row.get(1)?;
                grants.push((row.get(0)?, serde_json::from_str(&json)?));
            }
            Ok(grants)
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
        self.write(|tx| {
            tx.execute(
                "DELETE FROM grants WHERE securable_type = ?1 AND full_name = ?2",
                [securable_type, full_name],
            )?;
            Ok(())
        })
    }
}
