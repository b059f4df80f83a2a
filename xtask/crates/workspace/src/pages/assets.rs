//! Style, scripts and icon of the pages, embedded in the binary.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;

use crate::call::Routes;

pub(super) struct Asset {
    pub path: &'static str,
    kind: &'static str,
    pub text: &'static str,
}

pub(super) const STYLE: Asset = Asset {
    path: "/assets/workspace.css",
    kind: "text/css; charset=utf-8",
    text: include_str!("assets/workspace.css"),
};
pub(super) const SCRIPT: Asset = Asset {
    path: "/assets/workspace.js",
    kind: "text/javascript; charset=utf-8",
    text: include_str!("assets/workspace.js"),
};
/// Changes one tree of elements into another, and keeps focus, scroll position and open details.
pub(super) const MORPH: Asset = Asset {
    path: "/assets/idiomorph.js",
    kind: "text/javascript; charset=utf-8",
    text: include_str!("assets/idiomorph-0.8.0.min.js"),
};
pub(super) const ICON: Asset = Asset {
    path: "/assets/icon.svg",
    kind: "image/svg+xml",
    text: include_str!("assets/icon.svg"),
};

pub(super) fn router() -> Routes {
    let mut router = Routes::new();
    for asset in [&STYLE, &SCRIPT, &MORPH, &ICON] {
        router = router.route(
            asset.path,
            get(|| async {
                (
                    [(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, "no-cache")],
                    asset.text,
                )
            }),
        );
    }
    router
}
