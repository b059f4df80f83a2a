//! What the workspace tree knows about a path beyond its bytes: its id and whether it is a notebook.

use rusqlite::{Connection, OptionalExtension as _, params};
use xtask_local_server::now_ms;

use super::{Result, Store, new_id};

/// Kind of a workspace object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectType {
    /// A folder.
    Directory,
    /// A file that is kept as it came.
    File,
    /// A notebook: its path has no extension.
    Notebook,
}

impl ObjectType {
    /// As the API spells it.
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

/// One path of the workspace tree.
#[derive(Debug, Clone)]
pub struct ObjectRow {
    /// Path without `/Workspace` in front, such as `/Users/a@b/x`.
    pub path: String,
    /// Its id, which a later write to the same path keeps.
    pub object_id: i64,
    /// What it is.
    pub object_type: ObjectType,
    /// Language of a notebook: `PYTHON`, `SQL`, `R` or `SCALA`.
    pub language: Option<String>,
    /// When it was made, ms.
    pub created_at: i64,
    /// When it last changed, ms.
    pub modified_at: i64,
}

impl Store {
    /// The row of a path, if it has one.
    pub fn object(&self, path: &str) -> Result<Option<ObjectRow>> {
        self.read(|connection| find(connection, path))
    }

    /// The path of the object with this id.
    pub fn object_path(&self, object_id: i64) -> Result<Option<String>> {
        self.read(|connection| {
            Ok(connection
                .query_row(
                    "SELECT path FROM objects WHERE object_id = ?1",
                    [object_id],
                    |row| row.get(0),
                )
                .optional()?)
        })
    }

    /// Notes that a path was written, runs `place` (which puts the bytes there), and keeps both or neither.
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
                // Any error undoes the row; the real one is in `placed`.
                Err(_) => Err(rusqlite::Error::QueryReturnedNoRows.into()),
            }
        });
        placed?;
        Ok(row?)
    }

    /// Forgets a path and everything below it.
    pub fn forget_objects(&self, path: &str) -> Result<()> {
        self.write(|tx| {
            // Below `/a` is what lies between `/a/` and `/a0`: `0` follows `/` in the order of bytes.
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
