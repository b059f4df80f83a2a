//! Typed REST clients for the services that the guided commands talk to.
//!
//! A client is a thin set of verbs over a [`Transport`]: HTTP with a token ([`Http`]), or whatever the
//! caller supplies (xtask sends calls through the Databricks CLI where only the CLI holds the
//! credentials). Nothing here reads the environment or writes to a terminal; who wants to see the
//! calls passes an observer.

pub mod databricks;
mod deadline;
pub mod download;
mod error;
mod escape;
mod excerpt;
pub mod github;
mod http;
pub mod json;
pub mod local;
pub mod mlflow;
mod patience;
mod read_only;
pub mod records;
mod refusal;
mod sha256;
mod time;
mod transport;

pub use deadline::Within;
pub use error::{Error, Reason};
pub use excerpt::readable;
pub use http::{Credentials, Http};
pub use patience::{PATIENCE, Patience, Pause};
pub use read_only::ReadOnly;
pub use refusal::refused;
pub use sha256::{hex, sha256};
pub use time::Timestamp;
pub use transport::{Body, Headers, Method, Observer, Progress, Request, Response, Transport};
