//! The prompt before anything is downloaded.

use super::{Item, remedies};
use crate::context::Context;

/// Lists what will be downloaded and built, and prompts once. Without a terminal it continues. Updates of
/// something already installed need no new prompt.
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
    ui.line("To download or build:");
    for item in items {
        ui.line(&format!("  {:width$}  {}", item.what, item.how));
    }
    if ui.confirm(
        "Download and build these into .xtask and .venv of this folder?",
        true,
    )? {
        return Ok(());
    }
    let declined: Vec<String> = items.iter().map(|item| item.what.clone()).collect();
    remedies::declined(&declined).err()
}
