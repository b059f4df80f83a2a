//! Filtered, paged lists.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ScimError;
use super::filter::Filter;

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
