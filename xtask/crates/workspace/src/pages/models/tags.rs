//! A model's tags: addresses as links, anything else as text.

use std::collections::BTreeMap;

use maud::{Markup, html};

/// What the keys of a project's links begin with; docs/records.md names them.
const LINK: &str = "mlops_link_";

/// The links, each under its name, and the other tags beside their keys.
pub(super) fn show(tags: &BTreeMap<String, String>) -> Markup {
    let (links, others): (Vec<_>, Vec<_>) = tags
        .iter()
        .partition(|(key, value)| key.starts_with(LINK) && is_address(value));
    html! {
        @if !links.is_empty() {
            p.facts-line aria-label="Links" {
                @for (key, address) in links { a href=(address) { (name(key)) } " " }
            }
        }
        @if !others.is_empty() {
            dl.facts { @for (key, value) in others {
                dt { (key) } dd { @if is_address(value) { a href=(value) { (value) } } @else { (value) } }
            } }
        }
    }
}

/// `Training job` for `mlops_link_training_job`.
fn name(key: &str) -> String {
    let words = key.trim_start_matches(LINK).replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Anybody may write a tag: only what a browser fetches becomes a link.
fn is_address(value: &str) -> bool {
    ["https://", "http://"]
        .iter()
        .any(|scheme| value.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_links_and_nothing_else_is() {
        let tags = BTreeMap::from([
            ("mlops_link_training_job".into(), "http://h/jobs/1".into()),
            ("mlops_link_versions".into(), "javascript:alert(1)".into()),
            ("team".into(), "<b>".into()),
        ]);
        let shown = show(&tags).into_string();
        assert!(
            shown.contains("<a href=\"http://h/jobs/1\">Training job</a>"),
            "{shown}"
        );
        assert!(shown.contains("&lt;b&gt;"), "{shown}");
        assert!(!shown.contains("href=\"javascript"), "{shown}");
    }
}
