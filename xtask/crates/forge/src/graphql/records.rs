//! Small objects, and connections (paged lists).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::object::{Args, Given, Out, Thing, leaf, record, unanswered};
use crate::refusal::Refusal;

pub(super) fn field(fields: &[(&'static str, Out)], name: &str) -> Given {
    match fields.iter().find(|(known, _)| *known == name) {
        Some((_, out)) => Ok(out.clone()),
        None => unanswered("a record", name),
    }
}

#[derive(Debug)]
pub(super) struct Connection {
    page: Vec<Thing>,
    /// Number of items before the page.
    offset: usize,
    total: usize,
    extra: Vec<(&'static str, Out)>,
}

/// The page that `first`, `after`, `last` and `before` select.
pub(super) fn page(all: impl IntoIterator<Item = Thing>, args: &Args) -> Given {
    page_with(all, args, Vec::new())
}

pub(super) fn page_with(
    all: impl IntoIterator<Item = Thing>,
    args: &Args,
    extra: Vec<(&'static str, Out)>,
) -> Given {
    let all: Vec<Thing> = all.into_iter().collect();
    let total = all.len();
    let size = |name: &str| match args.number(name) {
        Some(size) if size > 100 => Err(Refusal::unprocessable(format!(
            "Requesting {size} records on the `{}` connection exceeds the `{name}` limit of 100 records.",
            args.field_type().trim_end_matches("Connection")
        ))),
        size => Ok(size.map(|size| usize::try_from(size).unwrap_or(100))),
    };
    let (first, last) = (size("first")?, size("last")?);
    let mut start = match args.text("after") {
        Some(cursor) => position(cursor)?.min(total),
        None => 0,
    };
    let mut end = match args.text("before") {
        Some(cursor) => position(cursor)?.saturating_sub(1).clamp(start, total),
        None => total,
    };
    if let Some(first) = first {
        end = end.min(start + first);
    }
    if let Some(last) = last {
        start = start.max(end.saturating_sub(last));
    }
    let page = all.into_iter().skip(start).take(end - start).collect();
    Ok(Out::One(Thing::Connection(Arc::new(Connection {
        page,
        offset: start,
        total,
        extra,
    }))))
}

/// Opaque to clients: the number of the item, from 1.
fn cursor(number: usize) -> String {
    STANDARD.encode(format!("cursor:v1:{number}"))
}

fn position(cursor: &str) -> Result<usize, Refusal> {
    let decoded = STANDARD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let number = decoded.and_then(|text| text.strip_prefix("cursor:v1:")?.parse().ok());
    number.ok_or_else(|| {
        Refusal::unprocessable(format!("`{cursor}` does not appear to be a valid cursor."))
    })
}

pub(super) fn connection(connection: &Connection, name: &str) -> Given {
    let numbered = || connection.page.iter().zip(connection.offset + 1..);
    Ok(match name {
        "nodes" => Out::list(connection.page.iter().cloned()),
        "totalCount" | "issueCount" => leaf(connection.total),
        "edges" => Out::list(numbered().map(|(thing, number)| edge(thing.clone(), number))),
        "pageInfo" => {
            let end = connection.offset + connection.page.len();
            let cursor_of = |number: usize| {
                if connection.page.is_empty() {
                    Out::NULL
                } else {
                    leaf(cursor(number))
                }
            };
            Out::One(record(vec![
                ("startCursor", cursor_of(connection.offset + 1)),
                ("endCursor", cursor_of(end)),
                ("hasNextPage", leaf(end < connection.total)),
                ("hasPreviousPage", leaf(connection.offset > 0)),
            ]))
        }
        name => match connection.extra.iter().find(|(known, _)| *known == name) {
            Some((_, out)) => out.clone(),
            None => return unanswered("a connection", name),
        },
    })
}

pub(super) fn edge(node: Thing, number: usize) -> Thing {
    record(vec![
        ("cursor", leaf(cursor(number))),
        ("node", Out::One(node)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back() {
        assert_eq!(position(&cursor(7)).unwrap(), 7);
        assert!(position("7").is_err());
    }
}
