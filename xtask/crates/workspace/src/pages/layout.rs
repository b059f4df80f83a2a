//! The frame around all pages.

use axum::response::IntoResponse as _;
use maud::{DOCTYPE, Markup, html};

use super::assets;
use crate::state::App;

/// The navigation entry that is shown as current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Runs,
    Jobs,
    Models,
    Experiments,
    Volumes,
    /// None, for example on an error page.
    Other,
}

const ROOMS: [(Room, &str, &str); 5] = [
    (Room::Runs, "Runs", "/"),
    (Room::Jobs, "Jobs", "/jobs"),
    (Room::Models, "Models", "/models"),
    (Room::Experiments, "Experiments", "/ml/experiments"),
    (Room::Volumes, "Volumes", "/explore/data"),
];

pub(super) fn page(app: &App, room: Room, title: &str, content: &Markup) -> Markup {
    frame(Some(&app.identity.user_name), room, title, false, content)
}

/// A page that updates itself: its script fetches it repeatedly and shows what has changed.
pub(super) fn live_page(
    app: &App,
    room: Room,
    title: &str,
    live: bool,
    content: &Markup,
) -> Markup {
    frame(Some(&app.identity.user_name), room, title, live, content)
}

/// The document. `user` is unknown on error pages.
pub(super) fn frame(
    user: Option<&str>,
    room: Room,
    title: &str,
    live: bool,
    content: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · local workspace" }
                link rel="icon" href=(assets::ICON.path) type="image/svg+xml";
                link rel="stylesheet" href=(assets::STYLE.path);
                script defer src=(assets::MORPH.path) {}
                script defer src=(assets::SCRIPT.path) {}
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header.top {
                    a.brand href="/" { "Local workspace" }
                    nav aria-label="Workspace" {
                        @for (each, name, address) in ROOMS {
                            a href=(address) aria-current=[(each == room).then_some("page")] { (name) }
                        }
                        a href="/mlflow/" { "MLflow" }
                    }
                    @if let Some(user) = user { span.who { (user) } }
                }
                main id="content" tabindex="-1" data-live=(live) {
                    (content)
                    @if live {
                        noscript { p.dim { "This page updates itself with JavaScript. Reload it to see the progress." } }
                    }
                }
            }
        }
    }
}

/// Breadcrumbs, as (name, address).
pub(super) fn crumbs(steps: &[(&str, &str)]) -> Markup {
    html! {
        nav.crumbs aria-label="Breadcrumb" {
            ol { @for (name, address) in steps { li { a href=(address) { (name) } } } }
        }
    }
}

/// For an empty list: a message and the command that fills it.
pub(super) fn empty(what: &str, command: &str) -> Markup {
    html! { div.empty { p { (what) } p { "Type " code { (command) } " in the project's folder." } } }
}

/// A redirect after a form (303).
pub(super) fn see(address: &str) -> axum::response::Response {
    axum::response::Redirect::to(address).into_response()
}
