//! The SQLite database, behind typed methods.

mod access;
mod credentials;
mod jobs;
mod objects;
mod permissions;
mod principals;
mod records;
mod runs;
mod schedules;
mod schema;
mod secrets;
mod securables;
mod tokens;

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;

use camino::Utf8Path;
use rusqlite::types::Type;
use rusqlite::{
    Connection, OptionalExtension as _, Params, Row, Transaction, TransactionBehavior, params,
};
use serde::de::DeserializeOwned;
use xtask_local_server::lock;
use xtask_local_server::secret::{NoRandomness, random};

use crate::identity::Identity;

pub use access::TokenOwner;
pub use credentials::{ClientSecret, FederationPolicy};
pub use jobs::Job;
pub use objects::{ObjectRow, ObjectType};
pub use principals::{ADMINS, Group, Principal, PrincipalKind, USERS};
pub use records::Record;
pub use runs::{
    LifeCycle, NewRun, NewTask, Repair, RepairPlan, ResultState, Run, RunBrief, RunChoice,
    RunFilter, RunState, RunType, TaskOutput, TaskRun,
};
pub use schedules::Due;
pub use securables::Securable;
pub use tokens::{AccessToken, NewToken, TokenKind};

const USER_NAME: &str = "ml.developer@workspace.local";

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the workspace's database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the workspace's database has an invalid value: {0}")]
    Json(#[from] serde_json::Error),
    #[error(
        "{path} has schema version {found}, and this program supports {known}: it was written by a newer xtask; \
         use that version, or start over with `cargo xtask workspace reset`"
    )]
    Newer {
        path: String,
        found: i64,
        known: i64,
    },
    #[error("cannot open the workspace's database {path}: {source}")]
    Open {
        path: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl StoreError {
    pub fn is_full_disk(&self) -> bool {
        matches!(self, StoreError::Sqlite(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull))
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// One connection behind a mutex serves all requests, because statements are short.
#[derive(Debug)]
pub struct Store(Mutex<Connection>);

impl Store {
    pub fn open(path: &Utf8Path) -> Result<Store> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open {
            path: path.to_string(),
            source,
        };
        // SQLite gives its side files the same mode.
        let file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path);
        file.and_then(|file| file.set_permissions(std::fs::Permissions::from_mode(0o600)))
            .map_err(|e| failed(e.into()))?;
        let mut connection = Connection::open(path).map_err(|error| failed(error.into()))?;
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(|error| failed(error.into()))?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        schema::migrate(&mut connection, path)?;
        Ok(Store(Mutex::new(connection)))
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        read(&lock(&self.0))
    }

    /// Runs one statement, and answers how many rows it changed.
    fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.write(|tx| Ok(tx.prepare_cached(sql)?.execute(params)?))
    }

    fn set(&self, sql: &str, params: impl Params) -> Result<()> {
        self.execute(sql, params).map(drop)
    }

    /// Runs one statement, and answers whether it changed a row.
    fn changes(&self, sql: &str, params: impl Params) -> Result<bool> {
        Ok(self.execute(sql, params)? > 0)
    }

    fn count(&self, sql: &str, params: impl Params) -> Result<i64> {
        let count = self.row(sql, params, |row| row.get(0))?;
        Ok(count.unwrap_or_default())
    }

    /// The first row of a query.
    fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            Ok(statement.query_row(params, read).optional()?)
        })
    }

    fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params, read)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// In a transaction; an error rolls back.
    fn write<T>(&self, write: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = lock(&self.0);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = write(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// Created at the first start.
    pub fn identity(&self) -> Result<Identity> {
        let identity = Identity {
            workspace_id: self.meta("workspace_id")?,
            user_id: self.meta("user_id")?,
            user_name: USER_NAME.to_owned(),
        };
        self.ensure_owner(&identity.user_id, &identity.user_name)?;
        Ok(identity)
    }

    /// A stored id, or a new one of 16 digits.
    fn meta(&self, key: &str) -> Result<String> {
        self.write(|tx| {
            let known = tx
                .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
                    row.get(0)
                })
                .optional()?;
            if let Some(value) = known {
                return Ok(value);
            }
            let value = new_id(16)?.to_string();
            tx.execute(
                "INSERT INTO meta (key, value) VALUES (?1, ?2)",
                params![key, value],
            )?;
            Ok(value)
        })
    }
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

/// Random, without a leading 0. Up to 15 digits stay below 2^53.
pub(crate) fn new_id(digits: u32) -> Result<i64> {
    let low = 10_u64.pow(digits - 1);
    let random = u64::from_le_bytes(random::<8>()?);
    Ok((low + random % (9 * low)).cast_signed())
}

/// Version 4.
pub(crate) fn new_uuid() -> Result<String> {
    let mut bytes = random::<16>()?;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;

    #[test]
    fn a_database_of_the_first_version_is_brought_up_to_date() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("workspace.db")).unwrap();
        let old = Connection::open(&path).unwrap();
        old.execute_batch(include_str!("store/001_initial.sql"))
            .unwrap();
        old.execute_batch(
            "INSERT INTO runs (run_id, job_id, number_in_job, run_name, creator_user_name, settings_json,
               parameters_json, overrides_json, life_cycle_state, start_time)
             VALUES (1, 2, 3, 'old', 'x', '{}', '{}', '{}', 'RUNNING', 4);
             INSERT INTO task_runs (run_id, job_run_id, position, task_key, settings_json, life_cycle_state)
             VALUES (5, 1, 0, 't', '{}', 'RUNNING');
             PRAGMA user_version = 1;",
        )
        .unwrap();
        drop(old);
        let store = Store::open(&path).unwrap();
        let run = store.run(1).unwrap().unwrap();
        assert_eq!((run.run_type, run.repair_count), (RunType::JobRun, 0));
        assert_eq!(store.task_runs(1).unwrap()[0].loop_run_id, None);
        assert!(store.repairs(1).unwrap().is_empty());
    }

    #[test]
    fn a_database_of_a_newer_program_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("workspace.db")).unwrap();
        let identity = Store::open(&path).unwrap().identity().unwrap();
        assert_eq!(
            Store::open(&path).unwrap().identity().unwrap().user_id,
            identity.user_id
        );
        Connection::open(&path)
            .unwrap()
            .pragma_update(None, "user_version", 999)
            .unwrap();
        let error = Store::open(&path).unwrap_err().to_string();
        assert!(
            error.contains("999") && error.contains("workspace reset"),
            "{error}"
        );
    }
}
