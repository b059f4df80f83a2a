//! Declarations of pipelines, SQL warehouses and clusters, which never run.

use rusqlite::{Row, params};
use serde_json::Value;
use xtask_local_server::now_ms;

use super::{Result, Store, json};

#[derive(Debug, Clone)]
pub struct Record {
    /// The format depends on the kind.
    pub id: String,
    pub body: Value,
    /// Milliseconds.
    pub created_time: i64,
}

impl Store {
    pub fn create_record(&self, kind: &str, id: &str, body: &Value) -> Result<()> {
        let json = serde_json::to_string(body)?;
        self.set(
            "INSERT INTO records (kind, id, body_json, created_time) VALUES (?1, ?2, ?3, ?4)",
            params![kind, id, json, now_ms()],
        )
    }

    pub fn record(&self, kind: &str, id: &str) -> Result<Option<Record>> {
        self.row(
            "SELECT id, body_json, created_time FROM records WHERE kind = ?1 AND id = ?2",
            [kind, id],
            from_row,
        )
    }

    /// Newest first.
    pub fn records(&self, kind: &str) -> Result<Vec<Record>> {
        self.rows(
            "SELECT id, body_json, created_time FROM records WHERE kind = ?1
                 ORDER BY created_time DESC, id",
            [kind],
            from_row,
        )
    }

    /// `false` if there is none.
    pub fn replace_record(&self, kind: &str, id: &str, body: &Value) -> Result<bool> {
        let json = serde_json::to_string(body)?;
        self.changes(
            "UPDATE records SET body_json = ?3 WHERE kind = ?1 AND id = ?2",
            params![kind, id, json],
        )
    }

    /// `false` if there was none.
    pub fn delete_record(&self, kind: &str, id: &str) -> Result<bool> {
        self.changes(
            "DELETE FROM records WHERE kind = ?1 AND id = ?2",
            [kind, id],
        )
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        id: row.get(0)?,
        body: json(row, 1)?,
        created_time: row.get(2)?,
    })
}
