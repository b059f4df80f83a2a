//! What `--json` prints, compared with its schema in docs/schemas.

use std::borrow::BorrowMut;
use std::process::Command;

use serde_json::Value;

use crate::project::Said;
use crate::repository::repository;

impl Said {
    /// Runs a command of xtask to its end. What it prints with `--json` must be as docs/schemas says.
    ///
    /// # Panics
    /// When it cannot be started, or its answer is another.
    pub fn of(mut command: impl BorrowMut<Command>) -> Said {
        let command = command.borrow_mut();
        let said = Said::from(command.output().expect("xtask starts"));
        check(command, &said);
        said
    }
}

/// Expects that the answer of a command is as its schema says; nothing is expected of one without `--json`.
///
/// # Panics
/// When it is no JSON object, or another one.
fn check(command: &Command, said: &Said) {
    let whole: Vec<&str> = command.get_args().filter_map(|a| a.to_str()).collect();
    let is_xtask = |program: &str| program.ends_with("/xtask-mlops");
    // Another program may run xtask: its own arguments come first. The Databricks CLI has a `--json`, too.
    let arguments = match whole.iter().rposition(|argument| is_xtask(argument)) {
        Some(at) => &whole[at + 1..],
        None if command.get_program().to_str().is_some_and(is_xtask) => &whole[..],
        None => return,
    };
    // What the command line's parser refuses prints nothing, and what a signal ends may not.
    let prints = said.code.is_some() && !(said.code == Some(2) && said.stdout.is_empty());
    if arguments.contains(&"--json") && prints {
        let wrong = differences(&name(arguments), &said.stdout);
        assert!(
            wrong.is_empty(),
            "{arguments:?}: {wrong:#?}\n{}\n{}",
            said.stdout,
            said.stderr
        );
    }
}

/// The name of a command's schema.
fn name(arguments: &[&str]) -> String {
    let mut words = arguments.iter().filter(|word| !word.starts_with('-'));
    let command = words.next().copied().unwrap_or_default();
    let has = |option: &str| {
        let is = |word: &&str| *word == option || word.starts_with(&format!("{option}="));
        arguments.iter().any(is)
    };
    match command {
        "data" | "model" | "workspace" => {
            const SECOND: &[&str] = &[
                "make",
                "upload",
                "pull",
                "smoke",
                "up",
                "down",
                "status",
                "env",
                "principal",
                "open",
                "logs",
                "reset",
                "conformance",
            ];
            let second = words.find(|word| SECOND.contains(word));
            format!("{command}-{}", second.copied().unwrap_or_default())
        }
        "promote" if has("--code") => "promote-code".to_owned(),
        "promote" if has("--undo") => "promote-undo".to_owned(),
        "promote" if has("--history") => "promote-history".to_owned(),
        command => command.to_owned(),
    }
}

/// How the answer of a command differs from the schema of this name.
///
/// # Panics
/// When there is no such schema.
#[must_use]
pub fn differences(name: &str, answer: &str) -> Vec<String> {
    let answer: Value = match serde_json::from_str(answer) {
        Ok(answer) => answer,
        Err(error) => return vec![format!("it is not one JSON object: {error}")],
    };
    // A command without an object of its own prints lines, and one that failed before its answer only the error.
    let fields: Vec<&String> = answer
        .as_object()
        .into_iter()
        .flat_map(|o| o.keys())
        .collect();
    let name = match fields.as_slice() {
        [only] if *only == "error" => "error",
        _ if fields.iter().any(|field| *field == "lines") => "lines",
        _ => name,
    };
    let file = format!("{name}.json");
    let mut wrong = Vec::new();
    is(&file, &read(&file), &answer, "", &mut wrong);
    wrong
}

fn read(file: &str) -> Value {
    let path = repository().join("docs/schemas").join(file);
    let text = std::fs::read(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
    serde_json::from_slice(&text).expect("a schema")
}

/// The part of JSON Schema that the files use.
fn is(file: &str, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    if let Some(target) = schema["$ref"].as_str() {
        let (other, path) = target.split_once('#').expect("a reference");
        let file = if other.is_empty() { file } else { other };
        let whole = read(file);
        let target = whole.pointer(path).expect("what is referred to");
        return is(file, target, value, at, wrong);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = |choice: &&Value| (choice["type"] == "null") == value.is_null();
        match choices.iter().find(fits) {
            Some(choice) => return is(file, choice, value, at, wrong),
            None => return wrong.push(format!("{at}: {value} fits none")),
        }
    }
    let allowed: Vec<&Value> = match &schema["enum"] {
        Value::Array(values) => values.iter().collect(),
        _ => schema.get("const").into_iter().collect(),
    };
    if !allowed.is_empty() && !allowed.contains(&value) {
        wrong.push(format!("{at}: {value} is none of {allowed:?}"));
    }
    has_type(&schema["type"], value, at, wrong);
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        let at = format!("{at}/{index}");
        is(file, &schema["items"], item, &at, wrong);
    }
    let Some(fields) = value.as_object() else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if name.as_str().is_none_or(|name| !fields.contains_key(name)) {
            wrong.push(format!("{at}: {name} is missing"));
        }
    }
    let more = &schema["additionalProperties"];
    for (name, field) in fields {
        let at = format!("{at}/{name}");
        match (schema["properties"].get(name), more) {
            (Some(property), _) => is(file, property, field, &at, wrong),
            (None, Value::Bool(false)) => wrong.push(format!("{at} is not described")),
            (None, Value::Object(_)) => is(file, more, field, &at, wrong),
            (None, _) => {}
        }
    }
}

fn has_type(kinds: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let kinds: Vec<&str> = match kinds {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    let is = |kind: &&str| match *kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        _ => value.is_object(),
    };
    if !kinds.iter().any(is) {
        wrong.push(format!("{at}: {value} is no {kinds:?}"));
    }
}
