//! The workspace as its clients see it: over HTTP, by the real Databricks CLI, and as a program.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod cli;
mod cli_bundle;
mod cli_files;
mod copies;
mod disk_and_clock;
mod durability;
mod ends;
mod files;
mod identities;
mod import_fuzz;
mod jobs;
mod notebook_formats;
mod notebooks;
mod oauth;
mod output;
mod packages;
mod pages;
mod program;
mod records;
mod repair;
mod run_ends;
mod runs;
mod scale;
mod schedules;
mod secrets;
mod security;
mod server;
mod spark;
mod task_kinds;
mod unity_catalog;
mod workspace_tree;
