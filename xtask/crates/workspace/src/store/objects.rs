//! Ids and types of objects in the workspace tree. Times are milliseconds.

use rusqlite::{Connection, OptionalExtension as _, params};
use xtask_local_server::now_ms;

use super::{Result, Store, new_id};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectType {
    Directory,
    /// Stored unchanged.
    File,
    /// Its path has no extension.
    Notebook,
}

impl ObjectType {
    pub fn as_str(self) -> &'static str {
        match self {
            ObjectType::Directory => "DIRECTORY",
            ObjectType::File => "FILE",
            ObjectType::Notebook => "NOTEBOOK",
        }
    }

    fn parse(text: &str) -> ObjectType {
        match text {
            "DIRECTORY" => ObjectType::Directory,
            "NOTEBOOK" => ObjectType::Notebook,
            _ => ObjectType::File,
        }
    }
}

#[derive(Debug, Clone)]
pub struct ObjectRow {
    /// Without `/Workspace`, such as `/Users/a@b/x`.
    pub path: String,
    /// Kept when the path is written again.
    pub object_id: i64,
    pub object_type: ObjectType,
    /// Of a notebook: `PYTHON`, `SQL`, `R` or `SCALA`.
    pub language: Option<String>,
    pub created_at: i64,
    pub modified_at: i64,
}

impl Store {
    pub fn object(&self, path: &str) -> Result<Option<ObjectRow>> {
        self.read(|connection| find(connection, path))
    }

    pub fn object_path(&self, object_id: i64) -> Result<Option<String>> {
        self.row(
            "SELECT path FROM objects WHERE object_id = ?1",
            [object_id],
            |row| row.get(0),
        )
    }

    /// Stores a row and runs `place`, which writes the file; both or neither.
    pub fn put_object<E: From<super::StoreError>>(
        &self,
        path: &str,
        object_type: ObjectType,
        language: Option<&str>,
        place: impl FnOnce() -> std::result::Result<(), E>,
    ) -> std::result::Result<ObjectRow, E> {
        let mut placed = Ok(());
        let row = self.write(|tx| {
            let now = now_ms();
            tx.prepare_cached(
                "INSERT INTO objects (path, object_id, object_type, language, created_at, modified_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5)
                 ON CONFLICT (path) DO UPDATE SET
                   object_type = excluded.object_type, language = excluded.language, modified_at = excluded.modified_at",
            )?
            .execute(params![path, new_id(15)?, object_type.as_str(), language, now])?;
            let row = find(tx, path)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            placed = place();
            match placed {
                Ok(()) => Ok(row),
                // Any error rolls back the row; the real one is in `placed`.
                Err(_) => Err(rusqlite::Error::QueryReturnedNoRows.into()),
            }
        });
        placed?;
        Ok(row?)
    }

    /// Also everything below the path.
    pub fn forget_objects(&self, path: &str) -> Result<()> {
        self.write(|tx| {
            // Paths below `/a` lie between `/a/` and `/a0`: `0` follows `/` in byte order.
            tx.execute(
                "DELETE FROM objects WHERE path = ?1 OR (path > ?1 || '/' AND path < ?1 || '0')",
                [path],
            )?;
            Ok(())
        })
    }
}

fn find(connection: &Connection, path: &str) -> Result<Option<ObjectRow>> {
    Ok(connection
        .prepare_cached(
            "SELECT path, object_id, object_type, language, created_at, modified_at FROM objects WHERE path = ?1",
        )?
        .query_row([path], |row| {
            Ok(ObjectRow {
                path: row.get(0)?,
                object_id: row.get(1)?,
                object_type: ObjectType::parse(&row.get::<_, String>(2)?),
                language: row.get(3)?,
                created_at: row.get(4)?,
                modified_at: row.get(5)?,
            })
        })
        .optional()?)
}
