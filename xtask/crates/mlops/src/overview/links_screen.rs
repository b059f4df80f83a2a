//! The model's links on the screen: behind their names where all is well, named with what is wrong where not.

use super::rows::Rows;
use crate::links::LinkState;
use crate::ui::{Tone, Ui, safe_line};

/// The links of one target.
pub(super) fn rows(rows: &mut Rows<'_>, target: &str, links: &[LinkState]) {
    let ui = rows.ui;
    let right = links.iter().filter(|link| link.state == "right");
    let mut items: Vec<String> = match ui.has_links() {
        true => right
            .map(|link| ui.linked(link.words, link.url.as_deref().unwrap_or_default()))
            .collect(),
        false => match right.count() {
            0 => Vec::new(),
            count => vec![format!("{count} of {} right", links.len())],
        },
    };
    let mut others: Vec<&LinkState> = links.iter().filter(|link| link.state != "right").collect();
    while let Some(first) = others.first().copied() {
        let alike = |link: &&LinkState| (link.state, &link.reason) == (first.state, &first.reason);
        let words: Vec<&str> = others
            .iter()
            .filter(|link| alike(link))
            .map(|link| link.words)
            .collect();
        items.push(not_right(ui, &words.join(", "), first));
        others.retain(|link| !alike(link));
    }
    if let Some(first) = items.first_mut() {
        *first = format!("links {first}");
    }
    if links.iter().any(LinkState::is_bad) {
        let next = format!("cargo xtask deploy --target {target}");
        items.push(format!("next: {}", ui.paint(&next, Tone::Strong)));
    }
    rows.row("", &items);
}

/// Links that stand alike, and how.
fn not_right(ui: &Ui, words: &str, link: &LinkState) -> String {
    let reason = link.reason.as_deref().map(safe_line);
    match (link.state, reason) {
        ("unknown", reason) => {
            let reason = reason.unwrap_or_default();
            ui.paint(&format!("{words} unknown ({reason})"), Tone::Dim)
        }
        (state, Some(reason)) => ui.paint(&format!("{words} {state}: {reason}"), Tone::Bad),
        (state, None) => ui.paint(&format!("{words} {state}"), Tone::Bad),
    }
}
