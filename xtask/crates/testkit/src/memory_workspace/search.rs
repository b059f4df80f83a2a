//! Searches: the filters that Databricks documents for its registries, and no others.

use super::arguments::{Arguments, page_of};
use super::registry::{Model, Registry, Version};
use super::reply::Refusal;

/// A model, or a version of one, with its name.
pub(super) type Found<'r, T> = (&'r str, T);

/// Rows, and where the next page begins.
pub(super) type Page<T> = (Vec<T>, Option<String>);

/// `NAME = 'VALUE'`, or `name LIKE 'VALUE%'`.
enum Filter {
    All,
    Is(String, String),
    Like(String),
}

impl Filter {
    fn of(arguments: &Arguments) -> Result<Filter, Refusal> {
        let text = arguments.text("filter").unwrap_or_default();
        let text = text.trim();
        if text.is_empty() {
            return Ok(Filter::All);
        }
        let (field, rest) = text
            .split_once(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map(|(field, _)| (field, text[field.len()..].trim_start()))
            .ok_or_else(|| invalid(text))?;
        if let Some(value) = rest.strip_prefix('=').and_then(quoted) {
            return Ok(Filter::Is(field.to_owned(), value));
        }
        let like = rest.strip_prefix("LIKE ").and_then(quoted);
        match (
            field,
            like.as_deref().and_then(|value| value.strip_suffix('%')),
        ) {
            ("name", Some(start)) => Ok(Filter::Like(start.to_owned())),
            _ => Err(invalid(text)),
        }
    }
}

/// A single value in single quotes, and nothing behind it.
fn quoted(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    (!inner.contains('\'')).then(|| inner.to_owned())
}

fn invalid(filter: &str) -> Refusal {
    Refusal::invalid(format!("Invalid filter '{filter}'"))
}

/// The models that a search finds, by name.
pub(super) fn models<'r>(
    registry: &'r Registry,
    arguments: &Arguments,
) -> Result<Page<Found<'r, &'r Model>>, Refusal> {
    let page = arguments.page(100, 1000)?;
    let filter = Filter::of(arguments)?;
    let matches = |name: &str| match &filter {
        Filter::All => Ok(true),
        Filter::Is(field, value) if field == "name" => Ok(name == value),
        Filter::Is(field, _) => Err(Refusal::invalid(format!("Invalid attribute name: {field}"))),
        Filter::Like(start) => Ok(name.to_lowercase().starts_with(&start.to_lowercase())),
    };
    // Judged once, so that a field that there is not is refused by an empty registry, too.
    matches("")?;
    let mut found = Vec::new();
    for (name, model) in &registry.models {
        if matches(name)? {
            found.push((name.as_str(), model));
        }
    }
    Ok(page_of(found, page))
}

/// The versions that a search finds, the one that changed last first.
pub(super) fn versions<'r>(
    registry: &'r Registry,
    arguments: &Arguments,
) -> Result<Page<Found<'r, (u64, &'r Version)>>, Refusal> {
    let page = arguments.page(10_000, 200_000)?;
    let filter = Filter::of(arguments)?;
    let matches = |name: &str, version: &Version| match &filter {
        Filter::All => true,
        Filter::Is(field, value) if field == "name" => name == value,
        Filter::Is(_, value) => version.run_id == *value,
        Filter::Like(start) => name.to_lowercase().starts_with(&start.to_lowercase()),
    };
    if let Filter::Is(field, _) = &filter
        && !matches!(field.as_str(), "name" | "run_id")
    {
        return Err(Refusal::invalid(format!("Invalid attribute name: {field}")));
    }
    let mut found: Vec<Found<'r, (u64, &Version)>> = registry
        .models
        .iter()
        .flat_map(|(name, model)| model.alive().map(|version| (name.as_str(), version)))
        .filter(|(name, (_, version))| matches(name, version))
        .collect();
    let order = arguments.list("order_by");
    match order.first().map(String::as_str) {
        None => found.sort_by(
            |(name, (number, version)), (other_name, (other_number, other))| {
                (other.updated, *name, other_number).cmp(&(version.updated, *other_name, number))
            },
        ),
        Some("version_number DESC") => {
            found.sort_by_key(|(name, (number, _))| (std::cmp::Reverse(*number), *name))
        }
        Some("version_number ASC" | "version_number") => {
            found.sort_by_key(|(name, (number, _))| (*number, *name));
        }
        Some(other) => return Err(Refusal::unknown(format!("a search ordered by {other}"))),
    }
    Ok(page_of(found, page))
}
