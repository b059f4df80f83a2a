//! Error pages: what failed, and what to do next.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::layout::{Room, frame};
use crate::error::ApiError;
use crate::store::StoreError;

pub(super) type Reply = Result<Markup, ErrorPage>;

#[derive(Debug)]
pub(super) struct ErrorPage {
    status: StatusCode,
    title: String,
    text: String,
    next: Next,
}

/// The next step.
#[derive(Debug)]
enum Next {
    Page(String, String),
    Type(&'static str),
}

impl ErrorPage {
    /// 404, with a link to the list of similar objects.
    pub(super) fn absent(title: impl Into<String>, text: &str, list: (&str, &str)) -> ErrorPage {
        ErrorPage {
            status: StatusCode::NOT_FOUND,
            title: title.into(),
            text: text.to_owned(),
            next: Next::Page(list.0.to_owned(), list.1.to_owned()),
        }
    }

    /// A refused form, with a link back to its page.
    pub(super) fn refused(title: &str, error: &ApiError, back: (&str, &str)) -> ErrorPage {
        ErrorPage {
            status: error.status,
            title: title.to_owned(),
            text: error.message.clone(),
            next: Next::Page(back.0.to_owned(), back.1.to_owned()),
        }
    }
}

impl From<ApiError> for ErrorPage {
    fn from(error: ApiError) -> ErrorPage {
        let (title, next) = match error.status {
            StatusCode::NOT_FOUND => (
                "This is not here",
                Next::Page("Runs".to_owned(), "/".to_owned()),
            ),
            status if status.is_client_error() => (
                "Invalid address",
                Next::Page("Runs".to_owned(), "/".to_owned()),
            ),
            _ => (
                "The workspace failed",
                Next::Type("cargo xtask workspace logs"),
            ),
        };
        ErrorPage {
            status: error.status,
            title: title.to_owned(),
            text: error.message,
            next,
        }
    }
}

impl From<StoreError> for ErrorPage {
    fn from(error: StoreError) -> ErrorPage {
        ApiError::from(error).into()
    }
}

impl IntoResponse for ErrorPage {
    fn into_response(self) -> Response {
        let content = html! {
            div.problem {
                h1 { (self.title) }
                p { (self.text) }
                p.next {
                    @match &self.next {
                        Next::Page(name, address) => { a.button href=(address) { "Go to " (name) } }
                        Next::Type(command) => { "For details, run " code { (command) } }
                    }
                }
            }
        };
        (
            self.status,
            frame(None, Room::Other, &self.title, false, &content),
        )
            .into_response()
    }
}

/// For an unknown address.
pub(crate) fn no_such_page(path: &str) -> Response {
    ErrorPage::absent(
        "Page not found",
        &format!("The local workspace has no page {path}."),
        ("Runs", "/"),
    )
    .into_response()
}
