//! Errors in GitHub's format: HTTP 200, and a list with message, place and type.

use apollo_compiler::executable::ExecutableDocument;
use apollo_compiler::request::RequestError;
use apollo_compiler::response::ExecutionResponse;
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{Node, ast};
use serde_json::{Value, json};

use crate::refusal::Refusal;

/// Separates type and message of an error, because the executor passes on only one string.
const MARK: char = '\u{1f}';

/// Encodes a refusal for the executor.
pub(super) fn text_of(refusal: &Refusal) -> String {
    format!("{}{MARK}{}", refusal.graphql_type(), refusal.sentence())
}

pub(super) fn plain(message: impl std::fmt::Display) -> Value {
    json!({"errors": [{"message": message.to_string()}]})
}

/// Decodes the refusals in an executed response.
pub(super) fn executed(query: &str, response: ExecutionResponse) -> Value {
    let mut reply = json!({"data": response.data});
    if response.errors.is_empty() {
        return reply;
    }
    let fields = Fields::of(query);
    let errors = response.errors.iter().map(|error| {
        let places = error
            .locations
            .iter()
            .map(|place| fields.start(place.line, place.column));
        let text = error.message.trim_start_matches("resolver error: ");
        let mut shown =
            json!({"path": error.path, "locations": places.collect::<Value>(), "message": text});
        if let Some((kind, message)) = text.split_once(MARK) {
            shown["type"] = kind.into();
            shown["message"] = message.into();
        }
        shown
    });
    reply["errors"] = errors.collect();
    reply
}

pub(super) fn variables(error: &RequestError, document: &Valid<ExecutableDocument>) -> Value {
    let error = error.to_graphql_error(&document.sources);
    json!({"errors": [{"message": error.message, "locations": error.locations}]})
}

/// Whether the only errors are fields with the same name and different types.
pub(super) fn are_harmless(errors: &DiagnosticList) -> bool {
    errors
        .iter()
        .all(|found| found.error.unstable_error_name() == Some("ConflictingFieldType"))
}

/// A document that does not match the schema.
pub(super) fn invalid(query: &str, errors: &DiagnosticList) -> Value {
    let fields = Fields::of(query);
    // Unknown fields inside it are reported already.
    let follows = |name: Option<&str>| name == Some("MissingSubselection") && errors.len() > 1;
    let errors = errors
        .iter()
        .filter(|found| !follows(found.error.unstable_error_name()))
        .map(|diagnostic| {
            let found = diagnostic.to_json();
            let mut shown = json!({"locations": found.locations, "message": found.message});
            if let Some(place) = found.locations.first() {
                shown["path"] = fields.path(place.line, place.column).into();
            }
            match (
                diagnostic.error.unstable_error_name(),
                quoted(&found.message),
            ) {
                (Some("UndefinedField"), Some((kind, field))) => {
                    shown["message"] =
                        format!("Field '{field}' doesn't exist on type '{kind}'").into();
                    shown["extensions"] =
                        json!({"code": "undefinedField", "typeName": kind, "fieldName": field});
                }
                (Some(name), _) => shown["extensions"] = json!({"code": lower_first(name)}),
                (None, _) => {}
            }
            shown
        });
    json!({"errors": errors.collect::<Value>()})
}

/// Type and field in "type `T` does not have a field `f`".
fn quoted(message: &str) -> Option<(&str, &str)> {
    let mut parts = message.split('`').skip(1).step_by(2);
    Some((parts.next()?, parts.next()?))
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

struct Place {
    start: (usize, usize),
    name: (usize, usize),
    path: Vec<String>,
}

/// The fields of a document with their positions and paths.
struct Fields(Vec<Place>);

impl Fields {
    fn of(query: &str) -> Fields {
        let document = match ast::Document::parse(query, "query") {
            Ok(document) => document,
            Err(broken) => broken.partial,
        };
        let mut fields = Fields(Vec::new());
        for definition in &document.definitions {
            let (start, selections) = match definition {
                ast::Definition::OperationDefinition(operation) => {
                    let name = operation
                        .name
                        .as_ref()
                        .map(|name| format!(" {name}"))
                        .unwrap_or_default();
                    (
                        format!("{}{name}", operation.operation_type),
                        &operation.selection_set,
                    )
                }
                ast::Definition::FragmentDefinition(fragment) => (
                    format!("fragment {}", fragment.name),
                    &fragment.selection_set,
                ),
                _ => continue,
            };
            fields.walk(&document, &[start], selections);
        }
        fields
    }

    fn walk(&mut self, document: &ast::Document, path: &[String], selections: &[ast::Selection]) {
        for selection in selections {
            match selection {
                ast::Selection::Field(field) => {
                    let path = [path, &[field.response_name().to_string()]].concat();
                    self.0.extend(place(document, field, path.clone()));
                    self.walk(document, &path, &field.selection_set);
                }
                ast::Selection::InlineFragment(fragment) => {
                    let condition = fragment.type_condition.as_ref();
                    let step = condition.map_or("...".to_owned(), |name| format!("... on {name}"));
                    self.walk(document, &[path, &[step]].concat(), &fragment.selection_set);
                }
                ast::Selection::FragmentSpread(_) => {}
            }
        }
    }

    /// The path to the field at a position, or to the last one before it.
    fn path(&self, line: usize, column: usize) -> Vec<String> {
        let before = self.0.iter().filter(|place| place.start <= (line, column));
        let nearest = before.max_by_key(|place| place.start);
        nearest.map(|place| place.path.clone()).unwrap_or_default()
    }

    /// The start of the field whose name is at a position.
    fn start(&self, line: usize, column: usize) -> Value {
        let named = self.0.iter().find(|place| place.name == (line, column));
        let (line, column) = named.map_or((line, column), |place| place.start);
        json!({"line": line, "column": column})
    }
}

fn place(document: &ast::Document, field: &Node<ast::Field>, path: Vec<String>) -> Option<Place> {
    let start = field
        .location()?
        .line_column_range(&document.sources)?
        .start;
    let name = field
        .name
        .location()?
        .line_column_range(&document.sources)?
        .start;
    Some(Place {
        start: (start.line, start.column),
        name: (name.line, name.column),
        path,
    })
}
