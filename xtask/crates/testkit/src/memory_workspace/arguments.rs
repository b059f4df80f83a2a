//! What a call says, in its query and its JSON body.

use std::borrow::Cow;

use serde_json::{Map, Value};
use xtask_remote::{Body, Request};

use super::reply::Refusal;

/// The fields of a call to MLflow; a text is a text, wherever it stood.
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    /// Reads a call. A query that names a field twice makes a list of it.
    pub(super) fn of(request: &Request) -> Result<Arguments, Refusal> {
        let mut fields = Map::new();
        for (name, value) in &request.query {
            fields.insert(name.clone(), Value::from(value.as_str()));
        }
        match &request.body {
            Body::Json(Value::Object(body)) => fields.extend(body.clone()),
            Body::Json(_) => return Err(Refusal::invalid("the body is no JSON object")),
            _ => {}
        }
        Ok(Arguments(fields))
    }

    /// A field that must be there.
    pub(super) fn required(&self, field: &str) -> Result<Cow<'_, str>, Refusal> {
        self.text(field)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| {
                Refusal::invalid(format!(
                    "Missing value for required parameter '{field}'. See the API docs for more information about \
                     request parameters."
                ))
            })
    }

    /// A field that may be missing. Numbers are taken for what they look like.
    pub(super) fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        match self.0.get(field)? {
            Value::String(text) => Some(Cow::Borrowed(text)),
            Value::Null => None,
            other => Some(Cow::Owned(other.to_string())),
        }
    }

    pub(super) fn set(&mut self, field: &str, value: &str) {
        self.0.insert(field.to_owned(), Value::from(value));
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(|value| !value.is_null())
    }

    pub(super) fn flag(&self, field: &str) -> bool {
        match self.0.get(field) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// A list of texts; a single one counts as a list.
    pub(super) fn list(&self, field: &str) -> Vec<String> {
        match self.0.get(field) {
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect(),
            Some(Value::String(text)) => vec![text.clone()],
            _ => Vec::new(),
        }
    }

    /// `[{"key", "value"}]`; of a key that is there twice the last one counts.
    pub(super) fn tags(&self) -> Vec<(String, String)> {
        let tags = self.0.get("tags").and_then(Value::as_array);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        tags.into_iter()
            .flatten()
            .map(|tag| (text(&tag["key"]), text(&tag["value"])))
            .collect()
    }

    /// How many rows a page has.
    pub(super) fn page(&self, default: usize, most: usize) -> Result<(usize, usize), Refusal> {
        let size = match self.text("max_results") {
            None => default,
            Some(text) => text
                .parse()
                .ok()
                .filter(|size| (1..=most).contains(size))
                .ok_or_else(|| {
                    Refusal::invalid(format!("Invalid value {text} for parameter 'max_results'"))
                })?,
        };
        let offset = match self.text("page_token").filter(|token| !token.is_empty()) {
            None => 0,
            Some(token) => token
                .strip_prefix("page-")
                .and_then(|offset| offset.parse().ok())
                .ok_or_else(|| Refusal::invalid("Invalid page token, could not base64-decode"))?,
        };
        Ok((size, offset))
    }
}

/// A page of rows, and the token of the next one.
pub(super) fn page_of<T>(rows: Vec<T>, (size, offset): (usize, usize)) -> (Vec<T>, Option<String>) {
    let more = rows.len() > offset + size;
    let page = rows.into_iter().skip(offset).take(size).collect();
    (page, more.then(|| format!("page-{}", offset + size)))
}
