//! The GraphQL API: documents are parsed, validated and executed against a part of GitHub's own schema.
//!
//! `apollo-compiler` implements the language; [`object`] dispatches to the other modules, each of which implements the
//! fields of some types.

mod actions;
mod checks;
mod commits;
mod conversation;
mod errors;
mod mutations;
mod object;
mod people;
mod pulls;
mod query;
mod queues;
mod records;
mod refs;
mod repositories;
mod search;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use apollo_compiler::resolvers::Execution;
use apollo_compiler::response::JsonMap;
use apollo_compiler::schema::Implementers;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name, Schema};
use serde_json::Value;

use crate::call::{Answer, Call, Reply};
use crate::refusal::Refusal;
use crate::view::View;
use object::{Object, Scope, Thing};

/// The implemented part of GitHub's schema.
const SCHEMA: &str = include_str!("../schema/github.graphql");

/// The schema, and the interfaces of each type.
struct Known {
    schema: Valid<Schema>,
    implementers: apollo_compiler::collections::HashMap<Name, Implementers>,
}

fn known() -> Result<&'static Known, Refusal> {
    static KNOWN: OnceLock<Result<Known, String>> = OnceLock::new();
    let read = || {
        let schema = Schema::parse_and_validate(SCHEMA, "github.graphql")
            .map_err(|error| error.to_string())?;
        let implementers = schema.implementers_map();
        Ok(Known {
            schema,
            implementers,
        })
    };
    KNOWN
        .get_or_init(read)
        .as_ref()
        .map_err(|error| Refusal::internal(error))
}

pub(crate) fn answer(call: &Call) -> Answer {
    let body = call.json();
    let Some(query) = body.get("query").and_then(Value::as_str) else {
        return Ok(Reply::json(errors::plain(
            "A query attribute must be specified and must be a string.",
        )));
    };
    let operation = body
        .get("operationName")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty());
    let variables = body.get("variables").cloned().unwrap_or_default();
    Ok(Reply::json(execute(call, query, operation, variables)?))
}

fn execute(
    call: &Call,
    query: &str,
    operation: Option<&str>,
    variables: Value,
) -> Result<Value, Refusal> {
    let known = known()?;
    let document = match ExecutableDocument::parse_and_validate(&known.schema, query, "query") {
        Ok(document) => document,
        // GitHub allows one response name for a `String` and a `String!`, and gh relies on it.
        Err(broken) if errors::are_harmless(&broken.errors) => Valid::assume_valid(broken.partial),
        Err(broken) => return Ok(errors::invalid(query, &broken.errors)),
    };
    let root = match document.operations.get(operation) {
        Ok(root) if root.is_mutation() => Thing::Mutation,
        Ok(_) => Thing::Query,
        Err(error) => return Ok(errors::plain(error.message())),
    };
    let variables = match serde_json::from_value::<JsonMap>(variables) {
        Ok(variables) => variables,
        Err(_) => JsonMap::new(),
    };
    let scope = Scope {
        view: View::clone(call),
        viewer: call.user()?,
        may_write: call.may_write(),
    };
    let object = Object::new(Arc::new(scope), root, "");
    let execution = Execution::new(&known.schema, &document)
        .implementers_map(&known.implementers)
        .raw_variable_values(&variables)
        .enable_schema_introspection(true)
        .operation_name(operation);
    let outcome = execution.and_then(|execution| execution.execute_sync(&object));
    match outcome {
        Ok(response) => Ok(errors::executed(query, response)),
        Err(error) => Ok(errors::variables(&error, &document)),
    }
}

fn counts<'n>(names: impl Iterator<Item = &'n str>) -> Vec<(String, usize)> {
    let mut counts = HashMap::new();
    for name in names {
        *counts.entry(name.to_owned()).or_insert(0) += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort();
    counts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_schema_is_valid() {
        assert!(known().is_ok(), "{:?}", known().err());
        assert_eq!(
            json!(counts(["b", "a", "b"].into_iter())),
            json!([["a", 1], ["b", 2]])
        );
    }
}
