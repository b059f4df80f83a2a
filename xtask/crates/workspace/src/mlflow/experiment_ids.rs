//! Experiment ids as long as Databricks'.
//!
//! MLflow counts from 1, but clients recognise only long numbers as ids (the CLI's output filters, links). SQLite gives
//! a new row the highest id plus one, so one deleted row with a high id makes all later ids long.

use camino::Utf8Path;
use rusqlite::{Connection, params};

use crate::store::{Result, new_id};

/// MLflow's own ids are below this.
const SHORT: i64 = 10_000_000;
/// Name of the row that starts the count.
const NAME: &str = "(experiment ids count from here)";

/// Does nothing if the ids are long already; MLflow's tables must exist.
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
