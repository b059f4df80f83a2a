//! The world on disk: one SQLite file, with a row of JSON for each row of the world.

use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;
use rusqlite::{Connection, params};

use crate::world::{Change, World};

const VERSION: i64 = 1;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the forge's database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the forge's database has an invalid value: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the forge's database cannot be closed to other users: {0}")]
    Permissions(#[source] std::io::Error),
    #[error(
        "the forge's database has version {found}, and this program supports {VERSION}: delete the folder, or use the newer program"
    )]
    TooNew { found: i64 },
    #[error("the forge's database has an unknown kind of row: {0:?}")]
    UnknownKind(String),
}

#[derive(Debug)]
pub(crate) struct Store(Connection);

impl Store {
    /// Creates the file if missing.
    pub(crate) fn open(path: &Utf8Path) -> Result<Store, StoreError> {
        let connection = Connection::open(path)?;
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o600))
            .map_err(StoreError::Permissions)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > VERSION {
            return Err(StoreError::TooNew { found });
        }
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS rows (
                kind TEXT NOT NULL, id INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, id)
             ) WITHOUT ROWID",
        )?;
        connection.pragma_update(None, "user_version", VERSION)?;
        Ok(Store(connection))
    }

    pub(crate) fn load(&self) -> Result<World, StoreError> {
        let mut world = World::default();
        let mut statement = self.0.prepare("SELECT kind, id, json FROM rows")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let kind: String = row.get(0)?;
            let json: String = row.get(2)?;
            if !world.load(&kind, row.get(1)?, &json)? {
                return Err(StoreError::UnknownKind(kind));
            }
        }
        Ok(world)
    }

    /// All or nothing.
    pub(crate) fn save(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let transaction = self.0.transaction()?;
        for change in changes {
            match &change.json {
                Some(json) => transaction.execute(
                    "INSERT INTO rows (kind, id, json) VALUES (?1, ?2, ?3)
                     ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json",
                    params![change.kind, change.id, json],
                )?,
                None => transaction.execute(
                    "DELETE FROM rows WHERE kind = ?1 AND id = ?2",
                    params![change.kind, change.id],
                )?,
            };
        }
        Ok(transaction.commit()?)
    }
}
