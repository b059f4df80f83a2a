//! Pipelines, SQL warehouses and clusters. They are kept as they are declared, so that a bundle that has them can be
//! deployed, compared and destroyed; none of them runs. What a client asks of one that only a running one could do
//! is refused by name.

mod clusters;
mod pipelines;
mod warehouses;

use std::sync::Arc;

use axum::Router;

use crate::error::ApiError;
use crate::state::App;
use crate::store::Record;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .merge(pipelines::router())
        .merge(warehouses::router())
        .merge(clusters::router())
}

/// A kind of record: its name in the store, and under which name it has permissions.
struct Kind {
    name: &'static str,
    permissions: &'static str,
    /// How an absent one is reported; `{}` stands for its id.
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
