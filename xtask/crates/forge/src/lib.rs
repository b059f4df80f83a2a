//! A local GitHub: the part of its REST API, its GraphQL API and git over http that one repository's daily work
//! needs, on loopback, with real bare git repositories behind it.
//!
//! How the pieces fit:
//!
//! - `world` is the state without git, as a value; `store` keeps it on disk; `forge` holds the current one. A change
//!   works on a copy, which becomes the world once it is stored.
//! - `git` runs git; `pull_requests` are the rules of pull requests.
//! - `middleware` is the first layer of every request: authentication, faults, recording. Behind it are `rest`,
//!   `graphql`, `git::http`, `pages`, and `control`, with which the owner creates users and repositories, reports
//!   checks and orders faults.
//! - [`serve`] starts and stops all of it.

#![expect(
    missing_docs,
    reason = "only the program and its tests use this library"
)]

mod call;
mod caller;
mod clock;
mod connection;
mod control;
mod exchanges;
mod faults;
mod forge;
mod git;
mod graphql;
mod middleware;
mod pages;
mod pull_requests;
mod refusal;
mod request_log;
mod rest;
mod router;
mod runs;
mod serve;
mod store;
mod view;
mod world;

pub use serve::{Config, PARTS, serve};
