//! Declarations of pipelines, SQL warehouses and clusters, which never run.

use rusqlite::{OptionalExtension as _, Row, params};
use serde_json::Value;
use xtask_local_server::now_ms;

use super::{Result, Store};

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
        self.write(|tx| {
            tx.execute(
                "INSERT INTO records (kind, id, body_json, created_time) VALUES (?1, ?2, ?3, ?4)",
                params![kind, id, json, now_ms()],
            )?;
            Ok(())
        })
    }

    pub fn record(&self, kind: &str, id: &str) -> Result<Option<Record>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, body_json, created_time FROM records WHERE kind = ?1 AND id = ?2",
                )?
                .query_row([kind, id], |row| Ok(from_row(row)))
                .optional()?
                .transpose()
        })
    }

    /// Newest first.
    pub fn records(&self, kind: &str) -> Result<Vec<Record>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, body_json, created_time FROM records WHERE kind = ?1
                 ORDER BY created_time DESC, id",
            )?;
            let mut rows = statement.query([kind])?;
            let mut records = Vec::new();
            while let Some(row) = rows.next()? {
                records.push(from_row(row)?);
            }
            Ok(records)
        })
    }

    /// `false` if there is none.
    pub fn replace_record(&self, kind: &str, id: &str, body: &Value) -> Result<bool> {
        let json = serde_json::to_string(body)?;
        self.write(|tx| {
            Ok(tx.execute(
                "UPDATE records SET body_json = ?3 WHERE kind = ?1 AND id = ?2",
                params![kind, id, json],
            )? == 1)
        })
    }

    /// `false` if there was none.
    pub fn delete_record(&self, kind: &str, id: &str) -> Result<bool> {
        self.write(|tx| {
            Ok(tx.execute(
                "DELETE FROM records WHERE kind = ?1 AND id = ?2",
                [kind, id],
            )? == 1)
        })
    }
}

fn from_row(row: &Row<'_>) -> Result<Record> {
    Ok(Record {
        id: row.get(0)?,
        body: serde_json::from_str(&row.get::<_, String>(1)?)?,
        created_time: row.get(2)?,
    })
}
