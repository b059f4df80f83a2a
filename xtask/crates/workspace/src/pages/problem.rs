//! Errors as pages: what failed, and the next step.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::layout::{Room, frame};
use crate::error::ApiError;
use crate::store::StoreError;

/// What a page's handler answers.
pub(super) type Reply = Result<Markup, Problem>;

/// An error that a person reads.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    title: String,
    text: String,
    next: Next,
}

/// Where to go from an error.
#[derive(Debug)]
enum Next {
    /// A page: name and address.
    Page(String, String),
    /// A command.
    Type(&'static str),
}

impl Problem {
    /// Something that is not here, and the list where its like are found.
    pub(super) fn absent(title: impl Into<String>, text: &str, list: (&str, &str)) -> Problem {
        Problem {
            status: StatusCode::NOT_FOUND,
            title: title.into(),
            text: text.to_owned(),
            next: Next::Page(list.0.to_owned(), list.1.to_owned()),
        }
    }

    /// A form that was refused, and the page it stands on.
    pub(super) fn refused(title: &str, error: &ApiError, back: (&str, &str)) -> Problem {
        Problem {
            status: error.status,
            title: title.to_owned(),
            text: error.message.clone(),
            next: Next::Page(back.0.to_owned(), back.1.to_owned()),
        }
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Problem {
        let (title, next) = match error.status {
            StatusCode::NOT_FOUND => (
                "This is not here",
                Next::Page("Runs".to_owned(), "/".to_owned()),
            ),
            status if status.is_client_error() => (
                "This address asks for something that cannot be",
                Next::Page("Runs".to_owned(), "/".to_owned()),
            ),
            _ => (
                "The workspace could not answer",
                Next::Type("cargo xtask workspace logs"),
            ),
        };
        Problem {
            status: error.status,
            title: title.to_owned(),
            text: error.message,
            next,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        ApiError::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let content = html! {
            div.problem {
                h1 { (self.title) }
                p { (self.text) }
                p.next {
                    @match &self.next {
                        Next::Page(name, address) => { a.button href=(address) { "Go to " (name) } }
                        Next::Type(command) => { "Its log says more: type " code { (command) } }
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

/// The page for an address that nothing answers.
pub(crate) fn no_such_page(path: &str) -> Response {
    Problem::absent(
        "There is no such page",
        &format!("The local workspace shows nothing at {path}."),
        ("Runs", "/"),
    )
    .into_response()
}
