//! The tables, and how an older database becomes a newer one.

use camino::Utf8Path;
use rusqlite::Connection;

use super::{Result, StoreError};

/// One script a version; `user_version` counts those that ran. A published script is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("001_initial.sql"),
    include_str!("002_kinds_of_runs.sql"),
    include_str!("003_records_and_schedules.sql"),
    include_str!("004_identities.sql"),
    include_str!("005_secrets.sql"),
    include_str!("006_jobs_with_triggers.sql"),
];

/// Brings the database to the newest version.
pub(super) fn migrate(connection: &mut Connection, path: &Utf8Path) -> Result<()> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = MIGRATIONS.len().cast_signed() as i64;
    if found > known {
        return Err(StoreError::Newer {
            path: path.to_string(),
            found,
            known,
        });
    }
    for (version, script) in (1_i64..).zip(MIGRATIONS) {
        if version > found {
            let transaction = connection.transaction()?;
            transaction.execute_batch(script)?;
            transaction.pragma_update(None, "user_version", version)?;
            transaction.commit()?;
        }
    }
    Ok(())
}
