//! What all pages share: the frame around their content.

use axum::response::IntoResponse as _;
use maud::{DOCTYPE, Markup, html};

use super::assets;
use crate::state::App;

/// Which part of the workspace a page belongs to: what the navigation shows as current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Runs,
    Jobs,
    Models,
    Experiments,
    Volumes,
    /// None of them, such as an error.
    Other,
}

const ROOMS: [(Room, &str, &str); 5] = [
    (Room::Runs, "Runs", "/"),
    (Room::Jobs, "Jobs", "/jobs"),
    (Room::Models, "Models", "/models"),
    (Room::Experiments, "Experiments", "/ml/experiments"),
    (Room::Volumes, "Volumes", "/explore/data"),
];

/// A page of this workspace.
pub(super) fn page(app: &App, room: Room, title: &str, content: &Markup) -> Markup {
    frame(Some(&app.identity.user_name), room, title, false, content)
}

/// A page that goes on changing: its script fetches it again and again, and shows what has changed.
pub(super) fn live_page(
    app: &App,
    room: Room,
    title: &str,
    live: bool,
    content: &Markup,
) -> Markup {
    frame(Some(&app.identity.user_name), room, title, live, content)
}

/// The document itself. `user` is not known where a page tells of an error.
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
                        noscript { p.dim { "This page changes while it runs. Load it again to see how far it is." } }
                    }
                }
            }
        }
    }
}

/// The way up to where a page hangs, as (name, address).
pub(super) fn crumbs(steps: &[(&str, &str)]) -> Markup {
    html! {
        nav.crumbs aria-label="Breadcrumb" {
            ol { @for (name, address) in steps { li { a href=(address) { (name) } } } }
        }
    }
}

/// A list that has nothing yet, with what to type.
pub(super) fn empty(what: &str, command: &str) -> Markup {
    html! { div.empty { p { (what) } p { "Type " code { (command) } " in the project's folder." } } }
}

/// A page as a reply that the browser goes to after a form.
pub(super) fn see(address: &str) -> axum::response::Response {
    axum::response::Redirect::to(address).into_response()
}
