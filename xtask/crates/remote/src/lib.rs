//! Typed REST clients for the services that the guided commands talk to.
//!
//! A client is a thin set of verbs over a [`Transport`]: HTTP with a token ([`Http`]), or whatever the
//! caller supplies (xtask sends calls through the Databricks CLI where only the CLI holds the
//! credentials). Nothing here reads the environment or writes to a terminal; who wants to see the
//! calls passes an observer.

pub mod databricks;
pub mod download;
mod error;
mod http;
pub mod local;
pub mod mlflow;
pub mod records;
mod transport;

pub use error::Error;
pub use http::{Credentials, Http};
pub use transport::{Body, Method, Observer, Request, Response, Transport, refused};
