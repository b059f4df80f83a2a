//! The forge from outside: over http, with the real git.

mod closed;
mod faults;
mod git;
mod pulls;
mod support;
