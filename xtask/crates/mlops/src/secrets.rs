//! Searches commits for secrets before any command pushes them.

mod forms;
mod look;
mod scanner;
mod sieve;
mod text_of;

use crate::context::Context;
use crate::git::{Brings, Git};
pub(crate) use look::Look;
pub(crate) use scanner::Scanner;
pub(crate) use sieve::{Location, NOT_SEARCHED, Sieve};

/// Searches the content of a push; `head` is the pushed commit.
pub(crate) fn refuse(
    context: &Context,
    git: &Git,
    scanner: &Scanner,
    brings: &Brings,
    head: &str,
) -> anyhow::Result<()> {
    if !scanner.is_on || brings.commits.is_empty() {
        return Ok(());
    }
    let mut look = Look::at(context, git, scanner, &brings.additions)?;
    look.search(git, &brings.additions)?;
    look.messages(&brings.commits);
    match look.sieve {
        Some(sieve) => sieve.refuse(head),
        None => Ok(()),
    }
}
