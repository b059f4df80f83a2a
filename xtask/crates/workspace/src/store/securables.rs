//! Catalogs, schemas and volumes.

use rusqlite::{OptionalExtension as _, params};
use serde_json::Value;

use super::{Result, Store};

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
        self.read(|connection| {
            let json: Option<String> = connection
                .prepare_cached(
                    "SELECT body_json FROM securables WHERE kind = ?1 AND full_name = ?2",
                )?
                .query_row([kind, full_name], |row| row.get(0))
                .optional()?;
            Ok(json.map(|json| serde_json::from_str(&json)).transpose()?)
        })
    }

    /// Sorted by name.
    pub fn securables(&self, kind: &str, parent: &str) -> Result<Vec<Value>> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT body_json FROM securables WHERE kind = ?1 AND parent = ?2 ORDER BY full_name")?;
            let mut rows = statement.query([kind, parent])?;
            let mut bodies = Vec::new();
            while let Some(row) = rows.next()? {
                bodies.push(serde_json::from_str(&row.get::<_, String>(0)?)?);
            }
            Ok(bodies)
        })
    }

    /// `false` if the name is taken.
    pub fn create_securable(&self, securable: &Securable) -> Result<bool> {
        let json = serde_json::to_string(&securable.body)?;
        self.write(|tx| {
            let added = tx.execute(
                "INSERT INTO securables (kind, full_name, parent, body_json) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
                params![securable.kind, securable.full_name, securable.parent, json],
            )?;
            Ok(added == 1)
        })
    }

    /// The full name may change.
    pub fn replace_securable(&self, old_full_name: &str, securable: &Securable) -> Result<()> {
        let json = serde_json::to_string(&securable.body)?;
        self.write(|tx| {
            tx.execute(
                "UPDATE securables SET full_name = ?3, parent = ?4, body_json = ?5 WHERE kind = ?1 AND full_name = ?2",
                params![securable.kind, old_full_name, securable.full_name, securable.parent, json],
            )?;
            Ok(())
        })
    }

    /// `false` if there was none.
    pub fn delete_securable(&self, kind: &str, full_name: &str) -> Result<bool> {
        self.write(|tx| {
            Ok(tx.execute(
                "DELETE FROM securables WHERE kind = ?1 AND full_name = ?2",
                [kind, full_name],
            )? == 1)
        })
    }
}
