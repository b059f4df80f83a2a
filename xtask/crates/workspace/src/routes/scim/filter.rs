//! Lists, page by page, with SCIM filters as clients send them: comparisons of an attribute with a string, joined by
//! `and` or `or`.

use serde::Deserialize;
/// Alternatives, each a list of comparisons that must all hold.
use serde_json::{Value, json};

use super::error::ScimError;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filter(Vec<Vec<Comparison>>);

#[derive(Debug, PartialEq, Eq)]
struct Comparison {
    attribute: String,
    operator: String,
    value: String,
}

impl Filter {
    /// An empty filter matches everything.
    pub(super) fn parse(text: &str) -> Result<Filter, ScimError> {
        let words = words(text);
        let mut groups = Vec::new();
        let mut group = Vec::new();
        let mut rest = words.as_slice();
        while let [attribute, operator, value, more @ ..] = rest {
            group.push(comparison(attribute, operator, value).ok_or_else(|| unclear(text))?);
            rest = match more {
                [and, next @ ..] if and.eq_ignore_ascii_case("and") && !next.is_empty() => next,
                [or, next @ ..] if or.eq_ignore_ascii_case("or") && !next.is_empty() => {
                    groups.push(std::mem::take(&mut group));
                    next
                }
                [] => more,
                _ => return Err(unclear(text)),
            };
        }
        if !rest.is_empty() {
            return Err(unclear(text));
        }
        if !group.is_empty() {
            groups.push(group);
        }
        Ok(Filter(groups))
    }

    pub(super) fn accepts(&self, resource: &Value) -> bool {
        self.0.is_empty()
            || self
                .0
                .iter()
                .any(|group| group.iter().all(|one| one.holds(resource)))
    }
}

impl Comparison {
    fn holds(&self, resource: &Value) -> bool {
        let texts = texts(resource, &self.attribute);
        let wanted = self.value.to_lowercase();
        let any = |test: fn(&str, &str) -> bool| texts.iter().any(|text| test(text, &wanted));
        match self.operator.as_str() {
            "eq" => any(|text, wanted| text == wanted),
            "ne" => !any(|text, wanted| text == wanted),
            "co" => any(|text, wanted| text.contains(wanted)),
            "sw" => any(|text, wanted| text.starts_with(wanted)),
            _ => any(|text, wanted| text.ends_with(wanted)),
        }
    }
}

fn comparison(attribute: &str, operator: &str, value: &str) -> Option<Comparison> {
    let operator = operator.to_ascii_lowercase();
    matches!(operator.as_str(), "eq" | "ne" | "co" | "sw" | "ew").then(|| Comparison {
        attribute: attribute.to_owned(),
        operator,
        value: value.to_owned(),
    })
}

fn unclear(text: &str) -> ScimError {
    ScimError::invalid(format!(
        "unsupported filter {}; a filter compares attributes by eq, ne, co, sw or ew, joined by and or or",
        text.escape_debug()
    ))
}

/// Values of an attribute in lower case: names are case-insensitive, `emails.value` looks into a list.
fn texts(resource: &Value, attribute: &str) -> Vec<String> {
    let mut found = vec![resource];
    for part in attribute.split('.') {
        found = found
            .into_iter()
            .filter_map(Value::as_object)
            .flat_map(|object| object.iter())
            .filter(|(key, _)| key.eq_ignore_ascii_case(part))
            .flat_map(|(_, value)| match value {
                Value::Array(items) => items.iter().collect(),
                other => vec![other],
            })
            .collect();
    }
    found
        .into_iter()
        .map(|value| match value {
            Value::String(text) => text.to_lowercase(),
            other => other.to_string(),
        })
        .collect()
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            quote @ ('"' | '\'') => {
                let body = &rest[1..];
                let end = body.find(quote).unwrap_or(body.len());
                (&body[..end], body.get(end + 1..).unwrap_or_default())
            }
            _ => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListQuery {
    #[serde(default)]
    filter: String,
    start_index: Option<usize>,
    count: Option<usize>,
}

const MOST: usize = 1000;

/// SCIM counts from 1.
pub(super) fn page(query: &ListQuery, resources: Vec<Value>) -> Result<Value, ScimError> {
    let filter = Filter::parse(&query.filter)?;
    let found: Vec<Value> = resources
        .into_iter()
        .filter(|resource| filter.accepts(resource))
        .collect();
    let (total, start) = (found.len(), query.start_index.unwrap_or(1).max(1));
    let page: Vec<Value> = found
        .into_iter()
        .skip(start - 1)
        .take(query.count.unwrap_or(MOST).min(MOST))
        .collect();
    Ok(json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": page.len(),
        "Resources": page,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn accepts(filter: &str) -> bool {
        let resource = json!({"displayName": "ci for prod", "applicationId": "a-1", "active": true,
            "emails": [{"value": "x@y.z"}]});
        Filter::parse(filter)
            .unwrap_or_else(|_| panic!("{filter}"))
            .accepts(&resource)
    }

    #[test]
    fn what_clients_send_is_understood() {
        for yes in [
            "",
            "displayName eq \"CI for prod\"",
            "displayname eq 'ci for prod' and applicationId eq a-1",
            "applicationId eq 'b' or displayName co \"FOR\"",
            "emails.value sw 'x@'",
            "active eq true",
            "applicationId ne b",
        ] {
            assert!(accepts(yes), "{yes}");
        }
        for no in [
            "displayName eq \"ci\"",
            "applicationId eq a-1 and active eq false",
            "nothing eq x",
        ] {
            assert!(!accepts(no), "{no}");
        }
        for wrong in ["displayName", "a gt 1", "a eq b c", "a eq b and"] {
            assert!(Filter::parse(wrong).is_err(), "{wrong}");
        }
    }
}
