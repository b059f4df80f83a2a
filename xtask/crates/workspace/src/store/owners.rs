//! Owners of objects in MLflow: experiments, registered models, model versions.

use rusqlite::{OptionalExtension as _, params};

use super::{Result, Store};

impl Store {
    /// `kind` is `experiment`, `model` or `version`; `None` for the workspace's own user.
    pub fn owner(&self, kind: &str, id: &str) -> Result<Option<String>> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT owner FROM owners WHERE kind = ?1 AND id = ?2")?
                .query_row([kind, id], |row| row.get(0))
                .optional()?)
        })
    }

    pub fn set_owner(&self, kind: &str, id: &str, owner: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO owners (kind, id, owner) VALUES (?1, ?2, ?3)
                 ON CONFLICT (kind, id) DO UPDATE SET owner = excluded.owner",
                params![kind, id, owner],
            )?;
            Ok(())
        })
    }

    pub fn forget_owner(&self, kind: &str, id: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute("DELETE FROM owners WHERE kind = ?1 AND id = ?2", [kind, id])?;
            Ok(())
        })
    }
}
