//! Paging of long lists.

use maud::{Markup, html};
use serde::Deserialize;

use super::formatting::{count, counted};

/// Rows per page.
pub(super) const ROWS: u32 = 50;

#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    page: u32,
    total: i64,
}

/// `?page=2`; an invalid number means the first page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PageQuery {
    #[serde(default)]
    page: String,
}

impl Part {
    /// The requested page, or the last one.
    pub(super) fn of(asked: &PageQuery, total: i64) -> Part {
        let last = u32::try_from((total.max(1) - 1) / i64::from(ROWS)).unwrap_or(u32::MAX) + 1;
        Part {
            page: asked.page.parse().unwrap_or(1).clamp(1, last),
            total,
        }
    }

    pub(super) fn offset(self) -> u32 {
        (self.page - 1) * ROWS
    }

    /// Row numbers and links to the other pages. `address` ends in `?` or `&`.
    pub(super) fn links(self, what: &str, address: &str) -> Markup {
        let first = i64::from(self.offset()) + 1;
        let last = (first + i64::from(ROWS) - 1).min(self.total);
        if self.total <= i64::from(ROWS) {
            return html! { p.dim { (counted(self.total, what)) } };
        }
        html! {
            nav.pages aria-label="Pages" {
                span.dim { (count(first)) "–" (count(last)) " of " (counted(self.total, what)) }
                @if self.page > 1 { a rel="prev" href={ (address) "page=" (self.page - 1) } { "Newer" } }
                @if last < self.total { a rel="next" href={ (address) "page=" (self.page + 1) } { "Older" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_beyond_the_end_is_the_last_one() {
        let part = |page: &str, total| {
            let page = page.to_owned();
            Part::of(&PageQuery { page }, total)
        };
        assert_eq!(part("", 0).offset(), 0);
        assert_eq!(part("0", 10).offset(), 0);
        assert_eq!(part("x", 10).offset(), 0);
        assert_eq!(part("9", 120).offset(), 100);
        assert_eq!(part("2", 100).offset(), 50);
        let shown = part("2", 10_000).links("run", "/?").into_string();
        assert!(shown.contains("51–100 of 10,000 runs"), "{shown}");
        assert!(
            shown.contains("/?page=1") && shown.contains("/?page=3"),
            "{shown}"
        );
    }
}
