//! Pipelines, SQL warehouses and clusters. Declarations are stored, so that a bundle with them can be deployed,
//! compared and destroyed, but nothing is started: requests that need a running one are refused.

mod clusters;
mod pipelines;
mod warehouses;

use crate::call::Routes;
use crate::error::ApiError;
use crate::state::App;
use crate::store::Record;

pub(super) fn router() -> Routes {
    Routes::new()
        .merge(pipelines::router())
        .merge(warehouses::router())
        .merge(clusters::router())
}

/// Name of the kind in the store and in the permissions API.
struct Kind {
    name: &'static str,
    permissions: &'static str,
    /// Message for a missing one; `{}` is its id.
    absent: &'static str,
}

impl Kind {
    fn find(&self, app: &App, id: &str) -> Result<Record, ApiError> {
        app.store
            .record(self.name, id)?
            .ok_or_else(|| self.absent(id))
    }

    fn keep(&self, app: &App, record: &Record) -> Result<(), ApiError> {
        match app
            .store
            .replace_record(self.name, &record.id, &record.body)?
        {
            true => Ok(()),
            false => Err(self.absent(&record.id)),
        }
    }

    fn delete(&self, app: &App, id: &str) -> Result<(), ApiError> {
        if !app.store.delete_record(self.name, id)? {
            return Err(self.absent(id));
        }
        app.store.delete_acl(self.permissions, id)?;
        Ok(())
    }

    fn absent(&self, id: &str) -> ApiError {
        ApiError::not_found(self.absent.replace("{}", &id.escape_debug().to_string()))
    }
}
