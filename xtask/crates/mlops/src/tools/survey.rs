//! Checks all tools that a command needs, before anything is changed.

use camino::{Utf8Path, Utf8PathBuf};

use super::workshop::Workshop;
use super::{
    Item, Need, Sight, Toolbox, databricks_cli, uv, venv, workspace_program, workspace_python,
};
use crate::error::Failure;

/// The state of each tool; `None` if not needed.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) uv: Option<Sight<uv::Plan>>,
    /// The locked Python environment.
    pub(crate) environment: Option<Sight<venv::Plan>>,
    pub(crate) databricks: Option<Sight<databricks_cli::Plan>>,
    /// The local workspace program.
    pub(crate) workspace: Option<Sight<workspace_program::Plan>>,
    /// The local workspace's own Python.
    pub(crate) workspace_python: Option<Sight<workspace_python::Plan>>,
}

impl Survey {
    /// Takes a few milliseconds when everything is installed: no network, no child process.
    pub(crate) fn take(workshop: &Workshop<'_>, needs: &[Need]) -> Survey {
        let needed = |need| needs.contains(&need);
        let of_project =
            needed(Need::Python) || needed(Need::NotebookPython) && venv::is_declared(workshop);
        let environment = of_project.then(|| venv::look(workshop));
        let workspace_python =
            needed(Need::WorkspacePython).then(|| workspace_python::look(workshop));
        let uv_is_needed = needed(Need::Uv)
            || matches!(environment, Some(Sight::Fetch(_)))
            || matches!(workspace_python, Some(Sight::Fetch(_)));
        Survey {
            uv: uv_is_needed.then(|| uv::look(workshop)),
            environment,
            databricks: needed(Need::DatabricksCli).then(|| databricks_cli::look(workshop)),
            workspace: needed(Need::WorkspaceProgram).then(|| workspace_program::look(workshop)),
            workspace_python,
        }
    }

    /// The tools, if all are installed.
    pub(crate) fn complete(&self) -> Option<Toolbox> {
        let python = Pythons {
            uv: here(&self.uv)?,
            project: here(&self.environment)?,
            workspace: here(&self.workspace_python)?,
        };
        Some(python.toolbox(here(&self.databricks)?, here(&self.workspace)?))
    }

    /// What will be fetched or built.
    pub(crate) fn items(&self, workshop: &Workshop<'_>) -> Vec<Item> {
        let mut items = Vec::new();
        if let Some(Sight::Fetch(_)) = self.uv {
            items.push(uv::item(workshop));
        }
        if let Some(Sight::Fetch(plan)) = &self.environment {
            items.push(venv::item(plan));
        }
        if let Some(Sight::Fetch(_)) = self.workspace_python {
            items.push(workspace_python::item());
        }
        if let Some(Sight::Fetch(plan)) = &self.databricks {
            items.extend(databricks_cli::items(workshop, plan));
        }
        if let Some(Sight::Fetch(_)) = self.workspace {
            items.push(workspace_program::item());
        }
        items
    }

    /// Notes about tools on PATH that are not used.
    pub(crate) fn notes(&self) -> Vec<&str> {
        let of_uv = match &self.uv {
            Some(Sight::Fetch(plan)) => plan.note.as_deref(),
            _ => None,
        };
        let of_cli = match &self.databricks {
            Some(Sight::Fetch(plan)) => plan.note.as_deref(),
            _ => None,
        };
        of_uv.into_iter().chain(of_cli).collect()
    }

    /// Takes the failures of tools that cannot be installed.
    pub(crate) fn take_obstacles(&mut self) -> Vec<Failure> {
        let mut obstacles = Vec::new();
        if matches!(self.uv, Some(Sight::Cannot(_))) {
            // Without uv there is no environment; report only uv.
            self.environment
                .take_if(|sight| matches!(sight, Sight::Fetch(_)));
            self.workspace_python
                .take_if(|sight| matches!(sight, Sight::Fetch(_)));
        }
        take_obstacle(&mut self.uv, &mut obstacles);
        take_obstacle(&mut self.environment, &mut obstacles);
        take_obstacle(&mut self.workspace_python, &mut obstacles);
        take_obstacle(&mut self.databricks, &mut obstacles);
        take_obstacle(&mut self.workspace, &mut obstacles);
        obstacles
    }
}

/// The Python tools; those not needed are empty paths.
#[derive(Debug, Default)]
pub(crate) struct Pythons {
    pub(crate) uv: Utf8PathBuf,
    /// The interpreter of the project's environment.
    pub(crate) project: Utf8PathBuf,
    /// The folder of the local workspace's own Python.
    pub(crate) workspace: Utf8PathBuf,
}

impl Pythons {
    /// All tools. Without a project environment, notebooks run in the local workspace's.
    pub(crate) fn toolbox(self, databricks: Utf8PathBuf, workspace: Utf8PathBuf) -> Toolbox {
        let own = |path: fn(&Utf8Path) -> Utf8PathBuf| match self.workspace.as_str().is_empty() {
            true => Utf8PathBuf::new(),
            false => path(&self.workspace),
        };
        let mlflow = own(workspace_python::server);
        Toolbox {
            python: match self.project.as_str().is_empty() {
                true => mlflow.clone(),
                false => self.project,
            },
            kernel: own(workspace_python::kernel),
            mlflow,
            databricks,
            workspace,
            uv: self.uv,
            spark_jars: Utf8PathBuf::new(),
        }
    }
}

/// The path of an installed tool, or the empty path of one not needed.
fn here<P>(sight: &Option<Sight<P>>) -> Option<Utf8PathBuf> {
    match sight {
        None => Some(Utf8PathBuf::new()),
        Some(Sight::Here(path, _)) => Some(path.clone()),
        Some(_) => None,
    }
}

fn take_obstacle<P>(sight: &mut Option<Sight<P>>, obstacles: &mut Vec<Failure>) {
    match sight.take() {
        Some(Sight::Cannot(failure)) => obstacles.push(failure),
        other => *sight = other,
    }
}
