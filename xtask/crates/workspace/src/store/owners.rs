//! Whose the things are that live in MLflow: experiments, registered models, model versions.

use rusqlite::{OptionalExtension as _, params};

use super::{Result, Store};

impl Store {
    /// Who owns an object (`experiment`, `model`, `version`), if somebody else than the workspace's user does.
    pub fn owner(&self, kind: &str, id: &str) -> Result<Option<String>> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT owner FROM owners WHERE kind = ?1 AND id = ?2")?
                .query_row([kind, id], |row| row.get(0))
                .optional()?)
        })
    }

    /// Notes whose an object is.
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

    /// Forgets whose an object was that is gone.
    pub fn forget_owner(&self, kind: &str, id: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute("DELETE FROM owners WHERE kind = ?1 AND id = ?2", [kind, id])?;
            Ok(())
        })
    }
}
