//! Paths of the Files API.

use std::fmt;

use cap_std::fs::Metadata;

use crate::access::{self, Model, Right};
use crate::call::Call;
use crate::error::ApiError;
use crate::files::{RelativePath, Tree};
use crate::state::App;

/// A file or folder of a volume, a model version, or an MLflow run or logged model.
#[derive(Debug)]
pub(super) struct Place {
    area: Area,
    shown: String,
    /// Relative to the tree of its area.
    path: RelativePath,
    /// Number of leading segments that name the owner of the files.
    owner: usize,
}

#[derive(Debug, Clone, Copy)]
enum Area {
    /// `/Volumes/<catalog>/<schema>/<volume>/…`
    Volumes,
    /// `/Models/<catalog>/<schema>/<model>/<version>/…`
    Models,
    /// `/WorkspaceInternal/Mlflow/Artifacts/<experiment>/<Runs or LoggedModels>/<id>/…`: what MLflow's client uses with
    /// the tracking URI `databricks`. The files are those of MLflow's own server.
    Artifacts,
}

impl Place {
    /// Checks the path, that the volume exists, and that the caller may read or write.
    pub(super) fn resolve(call: &Call, path: &str, right: Right) -> Result<Place, ApiError> {
        let all = RelativePath::parse(path)?;
        let segments: Vec<&str> = all.segments().collect();
        let place = match *segments.as_slice() {
            ["Volumes", catalog, schema, volume, ref rest @ ..] => {
                let owner = [catalog, schema, volume].map(str::to_lowercase);
                let name = owner.join(".");
                if call.store.securable("volume", &name)?.is_none() {
                    let what = format!("Volume '{name}' does not exist.");
                    return Err(ApiError::not_found(what));
                }
                let privilege = match right {
                    Right::Read => "READ_VOLUME",
                    Right::Write => "WRITE_VOLUME",
                };
                access::require_privilege(call, privilege, "volume", &name)?;
                Place::below(Area::Volumes, &owner, rest)
            }
            ["Models", catalog, schema, model, version, ref rest @ ..] => {
                let owner = [catalog, schema, model, version].map(str::to_lowercase);
                let name = owner[..3].join(".");
                match right {
                    Right::Read => Model(&name).require_execute(call)?,
                    Right::Write => Model(&name).require_new_version(call)?,
                }
                Place::below(Area::Models, &owner, rest)
            }
            [
                "WorkspaceInternal",
                "Mlflow",
                "Artifacts",
                experiment,
                "Runs",
                run,
                ref rest @ ..,
            ] => Place::below(Area::Artifacts, &[experiment, run], rest),
            [
                "WorkspaceInternal",
                "Mlflow",
                "Artifacts",
                experiment,
                "LoggedModels",
                model,
                ref rest @ ..,
            ] => Place::below(Area::Artifacts, &[experiment, "models", model], rest),
            ["Volumes" | "Models" | "WorkspaceInternal", ..] => {
                return Err(ApiError::invalid(format!(
                    "/{} names no volume, model version or run",
                    all.as_str()
                )));
            }
            _ => {
                return Err(ApiError::not_implemented(format!(
                    "the local workspace has files below /Volumes and /Models, not at /{}",
                    all.as_str()
                )));
            }
        }?;
        Ok(match place.area {
            // Unity Catalog's names are case-insensitive, and shown in lower case.
            Area::Volumes => place.shown_as(|path| format!("/Volumes/{path}")),
            Area::Models => place.shown_as(|path| format!("/Models/{path}")),
            Area::Artifacts => place.shown_as(|_| format!("/{}", all.as_str())),
        })
    }

    fn below<S: AsRef<str>>(area: Area, owner: &[S], rest: &[&str]) -> Result<Place, ApiError> {
        let names = owner.iter().map(AsRef::as_ref).chain(rest.iter().copied());
        let path = names.collect::<Vec<&str>>().join("/");
        Ok(Place {
            area,
            shown: String::new(),
            path: RelativePath::parse(&path)?,
            owner: owner.len(),
        })
    }

    fn shown_as(mut self, show: impl FnOnce(&str) -> String) -> Place {
        self.shown = show(self.path.as_str());
        self
    }

    pub(super) fn tree<'a>(&self, app: &'a App) -> &'a Tree {
        match self.area {
            Area::Volumes => &app.volumes,
            Area::Models => &app.models,
            Area::Artifacts => &app.artifacts,
        }
    }

    pub(super) fn path(&self) -> &RelativePath {
        &self.path
    }

    /// Whether it is the volume, model version or run itself.
    pub(super) fn is_root(&self) -> bool {
        self.path.segments().count() == self.owner
    }

    /// 404 if nothing is there.
    pub(super) fn metadata(&self, app: &App) -> Result<Metadata, ApiError> {
        let found = self.tree(app).metadata(&self.path);
        found
            .map_err(|error| ApiError::disk(&format!("cannot read {self}"), &error))?
            .ok_or_else(|| self.absent())
    }

    pub(super) fn absent(&self) -> ApiError {
        ApiError::not_found(format!("{self} does not exist."))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
