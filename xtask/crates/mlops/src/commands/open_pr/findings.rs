//! What the preflight has to say, all of it at once.

use serde::Serialize;

use crate::context::Context;
use crate::error::Failure;
use crate::ui::{Tone, safe, safe_line};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Weight {
    /// It must be mended first.
    Stops,
    /// It should be known.
    Warns,
    /// It is said.
    Notes,
}

/// One thing that was found.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Finding {
    pub(super) weight: Weight,
    pub(super) what: String,
    /// What to type or do.
    pub(super) next: Option<String>,
}

/// All that was found.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(transparent)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// Something that must be mended first, and how.
    pub(super) fn stop(&mut self, what: impl Into<String>, next: impl Into<String>) {
        self.add(Weight::Stops, what.into(), Some(next.into()));
    }

    /// Something that should be known, and what can be done about it.
    pub(super) fn warn(&mut self, what: impl Into<String>, next: impl Into<String>) {
        self.add(Weight::Warns, what.into(), Some(next.into()));
    }

    /// Something that is good to know.
    pub(super) fn note(&mut self, what: impl Into<String>) {
        self.add(Weight::Notes, what.into(), None);
    }

    fn add(&mut self, weight: Weight, what: String, next: Option<String>) {
        self.0.push(Finding { weight, what, next });
    }

    /// Shows them, those that stop first. One that stops alone is left to the error.
    pub(super) fn show(&self, context: &Context) {
        let ui = &context.ui;
        let alone = self.stops().len() == 1;
        let mut sorted: Vec<&Finding> = self.0.iter().collect();
        sorted.sort_by_key(|finding| finding.weight as u8);
        for Finding { weight, what, next } in sorted {
            let (verb, tone) = match weight {
                Weight::Stops if alone => continue,
                Weight::Stops => ("Stops", Tone::Bad),
                Weight::Warns => ("Note well", Tone::Warning),
                Weight::Notes => ("Note", Tone::Accent),
            };
            ui.status_toned(verb, &safe_line(what), tone);
            if let Some(next) = next {
                let label = ui.paint("next:", Tone::Dim);
                ui.line(&format!("{:13}{label} {}", "", safe(next)));
            }
        }
    }

    pub(super) fn allow(&self) -> anyhow::Result<()> {
        match self.stops().as_slice() {
            [] => Ok(()),
            [one] => {
                let failure = Failure::failed(safe_line(&one.what));
                failure
                    .next(safe(one.next.as_deref().unwrap_or_default()))
                    .err()
            }
            several => Failure::failed(format!("{} things stand in the way", several.len()))
                .next("mend what is listed above, and call it again")
                .err(),
        }
    }

    fn stops(&self) -> Vec<&Finding> {
        let stops = |finding: &&Finding| finding.weight == Weight::Stops;
        self.0.iter().filter(stops).collect()
    }
}
