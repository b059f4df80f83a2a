//! What of a reply is compared.
//!
//! - The status, and of a refusal its code. Of its message only whether it says that an alias is not there: that is what
//!   `xtask_remote::databricks::models::aliased` reads. (`HEAD` has a status only.)
//! - Of JSON everything, with these exceptions: times, ids of workspace objects, who did it, and MLflow's `run_link`,
//!   which nobody reads. Tags and aliases are sets; the rows of searches and lists are compared in their order, but those
//!   of `get-latest-versions`, which has none. A field that is missing is as good as an empty text or list: our readers
//!   and MLflow's take one for the other. Tokens of pages are followed, not compared.
//! - Of everything else the bytes.

use serde_json::{Map, Value};
use xtask_remote::{Error, Method, Request, Response, Transport};

use crate::generate::Step;

/// What is left of a reply, or of the replies of one page after the other.
#[derive(Debug, PartialEq)]
pub(crate) enum Seen {
    Json(u16, Value),
    Bytes(u16, Vec<u8>),
    Refused {
        status: u16,
        code: String,
        no_such_alias: bool,
    },
    Pages(Vec<Seen>),
    /// Neither a reply nor a refusal.
    Broken(String),
}

const NOT_COMPARED: [&str; 13] = [
    "creation_timestamp",
    "last_updated_timestamp",
    "created_at",
    "updated_at",
    "modified_at",
    "last_modified",
    "object_id",
    "resource_id",
    "created_by",
    "updated_by",
    "owner",
    "user_id",
    "run_link",
];

/// Takes a step, and looks at what comes back.
pub(crate) fn seen(transport: &dyn Transport, step: &Step) -> Seen {
    match step {
        Step::Call(request) => look(request, &transport.send(request)),
        Step::Pages(request) => pages(transport, request),
    }
}

fn pages(transport: &dyn Transport, first: &Request) -> Seen {
    let mut seen = Vec::new();
    let mut request = first.clone();
    // More pages than a test makes rows.
    for _ in 0..20 {
        let reply = transport.send(&request);
        seen.push(look(&request, &reply));
        let body: Value = match reply {
            Ok(response) => serde_json::from_slice(&response.body).unwrap_or_default(),
            Err(_) => Value::Null,
        };
        match body["next_page_token"].as_str() {
            Some(token) => request = first.clone().query("page_token", token),
            None => break,
        }
    }
    Seen::Pages(seen)
}

fn look(request: &Request, reply: &Result<Response, Error>) -> Seen {
    match reply {
        Ok(response) => match serde_json::from_slice::<Value>(&response.body) {
            Ok(value) if is_answer(request) => {
                let mut value = reduced(value);
                if request.path.ends_with("get-latest-versions") {
                    sort(&mut value["model_versions"], "version");
                }
                Seen::Json(response.status, value)
            }
            _ => Seen::Bytes(response.status, response.body.clone()),
        },
        Err(Error::Refused { status, .. }) if request.method == Method::Head => Seen::Refused {
            status: *status,
            code: String::new(),
            no_such_alias: false,
        },
        Err(Error::Refused {
            status,
            code,
            message,
            ..
        }) => Seen::Refused {
            status: *status,
            code: code.clone(),
            no_such_alias: message.contains(" alias ") && message.contains("not found"),
        },
        Err(error) => Seen::Broken(error.to_string()),
    }
}

/// Whether JSON in a reply is the service's and not a file's.
fn is_answer(request: &Request) -> bool {
    let is_file = request.method == Method::Get
        && (request.path.starts_with("/api/2.0/fs/files/")
            || request.path.starts_with("/api/2.0/workspace-files/")
            || request.path.ends_with("/workspace/export"));
    !is_file
}

fn reduced(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(name, _)| !NOT_COMPARED.contains(&name.as_str()))
                .map(|(name, value)| {
                    let mut value = reduced(value);
                    match name.as_str() {
                        "tags" => sort(&mut value, "key"),
                        "latest_versions" => sort(&mut value, "version"),
                        "aliases" => {
                            sort(&mut value, "alias");
                            sort(&mut value, "alias_name");
                        }
                        "next_page_token" => value = Value::from("there is more"),
                        _ => {}
                    }
                    (name, value)
                })
                .filter(|(_, value)| !is_empty(value))
                .collect::<Map<String, Value>>(),
        ),
        Value::Array(items) => items.into_iter().map(reduced).collect(),
        other => other,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn sort(list: &mut Value, by: &str) {
    if let Some(items) = list.as_array_mut() {
        items.sort_by_key(|item| (item[by].to_string(), item.as_str().map(str::to_owned)));
    }
}
