//! Shows a promotion as it happens.

use xtask_promotion::Step;
use xtask_promotion::apply::Watch;

use crate::context::Context;
use crate::crash;
use crate::ui::{Progress, safe_line};

/// One line a step, and what moves meanwhile.
pub(super) struct Screen<'a> {
    context: &'a Context,
    progress: Option<Progress>,
}

impl<'a> Screen<'a> {
    /// Nothing has begun yet.
    pub(super) fn new(context: &'a Context) -> Screen<'a> {
        Screen {
            context,
            progress: None,
        }
    }
}

impl Watch for Screen<'_> {
    fn step(&mut self, step: &Step) {
        if let Some(before) = self.progress.take() {
            before.clear();
        }
        crash::point(&self.context.env, &format!("before {}", step.name));
        let progress = self
            .context
            .ui
            .progress("Promoting", &safe_line(&step.does));
        self.progress = Some(progress);
    }

    fn bytes(&mut self, done: u64, total: u64) {
        if let Some(progress) = &self.progress {
            progress.bytes(done, total);
        }
    }

    fn note(&mut self, text: &str) {
        self.context.ui.status("Predicted", &safe_line(text));
    }

    fn stopped(&mut self) -> bool {
        self.context.interrupt.is_set()
    }

    fn sleep(&mut self, time: std::time::Duration) {
        self.context.interrupt.sleep(time);
    }
}
