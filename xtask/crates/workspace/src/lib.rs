//! The local workspace: the part of the Databricks REST API that a machine-learning project needs, on loopback,
//! with real notebook runs and a real MLflow server behind it.
//!
//! How the pieces fit:
//!
//! - [`store::Store`] is the SQLite database, the only place that knows SQL. Routes and the runner speak to its
//!   typed methods.
//! - [`state::App`] is what every request sees: configuration, store, identity, activity, and the states of
//!   [`runner`] and [`mlflow`].
//! - [`auth`] is one layer around all routes, unknown ones included: it refuses whatever it does not know.
//! - `access` says what an identity may do with jobs, files and Unity Catalog objects; admins may do everything.
//! - `catalogs` knows the catalogs and schemas of Unity Catalog, `jobs` how a job may be declared.
//! - [`routes`] answers the API; [`runner`] takes a run of a job from its start to its end; [`mlflow`] supervises and
//!   fronts MLflow and the model registry; [`pages`] is what a person looks at.
//! - [`serve`] ties them together, ends when asked to, and leaves no process behind.
//!
//! What [`state::App`] is made of imports nothing that uses it, so imports lead one way: plain data, store, App, access,
//! runner and MLflow, routes and pages.

#![expect(
    missing_docs,
    reason = "only the program and its tests use this library"
)]

mod access;
pub mod active_runs;
pub mod auth;
pub mod caller;
mod catalog_limits;
mod catalogs;
pub mod config;
mod connections;
pub mod error;
mod extract;
pub mod files;
mod group;
pub mod identity;
mod jobs;
pub mod mlflow;
pub mod mlflow_state;
pub mod pages;
mod python;
pub mod routes;
pub mod runner;
mod secrets_read;
pub mod serve;
pub mod state;
pub mod store;
pub mod witness;

pub use config::{Config, PARTS, Spark};
pub use serve::serve;
pub use state::App;
