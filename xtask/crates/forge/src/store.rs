//! The world on disk: one SQLite file, written ahead, a row of JSON for each row of the world.

use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;
use rusqlite::{Connection, params};

use crate::world::{Change, World};

/// The layout that this program writes.
const VERSION: i64 = 1;

/// What went wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said no.
    #[error("the forge's database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A row does not hold what it should.
    #[error("the forge's database holds a damaged value: {0}")]
    Json(#[from] serde_json::Error),
    /// The file cannot be closed to other users.
    #[error("the forge's database cannot be closed to other users: {0}")]
    Permissions(#[source] std::io::Error),
    /// The file was written by a newer program.
    #[error(
        "the forge's database has version {found}, and this program knows {VERSION}: remove the folder, or use the newer program"
    )]
    TooNew {
        /// The version in the file.
        found: i64,
    },
    /// A row is of a kind that this program does not know.
    #[error("the forge's database holds a {0:?}, which this program does not know")]
    UnknownKind(String),
}

/// The database.
#[derive(Debug)]
pub(crate) struct Store(Connection);

impl Store {
    /// Opens the file, and makes it where it is missing.
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

    /// Everything.
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

    /// Writes what was changed, all or nothing.
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
