//! Pages while MLflow does not answer, and links to the next page of its lists.

use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::layout::{Room, live_page};
use crate::mlflow;
use crate::state::App;

/// `?from=…`: MLflow's page token.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TokenQuery {
    #[serde(default)]
    pub from: String,
}

/// Replaces a page that needs MLflow; `None` if MLflow answers.
pub(super) fn not_ready(app: &App, room: Room, title: &str) -> Option<Markup> {
    let status = mlflow::status(app);
    let content = match status.state {
        "ready" => return None,
        "starting" => html! {
            h1 { (title) }
            div.empty role="status" {
                p { "MLflow is starting; this takes a few seconds." }
                p { "This page loads as soon as MLflow is ready. " a href="" { "Load it again" } }
            }
        },
        _ => html! {
            h1 { (title) }
            div.problem {
                p { "MLflow is not running: " (status.message.as_deref().unwrap_or("it said nothing")) }
                p { "It is being restarted. Its log is " code { (status.log) } "; "
                    code { "cargo xtask workspace logs" } " shows the workspace's." }
            }
        },
    };
    Some(live_page(app, room, title, true, &content))
}

/// A link to the next page of a list.
pub(super) fn more(next: &Option<String>, address: &str) -> Markup {
    html! {
        @if let Some(token) = next {
            nav.pages aria-label="Pages" {
                a rel="next" href={ (address) "from=" (utf8_percent_encode(token, NON_ALPHANUMERIC)) } { "More" }
            }
        }
    }
}
