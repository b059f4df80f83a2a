//! What is needed to look for secrets: a scanner where there is one, and what xtask.toml allows.

use super::Args;
use super::findings::Findings;
use crate::context::Context;
use crate::error;
use crate::tools::kingfisher::{Kingfisher, Match};

/// What looks for secrets.
#[derive(Debug)]
pub(super) struct Scanner {
    /// `None` where only the built-in forms are looked for.
    program: Option<Kingfisher>,
    /// Why there is none.
    lacking: Option<String>,
    /// Digests of lines that are no secrets.
    pub(super) allowed: Vec<String>,
    /// Whether secrets are looked for at all.
    pub(super) is_on: bool,
}

impl Scanner {
    /// What is here; what is missing is fetched, unless this is a dry run.
    ///
    /// # Errors
    /// Ctrl-C.
    pub(super) fn ready(context: &Context, args: &Args) -> anyhow::Result<Scanner> {
        let found = match (args.allow_secrets, args.dry_run) {
            (true, _) => Ok(None),
            (false, true) => Kingfisher::look(context),
            (false, false) => Kingfisher::get(context).map(Some),
        };
        context.interrupt.check()?;
        let (program, lacking) = match found {
            Ok(Some(program)) => (Some(program), None),
            Ok(None) => (
                None,
                (!args.allow_secrets).then(|| "it is not here yet".to_owned()),
            ),
            Err(error) => (None, Some(error::report(&error).what)),
        };
        Ok(Scanner {
            program,
            lacking,
            allowed: context.config.github.allowed_secrets.clone(),
            is_on: !args.allow_secrets,
        })
    }

    /// One without a program, for tests.
    #[cfg(test)]
    pub(super) fn allowing(allowed: &[String]) -> Scanner {
        Scanner {
            program: None,
            lacking: None,
            allowed: allowed.to_vec(),
            is_on: true,
        }
    }

    /// Says what is not looked for.
    pub(super) fn say(&self, findings: &mut Findings) {
        if let Some(why) = &self.lacking {
            findings.note(format!(
                "secrets are looked for by the built-in forms alone, without Kingfisher: {why}"
            ));
        }
    }

    /// Searches lines; where there is no scanner, nothing is found.
    ///
    /// # Errors
    /// When the scanner fails.
    pub(super) fn search(&self, lines: &str) -> anyhow::Result<Vec<Match>> {
        match &self.program {
            Some(program) if !lines.trim().is_empty() => program.search(lines),
            _ => Ok(Vec::new()),
        }
    }
}
