//! A table of files and folders.

use maud::{Markup, html};

use super::addresses::path;
use super::formatting::{size, time};
use crate::files::Entry;

const MOST: usize = 1000;

/// Folders first. `inside` is the address of an entry's page.
pub(super) fn table(caption: &str, entries: &[Entry], inside: impl Fn(&Entry) -> String) -> Markup {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|entry| (!entry.is_dir, &entry.name));
    html! {
        div.wide { table.list {
            caption.unseen { (caption) }
            thead { tr { th scope="col" { "Name" } th.number scope="col" { "Size" } th scope="col" { "Changed" } } }
            tbody { @for entry in sorted.iter().take(MOST) {
                tr {
                    th scope="row" { a href=(inside(entry)) { (entry.name) @if entry.is_dir { "/" } } }
                    td.number { @if !entry.is_dir { (size(entry.size)) } }
                    td.dim { (time(entry.modified_at)) }
                }
            } }
        } }
        @if sorted.len() > MOST { p.dim { "And " (sorted.len() - MOST) " more." } }
    }
}

/// The address of a file in the Files API.
pub(super) fn download(area: &str, names: &[&str]) -> String {
    let mut all = vec!["api", "2.0", "fs", "files", area];
    all.extend(names);
    path(&all)
}
