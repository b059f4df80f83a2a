//! The one question before anything is fetched.

use super::{Item, remedies};
use crate::context::Context;

/// Lists what will be fetched and built, and asks once for all of it. Without a terminal it says so
/// and goes on. What only brings an earlier yes up to date is not asked about again.
///
/// # Errors
/// [`remedies::declined`]; Ctrl-C.
pub(crate) fn ask(context: &Context, items: &[Item]) -> anyhow::Result<()> {
    if !items.iter().any(|item| item.asks) {
        return Ok(());
    }
    let ui = &context.ui;
    let width = items
        .iter()
        .map(|item| item.what.chars().count())
        .max()
        .unwrap_or(0);
    ui.line("Not here yet, and needed:");
    for item in items {
        ui.line(&format!("  {:width$}  {}", item.what, item.how));
    }
    if ui.confirm(
        "Fetch and build this into .xtask and .venv of this folder?",
        true,
    )? {
        return Ok(());
    }
    let declined: Vec<String> = items.iter().map(|item| item.what.clone()).collect();
    remedies::declined(&declined).err()
}
