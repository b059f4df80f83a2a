//! Owners of objects in MLflow: experiments, registered models, model versions.

use rusqlite::params;

use super::{Result, Store};

impl Store {
    /// `kind` is `experiment`, `model` or `version`; `None` for the workspace's own user.
    pub fn owner(&self, kind: &str, id: &str) -> Result<Option<String>> {
        self.row(
            "SELECT owner FROM owners WHERE kind = ?1 AND id = ?2",
            [kind, id],
            |row| row.get(0),
        )
    }

    pub fn set_owner(&self, kind: &str, id: &str, owner: &str) -> Result<()> {
        self.execute(
            "INSERT INTO owners (kind, id, owner) VALUES (?1, ?2, ?3)
                 ON CONFLICT (kind, id) DO UPDATE SET owner = excluded.owner",
            params![kind, id, owner],
        )
        .map(drop)
    }

    pub fn forget_owner(&self, kind: &str, id: &str) -> Result<()> {
        self.execute("DELETE FROM owners WHERE kind = ?1 AND id = ?2", [kind, id])
            .map(drop)
    }
}
