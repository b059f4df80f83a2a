//! Questions. Each is answered by Enter, and each has an answer where nobody can be asked.

use super::{Tone, Ui, safe_line};
use crate::error::{Failure, Kind};

impl Ui {
    /// Asks a question that yes or no answers. Without a terminal, or with `--yes`, it takes
    /// `default` and says so.
    ///
    /// # Errors
    /// [`Kind::Interrupted`] when the question is left with Ctrl-C.
    pub fn confirm(&self, question: &str, default: bool) -> anyhow::Result<bool> {
        let word = |answer: bool| if answer { "yes" } else { "no" };
        if self.assume_yes {
            return Ok(true);
        }
        if !self.can_ask {
            self.line(&format!(
                "{question} {} (no terminal to ask at)",
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

    /// Asks for a line of text, with an answer that Enter takes. Without a terminal, or with `--yes`, it
    /// takes that one; without a terminal it says so.
    ///
    /// # Errors
    /// [`Kind::Interrupted`] when the question is left with Ctrl-C.
    pub(crate) fn input(&self, question: &str, default: &str) -> anyhow::Result<String> {
        if !self.can_ask() {
            if !self.assume_yes {
                self.line(&format!(
                    "{question}: {} (no terminal to ask at)",
                    safe_line(default)
                ));
            }
            return Ok(default.to_owned());
        }
        // What is offered is shown by the prompt itself, so it must be harmless; taken as it is by
        // Enter on an empty line.
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

    /// Asks which of several; the first is what Enter takes. Without a terminal, or with `--yes`, it is
    /// the first one; without a terminal it says so.
    ///
    /// # Errors
    /// [`Kind::Interrupted`] when the question is left with Ctrl-C or Escape.
    pub(crate) fn choose(&self, question: &str, options: &[&str]) -> anyhow::Result<usize> {
        if !self.can_ask() {
            if !self.assume_yes {
                let first = options.first().copied().unwrap_or_default();
                self.line(&format!("{question} {first} (no terminal to ask at)"));
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

    /// Asks for a name to be typed, which stands for an agreement that Enter cannot give. `false` for any
    /// other text, and where nobody can be asked.
    ///
    /// # Errors
    /// [`Kind::Interrupted`] when the question is left with Ctrl-C.
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

    /// A sentence before a question, for those who meet it for the first time.
    pub(crate) fn hint(&self, text: &str) {
        if self.can_ask() {
            self.line(&format!("\n{}", self.paint(text, Tone::Dim)));
        }
    }
}

/// The end of a question that was left.
fn left() -> anyhow::Error {
    // A question that is left keeps the cursor hidden.
    let _ = dialoguer::console::Term::stderr().show_cursor();
    Failure::new(Kind::Interrupted, "nothing was done").into()
}
