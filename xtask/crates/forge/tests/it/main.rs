//! The forge from outside: over http, with the real git.

mod closed;
mod day;
mod dispatch;
mod faults;
mod git;
mod graphql;
mod pages;
mod pulls;
mod support;
