//! The local workspace: the part of the Databricks REST API that a machine-learning project needs, on loopback,
//! with real notebook runs and a real MLflow server behind it.
//!
//! How the pieces fit:
//!
//! - [`store::Store`] is the SQLite database, the only place with SQL.
//! - [`state::App`] is the shared state: configuration, store, identity, activity, and the states of [`runner`] and
//!   [`mlflow`].
//! - [`auth`] is one layer around all routes, unknown ones included.
//! - `access` decides what an identity may do with jobs, files and Unity Catalog objects; admins may do everything.
//! - `catalogs` holds the catalogs and schemas of Unity Catalog, `jobs` the declarations of jobs.
//! - [`routes`] is the API; [`runner`] executes job runs; [`mlflow`] supervises MLflow and proxies it and the model
//!   registry; [`pages`] is the web UI.
//! - [`serve`] starts and stops all of it.
//!
//! Imports lead one way: plain data, store, App, access, runner and MLflow, routes and pages.

#![expect(
    missing_docs,
    reason = "only the program and its tests use this library"
)]

mod access;
mod active_runs;
pub mod auth;
mod call;
mod caller;
mod catalog_limits;
mod catalogs;
mod config;
pub mod conformance;
mod connections;
mod error;
mod files;
mod identity;
mod jobs;
mod mlflow;
mod mlflow_state;
mod pages;
mod process_group;
mod python;
mod redaction;
pub mod routes;
mod runner;
mod serve;
mod state;
pub mod store;

pub use config::{Config, PARTS, Spark};
pub use serve::serve;
pub use state::App;
