//! A local GitHub: the part of its REST API, its GraphQL API and git over http that one repository's daily work
//! needs, on loopback, with real bare git repositories behind it.
//!
//! How the pieces fit:
//!
//! - `world` is all state but git's, as a value; `store` keeps it on disk; `forge` holds the current one. A change
//!   works on a copy, which becomes the world once it is written.
//! - `git` runs git; `pull_requests` holds what may be done and what follows from it.
//! - `entrance` sees each request first: whose it is, whether a fault was ordered for it, and what was asked.
//!   Behind it lie `rest`, `graphql`, `git::http`, `pages`, and `control`, by which whoever runs the forge makes
//!   users and repositories, reports what checks did, and orders faults.
//! - [`serve`] ties them together.

mod call;
mod caller;
mod clock;
mod connection;
mod control;
mod entrance;
mod exchanges;
mod faults;
mod forge;
mod git;
mod graphql;
mod links;
mod pages;
mod pull_requests;
mod record;
mod refusal;
mod rest;
mod router;
mod runs;
mod serve;
mod store;
mod world;

pub use serve::{Config, PARTS, serve};
