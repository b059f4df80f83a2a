//! The model's links during a deployment; see docs/links.md.

use xtask_remote::databricks::bundle_state::Source;

use crate::context::Context;
use crate::databricks::{Summary, Target, Writer};
use crate::links::{self, LinkState};
use crate::ui::safe_line;

/// The result for the links.
pub(crate) struct Links {
    /// Their state.
    pub(crate) states: Vec<LinkState>,
    written: usize,
    /// Why they could not be read or written.
    failed: Option<String>,
}

/// Fixes them. A failure to write them does not fail the deployment: it is a warning, and `status` shows it
/// until it is fixed.
pub(crate) fn keep(
    context: &Context,
    writer: &Writer<'_, '_>,
    summary: &Summary,
    source: &Source,
) -> Links {
    match links::keep(context, writer, summary, source) {
        Ok(kept) => Links {
            states: kept.links,
            written: kept.written,
            failed: None,
        },
        Err(error) => Links {
            states: Vec::new(),
            written: 0,
            failed: Some(error.to_string()),
        },
    }
}

/// Reports what was done.
pub(crate) fn show(context: &Context, links: &Links) {
    let right = links.states.iter().filter(|one| one.state == "right");
    let right = right.count();
    if right > 0 {
        let words = match links.written {
            0 => format!("{right} of the model's 5 links are right"),
            written => format!("{right} of the model's 5 links are right, {written} written now"),
        };
        context.ui.status("Linked", &words);
    }
    warn(context, links);
}

/// Reports what failed.
pub(crate) fn warn(context: &Context, links: &Links) {
    if let Some(reason) = &links.failed {
        context.ui.warn(&format!(
            "could not write the model's links: {}",
            safe_line(reason)
        ));
    }
    for link in links.states.iter().filter(|link| link.is_bad()) {
        let reason = link.reason.as_deref().unwrap_or(link.state);
        context.ui.warn(&format!(
            "the model's link to its {} is not right: {}",
            link.words,
            safe_line(reason)
        ));
    }
}

/// Shows which links a deployment would write, and returns their state.
pub(crate) fn planned(
    context: &Context,
    target: &Target<'_>,
    summary: &Summary,
    commit: Option<&str>,
) -> Vec<LinkState> {
    let states = links::before(context, target, summary, commit).unwrap_or_else(|error| {
        context.ui.warn(&format!(
            "could not read the model's links: {}",
            safe_line(&error.to_string())
        ));
        Vec::new()
    });
    for link in states.iter().filter(|link| link.is_bad()) {
        if let Some(page) = &link.expected {
            context
                .ui
                .line(&format!("  link {}  {}", link.words, safe_line(page)));
        }
    }
    states
}
