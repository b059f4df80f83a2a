//! Prompts. Enter takes the default, and so does a missing terminal; a change then needs `--yes`.

use super::{Tone, Ui, safe_line};
use crate::error::Failure;

impl Ui {
    /// A yes/no prompt. Without a terminal, or with `--yes`, it takes `default` and says so.
    pub fn confirm(&self, question: &str, default: bool) -> anyhow::Result<bool> {
        let word = |answer: bool| if answer { "yes" } else { "no" };
        if self.assume_yes {
            return Ok(true);
        }
        if !self.can_ask {
            self.line(&format!(
                "{question} {} (no terminal to ask on)",
                word(default)
            ));
            return Ok(default);
        }
        self.screen
            .suspend(|| {
                dialoguer::Confirm::new()
                    .with_prompt(question)
                    .default(default)
                    .interact_opt()
            })
            .ok()
            .flatten()
            .ok_or_else(left)
    }

    /// Confirms a change. Without a terminal it requires `--yes`.
    pub(crate) fn agree(&self, question: &str, default: bool) -> anyhow::Result<()> {
        self.agreed_before()?;
        match self.confirm(question, default)? {
            true => Ok(()),
            false => Failure::interrupted("nothing was changed").err(),
        }
    }

    /// Requires `--yes` without a terminal.
    pub(crate) fn agreed_before(&self) -> anyhow::Result<()> {
        match self.can_ask || self.assume_yes {
            true => Ok(()),
            false => Failure::usage("no terminal to ask on; pass --yes")
                .next(&*self.with_yes)
                .err(),
        }
    }

    /// Ends a dry run, after the plan was shown.
    pub(crate) fn only_planned(&self) {
        self.status("Planned", "nothing was changed (--dry-run)");
    }

    /// A text prompt with a default. Without a terminal, or with `--yes`, it takes the default; without a
    /// terminal it says so.
    pub(crate) fn input(&self, question: &str, default: &str) -> anyhow::Result<String> {
        if !self.can_ask() {
            if !self.assume_yes {
                self.line(&format!(
                    "{question}: {} (no terminal to ask on)",
                    safe_line(default)
                ));
            }
            return Ok(default.to_owned());
        }
        // The prompt shows the default sanitised; Enter on an empty line takes it as it is.
        let typed: String = self
            .screen
            .suspend(|| {
                dialoguer::Input::new()
                    .with_prompt(format!("{question} [{}]", safe_line(default)))
                    .allow_empty(true)
                    .interact_text()
            })
            .map_err(|_| left())?;
        match typed.trim() {
            "" => Ok(default.to_owned()),
            typed => Ok(typed.to_owned()),
        }
    }

    /// A selection prompt; the first item is the default. Without a terminal, or with `--yes`, it takes the
    /// default; without a terminal it says so.
    pub(crate) fn choose(&self, question: &str, options: &[&str]) -> anyhow::Result<usize> {
        if !self.can_ask() {
            if !self.assume_yes {
                let first = options.first().copied().unwrap_or_default();
                self.line(&format!("{question} {first} (no terminal to ask on)"));
            }
            return Ok(0);
        }
        self.screen
            .suspend(|| {
                dialoguer::Select::new()
                    .with_prompt(question)
                    .items(options)
                    .default(0)
                    .interact_opt()
            })
            .ok()
            .flatten()
            .ok_or_else(left)
    }

    /// Asks to type a name, as a confirmation that Enter alone cannot give. `false` for any other text and
    /// without a terminal.
    pub(crate) fn typed(&self, question: &str, name: &str) -> anyhow::Result<bool> {
        if !self.can_ask() {
            return Ok(false);
        }
        let typed: String = self
            .screen
            .suspend(|| {
                dialoguer::Input::new()
                    .with_prompt(safe_line(question))
                    .allow_empty(true)
                    .interact_text()
            })
            .map_err(|_| left())?;
        Ok(typed.trim() == name)
    }

    /// Whether `--yes` was given.
    pub(crate) fn assumes_yes(&self) -> bool {
        self.assume_yes
    }

    /// An explanation before a prompt, for first-time users.
    pub(crate) fn hint(&self, text: &str) {
        if self.can_ask() {
            self.line(&format!("\n{}", self.paint(text, Tone::Dim)));
        }
    }
}

/// The error of a prompt left with Ctrl-C.
fn left() -> anyhow::Error {
    // dialoguer leaves the cursor hidden.
    let _ = dialoguer::console::Term::stderr().show_cursor();
    Failure::interrupted("cancelled; nothing was changed").into()
}
