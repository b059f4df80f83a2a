//! The model's links at a deployment: docs/links.md.

use xtask_remote::databricks::bundle_state::Source;

use crate::context::Context;
use crate::databricks::{Summary, Target, Writer};
use crate::links::{self, Standing};
use crate::ui::safe_line;

/// What became of the links.
pub(crate) struct Links {
    /// How they stand.
    pub(crate) standing: Vec<Standing>,
    written: usize,
    /// Why they could not be read or written.
    failed: Option<String>,
}

/// Makes them right. A deployment is not undone by links that cannot be written: that is told, and
/// `status` shows it until it is mended.
pub(crate) fn keep(
    context: &Context,
    writer: &Writer<'_, '_>,
    summary: &Summary,
    source: &Source,
) -> Links {
    match links::keep(context, writer, summary, source) {
        Ok(kept) => Links {
            standing: kept.links,
            written: kept.written,
            failed: None,
        },
        Err(error) => Links {
            standing: Vec::new(),
            written: 0,
            failed: Some(error.to_string()),
        },
    }
}

/// Says what was done.
pub(crate) fn show(context: &Context, links: &Links) {
    let right = links.standing.iter().filter(|one| one.state == "right");
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

/// Says what could not be done.
pub(crate) fn warn(context: &Context, links: &Links) {
    if let Some(reason) = &links.failed {
        context.ui.warn(&format!(
            "the model's links could not be written: {}",
            safe_line(reason)
        ));
    }
    for link in links.standing.iter().filter(|link| link.is_bad()) {
        let reason = link.reason.as_deref().unwrap_or(link.state);
        context.ui.warn(&format!(
            "the model's link to its {} is not right: {}",
            link.words,
            safe_line(reason)
        ));
    }
}

/// Shows which a deployment would write, and returns how they stand.
pub(crate) fn planned(
    context: &Context,
    target: &Target<'_>,
    summary: &Summary,
    commit: Option<&str>,
) -> Vec<Standing> {
    let standing = links::before(context, target, summary, commit).unwrap_or_else(|error| {
        context.ui.warn(&format!(
            "the model's links cannot be read: {}",
            safe_line(&error.to_string())
        ));
        Vec::new()
    });
    for link in standing.iter().filter(|link| link.is_bad()) {
        if let Some(page) = &link.expected {
            context
                .ui
                .line(&format!("  link {}  {}", link.words, safe_line(page)));
        }
    }
    standing
}
