//! A look at everything that a command needs, before anything is changed.

use camino::Utf8PathBuf;

use super::workshop::Workshop;
use super::{Item, Need, Sight, Toolbox, databricks_cli, uv, venv, workspace_program};
use crate::error::Failure;

/// What was seen of each tool; `None` where it is not needed.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// uv.
    pub(crate) uv: Option<Sight<uv::Plan>>,
    /// The locked Python environment.
    pub(crate) environment: Option<Sight<venv::Plan>>,
    /// The Databricks CLI.
    pub(crate) databricks: Option<Sight<databricks_cli::Plan>>,
    /// The local workspace program.
    pub(crate) workspace: Option<Sight<workspace_program::Plan>>,
}

impl Survey {
    /// Looks. Costs a few milliseconds when all is in place: no network, no other program.
    pub(crate) fn take(workshop: &Workshop<'_>, needs: &[Need]) -> Survey {
        let needed = |need| needs.contains(&need);
        let environment = needed(Need::Python).then(|| venv::look(workshop));
        let uv_is_needed = needed(Need::Uv) || matches!(environment, Some(Sight::Fetch(_)));
        Survey {
            uv: uv_is_needed.then(|| uv::look(workshop)),
            environment,
            databricks: needed(Need::DatabricksCli).then(|| databricks_cli::look(workshop)),
            workspace: needed(Need::WorkspaceProgram).then(|| workspace_program::look(workshop)),
        }
    }

    /// The tools, when all are here.
    pub(crate) fn complete(&self) -> Option<Toolbox> {
        Some(Toolbox {
            python: here(&self.environment)?,
            databricks: here(&self.databricks)?,
            workspace: here(&self.workspace)?,
            uv: here(&self.uv)?,
        })
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
        if let Some(Sight::Fetch(plan)) = &self.databricks {
            items.extend(databricks_cli::items(workshop, plan));
        }
        if let Some(Sight::Fetch(_)) = self.workspace {
            items.push(workspace_program::item());
        }
        items
    }

    /// What the user should hear about tools that are here and are not taken.
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

    /// Takes out what can neither be found nor fetched.
    pub(crate) fn take_obstacles(&mut self) -> Vec<Failure> {
        let mut obstacles = Vec::new();
        if matches!(self.uv, Some(Sight::Cannot(_))) {
            // Without uv no environment; one obstacle says it.
            self.environment
                .take_if(|sight| matches!(sight, Sight::Fetch(_)));
        }
        take_obstacle(&mut self.uv, &mut obstacles);
        take_obstacle(&mut self.environment, &mut obstacles);
        take_obstacle(&mut self.databricks, &mut obstacles);
        take_obstacle(&mut self.workspace, &mut obstacles);
        obstacles
    }
}

/// The path of a tool that is here, or the empty one of a tool that is not needed.
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
