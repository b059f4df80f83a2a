//! xtask as a person runs it: the built program, in a project of its own, with nothing of the user's.

#![expect(
    clippy::unwrap_used,
    reason = "what the tests are set up with is test code too"
)]

mod act;
mod completions;
mod dependency;
mod deploy;
mod docs;
mod faults;
mod guards;
mod hosted;
mod init;
mod journey;
mod layers;
mod links;
mod local_kinds;
mod machine;
mod open_pr;
mod own_python;
mod promote;
mod promote_code;
mod registries;
mod smoke;
mod status;
mod surroundings;
mod tools;
mod via_ci;
mod workflows;
mod workspaces;
