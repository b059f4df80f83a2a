//! Where a path of the Files API lies.

use std::fmt;

use cap_std::fs::Metadata;

use crate::access::{self, Model, Right};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::files::{RelativePath, Tree};
use crate::state::App;

/// A file or folder of a volume or of a model version.
#[derive(Debug)]
pub(super) struct Place {
    area: Area,
    path: RelativePath,
}

#[derive(Debug, Clone, Copy)]
enum Area {
    Volumes,
    Models,
}

impl Area {
    fn name(self) -> &'static str {
        match self {
            Area::Volumes => "Volumes",
            Area::Models => "Models",
        }
    }

    /// How many names its root has: catalog, schema, volume; or catalog, schema, model, version.
    fn depth(self) -> usize {
        match self {
            Area::Volumes => 3,
            Area::Models => 4,
        }
    }
}

impl Place {
    /// Checks a path, that the volume exists, and that the caller may read or write there.
    pub(super) fn resolve(
        app: &App,
        caller: &Caller,
        path: &str,
        right: Right,
    ) -> Result<Place, ApiError> {
        let all = RelativePath::parse(path)?;
        let mut segments: Vec<String> = all.segments().map(str::to_owned).collect();
        let area = match segments.first().map(String::as_str) {
            Some("Volumes") => Area::Volumes,
            Some("Models") => Area::Models,
            _ => {
                return Err(ApiError::not_implemented(format!(
                    "the local workspace has files below /Volumes and /Models, not at /{}",
                    all.as_str()
                )));
            }
        };
        segments.remove(0);
        if segments.len() < area.depth() {
            return Err(ApiError::invalid(format!(
                "/{} names no volume or model version",
                all.as_str()
            )));
        }
        // Unity Catalog's names have no case; what lies in a volume has.
        for name in &mut segments[..3] {
            *name = name.to_lowercase();
        }
        let owner = segments[..3].join(".");
        if matches!(area, Area::Volumes) && app.store.securable("volume", &owner)?.is_none() {
            return Err(ApiError::not_found(format!(
                "Volume '{owner}' does not exist."
            )));
        }
        match (area, right) {
            (Area::Models, Right::Read) => Model(&owner).require_execute(app, caller)?,
            (Area::Models, Right::Write) => Model(&owner).require_new_version(app, caller)?,
            (Area::Volumes, Right::Read) => {
                access::require_privilege(app, caller, "READ_VOLUME", "volume", &owner)?;
            }
            (Area::Volumes, Right::Write) => {
                access::require_privilege(app, caller, "WRITE_VOLUME", "volume", &owner)?;
            }
        }
        Ok(Place {
            area,
            path: RelativePath::parse(&segments.join("/"))?,
        })
    }

    pub(super) fn tree<'a>(&self, app: &'a App) -> &'a Tree {
        match self.area {
            Area::Volumes => &app.volumes,
            Area::Models => &app.models,
        }
    }

    pub(super) fn path(&self) -> &RelativePath {
        &self.path
    }

    /// Whether this is the volume or the model version itself.
    pub(super) fn is_root(&self) -> bool {
        self.path.segments().count() == self.area.depth()
    }

    /// What is known about it; 404 if nothing is there.
    pub(super) fn metadata(&self, app: &App) -> Result<Metadata, ApiError> {
        let found = self.tree(app).metadata(&self.path);
        found
            .map_err(|error| ApiError::disk(&format!("cannot look at {self}"), &error))?
            .ok_or_else(|| self.absent())
    }

    pub(super) fn absent(&self) -> ApiError {
        ApiError::not_found(format!("{self} does not exist."))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.area.name(), self.path.as_str())
    }
}
