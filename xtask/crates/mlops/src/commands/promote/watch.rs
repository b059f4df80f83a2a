//! Shows a promotion as it happens.

use xtask_promotion::apply::{Done, Watch};
use xtask_promotion::journal::Journal;
use xtask_promotion::{Step, Work};

use super::ends;
use crate::context::Context;
use crate::crash;
use crate::error::Partly;
use crate::ui::{Progress, safe_line};

/// One line a step, and what moves meanwhile.
pub(super) struct Screen<'a> {
    context: &'a Context,
    progress: Option<Progress>,
    /// The names of the steps that were made.
    made: Vec<&'static str>,
}

/// Applies steps that are shown as they happen and noted in a journal. A failure says which of them were done and stay,
/// and which are left; the lock is given back either way.
pub(super) fn applied(
    context: &Context,
    id: &str,
    sentence: &str,
    steps: &[Step],
    apply: impl FnOnce(&mut Screen<'_>, &mut Journal) -> anyhow::Result<Done>,
) -> anyhow::Result<Done> {
    let mut journal = Journal::open(ends::journals(context).as_std_path(), id, sentence);
    if let Some(trouble) = journal.trouble() {
        context.ui.warn(&format!(
            "no journal is kept, which stops nothing: {trouble}"
        ));
    }
    let mut screen = Screen {
        context,
        progress: None,
        made: Vec::new(),
    };
    let done = apply(&mut screen, &mut journal).map_err(|error| {
        let lock = |step: &&Step| matches!(step.work, Work::Lock | Work::Unlock);
        let steps = steps.iter().filter(|step| !lock(step));
        let (done, left): (Vec<_>, Vec<_>) =
            steps.partition(|step| screen.made.contains(&step.name));
        let words = |steps: Vec<&Step>| steps.iter().map(|step| safe_line(&step.does)).collect();
        let (done, left) = (words(done), words(left));
        Partly { done, left }.wrap(error)
    })?;
    crash::point(&context.env, "journal's end");
    journal.end();
    Ok(done)
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

    fn made(&mut self, step: &Step) {
        self.made.push(step.name);
    }

    fn unmade(&mut self, name: &str) {
        self.made.retain(|made| *made != name);
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
