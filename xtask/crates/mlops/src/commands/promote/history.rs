//! `promote --history`: what was promoted to a target.

use serde::Serialize;
use xtask_promotion::event::State;
use xtask_promotion::history::{self, Entry};

use super::Args;
use super::ends::{self, OpenTarget};
use crate::bundle;
use crate::context::Context;
use crate::engine_failure;
use crate::ui::{Tone, safe_line};

/// What `--json` prints; docs/promote.md describes the fields.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    target: &'a str,
    model: &'a str,
    promotions: &'a [Entry],
}

/// Lists them, newest first.
pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let target = ends::destination(context, args)?;
    let toolbox = bundle::ready(context, &[&target], &[])?;
    let progress = context
        .ui
        .progress("Reading", &format!("the history of {target}"));
    let place = OpenTarget::open(context, &toolbox, &target)?;
    let connection = place.connection(&toolbox)?;
    let entries = history::read(&connection.end()).map_err(engine_failure::of)?;
    progress.clear();
    context.ui.json(&Answer {
        version: 1,
        target: &target,
        model: &place.model,
        promotions: &entries,
    })?;
    if entries.is_empty() {
        // Whether nothing was, or its versions were deleted, no registry tells.
        let none = format!(
            "is remembered: no version of {} names a promotion",
            place.model
        );
        context.ui.status("Nothing", &none);
        context
            .ui
            .line("  versions remember their promotions; deleted ones take that along");
        return Ok(());
    }
    let lines: Vec<String> = entries.iter().map(|entry| line(context, entry)).collect();
    context.ui.page(&lines.join("\n"));
    Ok(())
}

/// An entry, for people.
fn line(context: &Context, entry: &Entry) -> String {
    let (ui, event) = (&context.ui, &entry.event);
    let (word, tone) = match (event.state, entry.champion) {
        (State::Live, true) => ("champion", Tone::Good),
        (State::Live, false) => ("replaced", Tone::Dim),
        (State::Begun, _) => ("interrupted", Tone::Warning),
        (State::Refused, _) => ("refused", Tone::Bad),
        (State::Undoing, _) => ("being taken back", Tone::Warning),
        (State::Undone, _) => ("taken back", Tone::Warning),
    };
    let id = event.id.get(..8).unwrap_or(&event.id);
    let mut text = format!(
        "{}  version {}  {}\n  {}  from {} by {}",
        ui.paint(id, Tone::Accent),
        ui.paint(&entry.version.to_string(), Tone::Strong),
        ui.paint(word, tone),
        safe_line(&event.at),
        safe_line(&event.from),
        safe_line(&event.by),
    );
    let mut facts = Vec::new();
    facts.extend(event.was.map(|was| format!("in place of version {was}")));
    let commit = event.commit.as_deref();
    facts.extend(commit.map(|commit| format!("commit {}", crate::words::short(commit))));
    facts.extend(event.pull.map(|pull| format!("pull request {pull}")));
    if let (Some(by), Some(at)) = (&event.undone_by, &event.undone_at) {
        facts.push(format!("taken back by {by} at {at}"));
    }
    facts.extend(event.why.clone());
    if !facts.is_empty() {
        text.push_str(&format!("\n  {}", safe_line(&facts.join(", "))));
    }
    text
}
