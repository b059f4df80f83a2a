//! The workspace in memory, held against the local workspace with a real MLflow behind it.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod generate;
mod memory_workspace;
mod replies;
