//! The scanner, if installed, and the allowed secrets of xtask.toml.

use crate::context::Context;
use crate::error;
use crate::tools::kingfisher::{Kingfisher, Match};

/// The scanner's settings.
#[derive(Debug)]
pub(crate) struct Scanner {
    /// `None` where only the built-in forms are looked for.
    program: Option<Kingfisher>,
    /// Why it is missing.
    lacking: Option<String>,
    /// Digests of allowed lines.
    pub(super) allowed: Vec<String>,
    /// Whether to search at all.
    pub(crate) is_on: bool,
}

impl Scanner {
    /// Finds the scanner, and installs it if allowed.
    pub(crate) fn ready(context: &Context, may_fetch: bool) -> anyhow::Result<Scanner> {
        let found = match may_fetch {
            false => Kingfisher::look(context),
            true => Kingfisher::get(context).map(Some),
        };
        context.interrupt.check()?;
        let (program, lacking) = match found {
            Ok(Some(program)) => (Some(program), None),
            Ok(None) => (None, Some("not installed yet".to_owned())),
            Err(error) => (None, Some(error::report(&error).what)),
        };
        Ok(Scanner {
            program,
            lacking,
            allowed: context.config.github.allowed_secrets.clone(),
            is_on: true,
        })
    }

    /// A disabled scanner.
    pub(crate) fn off() -> Scanner {
        Scanner {
            program: None,
            lacking: None,
            allowed: Vec::new(),
            is_on: false,
        }
    }

    /// A scanner without a program, for tests.
    #[cfg(test)]
    pub(super) fn allowing(allowed: &[String]) -> Scanner {
        Scanner {
            program: None,
            lacking: None,
            allowed: allowed.to_vec(),
            is_on: true,
        }
    }

    /// What is not looked for, in words.
    pub(crate) fn lacks(&self) -> Option<String> {
        let why = self.lacking.as_ref()?;
        Some(format!(
            "secrets are looked for by the built-in forms alone, without Kingfisher: {why}"
        ))
    }

    /// Searches lines; where there is no scanner, nothing is found.
    pub(super) fn search(&self, lines: &str) -> anyhow::Result<Vec<Match>> {
        match &self.program {
            Some(program) if !lines.trim().is_empty() => program.search(lines),
            _ => Ok(Vec::new()),
        }
    }
}
