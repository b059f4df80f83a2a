//! A template of MLflow's database: its migrations take seconds, and always create the same tables.
//!
//! The first database of an MLflow version is kept in the Python environment of that MLflow; later workspaces start
//! with a copy. If anything fails here, MLflow creates its database itself.

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, OpenFlags};

/// A template, and the database to be.
#[derive(Debug)]
pub(super) struct DatabaseTemplate {
    database: Utf8PathBuf,
    template: Utf8PathBuf,
}

impl DatabaseTemplate {
    /// `None` if the database exists, or no template can be kept.
    pub(super) fn look(database: &Utf8Path, python: &Utf8Path) -> Option<DatabaseTemplate> {
        if database.exists() {
            return None;
        }
        Some(DatabaseTemplate {
            database: database.to_owned(),
            template: template(python)?,
        })
    }

    /// Copies the template, if there is one.
    pub(super) fn provide(&self) -> std::io::Result<()> {
        if !self.template.is_file() {
            return Ok(());
        }
        // Renamed when complete, however this process ends.
        let partial = self.database.with_extension("partial");
        fs_err::copy(&self.template, &partial)?;
        fs_err::rename(&partial, &self.database)
    }

    /// Keeps MLflow's new database as the template, before the first write to it.
    pub(super) fn keep(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if self.template.exists() {
            return Ok(());
        }
        let folder = self.template.parent().unwrap_or(&self.template);
        fs_err::create_dir_all(folder)?;
        let partial = folder.join(format!("{}.partial", std::process::id()));
        let connection =
            Connection::open_with_flags(&self.database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.execute("VACUUM INTO ?1", [partial.as_str()])?;
        fs_err::rename(&partial, &self.template)?;
        Ok(())
    }
}

/// In the virtual environment of `python`, under MLflow's version.
fn template(python: &Utf8Path) -> Option<Utf8PathBuf> {
    let environment = python.parent()?.parent()?;
    if !environment.join("pyvenv.cfg").is_file() {
        return None;
    }
    let name = subfolders(&environment.join("lib"))
        .filter(|name| name.starts_with("python"))
        .flat_map(|name| subfolders(&environment.join("lib").join(name).join("site-packages")))
        .find(|name| name.starts_with("mlflow-") && name.ends_with(".dist-info"))?;
    let version = name.strip_suffix(".dist-info")?;
    Some(environment.join(format!("share/xtask-workspace/{version}.db")))
}

fn subfolders(folder: &Utf8Path) -> impl Iterator<Item = String> + use<> {
    folder
        .read_dir_utf8()
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let packages = root.join("venv/lib/python3.11/site-packages");
        fs_err::create_dir_all(packages.join("mlflow-3.17.2.dist-info")).unwrap();
        fs_err::create_dir_all(packages.join("mlflow_skinny-3.17.2.dist-info")).unwrap();
        fs_err::write(root.join("venv/pyvenv.cfg"), "").unwrap();
        (folder, root)
    }

    #[test]
    fn the_first_database_is_what_the_next_workspace_starts_with() {
        let (_folder, root) = environment();
        let python = root.join("venv/bin/python");
        let first = root.join("first.db");
        let template = DatabaseTemplate::look(&first, &python).unwrap();
        template.provide().unwrap();
        assert!(!first.exists(), "there is no template yet");
        let made = Connection::open(&first).unwrap();
        made.execute_batch("CREATE TABLE experiments (id); INSERT INTO experiments VALUES (7)")
            .unwrap();
        template.keep().unwrap();
        assert!(
            root.join("venv/share/xtask-workspace/mlflow-3.17.2.db")
                .is_file()
        );

        let second = root.join("second.db");
        DatabaseTemplate::look(&second, &python)
            .unwrap()
            .provide()
            .unwrap();
        let id: i64 = Connection::open(&second)
            .unwrap()
            .query_row("SELECT id FROM experiments", [], |row| row.get(0))
            .unwrap();
        assert_eq!(id, 7);
        assert!(
            DatabaseTemplate::look(&second, &python).is_none(),
            "it is there"
        );
    }

    #[test]
    fn a_python_outside_of_a_virtual_environment_keeps_nothing() {
        let (_folder, root) = environment();
        fs_err::remove_file(root.join("venv/pyvenv.cfg")).unwrap();
        assert!(
            DatabaseTemplate::look(&root.join("x.db"), &root.join("venv/bin/python")).is_none()
        );
    }
}
