//! Catalogs, schemas and volumes.

use rusqlite::params;
use serde_json::Value;

use super::{Result, Store, json};

#[derive(Debug, Clone)]
pub struct Securable {
    /// `catalog`, `schema` or `volume`.
    pub kind: &'static str,
    /// Lower case, with parents, joined by dots.
    pub full_name: String,
    /// Full name; empty for a catalog.
    pub parent: String,
    pub body: Value,
}

impl Store {
    pub fn securable(&self, kind: &str, full_name: &str) -> Result<Option<Value>> {
        const ONE: &str = "SELECT body_json FROM securables WHERE kind = ?1 AND full_name = ?2";
        self.row(ONE, [kind, full_name], |row| json(row, 0))
    }

    /// Sorted by name.
    pub fn securables(&self, kind: &str, parent: &str) -> Result<Vec<Value>> {
        const ALL: &str =
            "SELECT body_json FROM securables WHERE kind = ?1 AND parent = ?2 ORDER BY full_name";
        self.rows(ALL, [kind, parent], |row| json(row, 0))
    }

    /// `false` if the name is taken.
    pub fn create_securable(&self, securable: &Securable) -> Result<bool> {
        let json = serde_json::to_string(&securable.body)?;
        self.changes(
            "INSERT INTO securables (kind, full_name, parent, body_json) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            params![securable.kind, securable.full_name, securable.parent, json],
        )
    }

    pub fn replace_securable(&self, kind: &str, full_name: &str, body: &Value) -> Result<()> {
        let json = serde_json::to_string(body)?;
        self.set(
            "UPDATE securables SET body_json = ?3 WHERE kind = ?1 AND full_name = ?2",
            params![kind, full_name, json],
        )
    }

    /// `false` if there was none.
    pub fn delete_securable(&self, kind: &str, full_name: &str) -> Result<bool> {
        self.changes(
            "DELETE FROM securables WHERE kind = ?1 AND full_name = ?2",
            [kind, full_name],
        )
    }
}
