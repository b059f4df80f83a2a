//! Experiment ids as long as Databricks' own.
//!
//! MLflow counts 1, 2, …, and clients that look for ids (the CLI's output filters, links) take only long numbers for
//! one. SQLite gives a new row the highest id plus one, so a single row with a high id, made once and marked as
//! deleted, makes all later ids long.

use camino::Utf8Path;
use rusqlite::{Connection, params};

use crate::store::{Result, new_id};

/// Ids below this are MLflow's own counting.
const SHORT: i64 = 10_000_000;
/// What the row that starts the count is called.
const NAME: &str = "(experiment ids count from here)";

/// Makes MLflow's next experiment ids long, unless they are; its tables must be there.
pub(super) fn make_long(database: &Utf8Path) -> Result<()> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.execute(
        "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage)
         SELECT ?1, ?2, '', 'deleted' WHERE NOT EXISTS (SELECT 1 FROM experiments WHERE experiment_id > ?3)",
        params![new_id(15)?, NAME, SHORT],
    )?;
    Ok(())
}
