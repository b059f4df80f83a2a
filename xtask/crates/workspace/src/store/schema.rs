//! Tables and migrations.

use camino::Utf8Path;
use rusqlite::Connection;

use super::{Result, StoreError};

/// One script for each version; `user_version` counts those applied. Published scripts never change.
const MIGRATIONS: &[&str] = &[
    include_str!("001_initial.sql"),
    include_str!("002_kinds_of_runs.sql"),
    include_str!("003_records_and_schedules.sql"),
    include_str!("004_identities.sql"),
    include_str!("005_secrets.sql"),
    include_str!("006_jobs_with_triggers.sql"),
    include_str!("007_numbers_of_runs.sql"),
];

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

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;
    use crate::store::{ADMINS, Store};

    /// A database as each older program left it, with a job, its run, and a schema in a catalog of its own.
    #[test]
    fn a_database_of_every_older_version_is_brought_up_to_date_and_keeps_what_it_held() {
        for version in 1..=MIGRATIONS.len() {
            let dir = tempfile::tempdir().unwrap();
            let path = Utf8PathBuf::from_path_buf(dir.path().join("workspace.db")).unwrap();
            let old = Connection::open(&path).unwrap();
            for script in &MIGRATIONS[..version] {
                old.execute_batch(script).unwrap();
            }
            old.execute_batch(
                "INSERT INTO jobs (job_id, name, settings_json, creator_user_name, created_time) VALUES (2, 'kept', '{\"name\":\"kept\"}', 'ml.developer@workspace.local', 1);
                 INSERT INTO runs (run_id, job_id, number_in_job, run_name, creator_user_name, settings_json,
                   parameters_json, overrides_json, life_cycle_state, result_state, start_time, end_time)
                 VALUES (1, 2, 1, 'kept', 'x', '{}', '{}', '{}', 'TERMINATED', 'SUCCESS', 4, 5);
                 INSERT INTO task_runs (run_id, job_run_id, position, task_key, settings_json, life_cycle_state)
                 VALUES (5, 1, 0, 't', '{}', 'TERMINATED');
                 INSERT INTO securables VALUES ('catalog', 'dev', '', '{\"owner\":\"x\"}');
                 INSERT INTO meta VALUES ('user_id', '1234567890123456');",
            )
            .unwrap();
            old.pragma_update(None, "user_version", version).unwrap();
            drop(old);
            let store = Store::open(&path).unwrap();
            let identity = store.identity().unwrap();
            assert_eq!(identity.user_id, "1234567890123456");
            let user = store
                .principal_by_name(&identity.user_name)
                .unwrap()
                .unwrap();
            assert_eq!(user.groups, [ADMINS], "from version {version}");
            assert_eq!(store.job(2).unwrap().unwrap().settings.name, "kept");
            let run = store.run(1).unwrap().unwrap();
            assert_eq!((run.end_time, run.acts_as("me")), (Some(5), "me"));
            assert_eq!(store.task_runs(1).unwrap().len(), 1);
            // Who could use a catalog before there were others to refuse can use it now.
            let open = store.grants("catalog", "dev").unwrap().len();
            assert_eq!(open, usize::from(version < 4), "from version {version}");
            // Once more finds nothing to do.
            drop(store);
            Store::open(&path).unwrap();
        }
    }
}
