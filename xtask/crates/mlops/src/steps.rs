//! How every command changes something: it shows its steps, has them agreed to, and applies these very steps one
//! after the other. A failure tells which of them were done before it.

use crate::context::Context;
use crate::error::Partly;
use crate::ui::{Ui, safe_line};

/// The steps of a plan, each with what is said about it.
#[derive(Debug, Clone)]
pub(crate) struct Steps<S> {
    steps: Vec<S>,
    words: Vec<String>,
}

impl<S> Steps<S> {
    /// The steps, in order; `words` is what the plan shows of each.
    pub(crate) fn new(steps: Vec<S>, words: impl Fn(&S) -> String) -> Steps<S> {
        let words = steps.iter().map(|step| safe_line(&words(step))).collect();
        Steps { steps, words }
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &S> {
        self.steps.iter()
    }

    /// What each step does.
    pub(crate) fn words(&self) -> &[String] {
        &self.words
    }

    /// Shows the plan.
    pub(crate) fn show(&self, ui: &Ui) {
        for words in &self.words {
            ui.line(&format!("{:>12} {words}", "will"));
        }
    }

    /// Applies each step, unless Ctrl-C was pressed before it.
    ///
    /// # Errors
    /// Of the first step that fails, with what was done before it.
    pub(crate) fn apply(
        &self,
        context: &Context,
        mut apply: impl FnMut(&S) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        for (index, step) in self.steps.iter().enumerate() {
            let applied = context.interrupt.check().and_then(|()| apply(step));
            applied.map_err(|error| {
                let (done, left) = self.words.split_at(index);
                let (done, left) = (done.to_vec(), left.to_vec());
                Partly { done, left }.wrap(error)
            })?;
        }
        Ok(())
    }
}
