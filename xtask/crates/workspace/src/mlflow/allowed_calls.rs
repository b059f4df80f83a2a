//! The allow list of calls that are passed on to MLflow, and for whom.
//!
//! MLflow decodes a path before it evaluates it, and one path has many spellings. A path is therefore decoded once,
//! here; the rules check its segments, and MLflow gets exactly those.

use axum::http::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::caller::Caller;
use crate::error::ApiError;

/// Tracking, by API version: experiments, runs, logged models, traces and their files.
const TRACKING: &[(&str, &[&str])] = &[
    (
        "2.0",
        &[
            "artifacts",
            "experiments",
            "get-online-trace-details",
            "logged-models",
            "metrics",
            "runs",
            "traces",
            "unified-traces",
        ],
    ),
    ("3.0", &["datasets", "server-info", "traces"]),
];
/// Families with rules for single calls: there, the whole name is compared.
const WHOLE: &[(&str, &[&str])] = &[
    (
        "experiments",
        &[
            "create",
            "delete",
            "delete-experiment-tag",
            "get",
            "get-by-name",
            "restore",
            "search",
            "search-datasets",
            "set-experiment-tag",
            "update",
        ],
    ),
    (
        "runs",
        &[
            "create",
            "delete",
            "delete-tag",
            "get",
            "log-batch",
            "log-inputs",
            "log-metric",
            "log-model",
            "log-parameter",
            "outputs",
            "restore",
            "search",
            "set-tag",
            "update",
        ],
    ),
];
/// The registry, which would bypass Unity Catalog's grants, and the calls of MLflow's pages. Left out is what starts
/// programs or jobs on this machine (`assistant`, `jobs`, `genai`, `scorer`) or sends requests for others
/// (`gateway-proxy`).
const ADMINISTRATION: &[(&str, &[&str])] = &[
    (
        "2.0",
        &[
            "get-trace-artifact",
            "model-versions",
            "registered-models",
            "upload-artifact",
            "webhooks",
        ],
    ),
    (
        "3.0",
        &[
            "demo",
            "gateway",
            "get-trace-artifact",
            "issues",
            "label-schemas",
            "mcp-servers",
            "review-queues",
            "scorers",
            "ui-telemetry",
            "workspaces",
        ],
    ),
];
/// Artifact routes.
const ARTIFACTS: &[&str] = &["artifacts", "mpu", "presigned"];
/// Characters that are not escaped in a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MlflowCall {
    /// Decoded segments.
    names: Vec<String>,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// MLflow's pages and their assets.
    Page,
    Api,
    /// Artifacts of runs and models.
    Data,
}

/// The callers that a call is allowed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    Everybody,
    Admins,
}

impl MlflowCall {
    /// Decodes a path, below `/mlflow` or not, and refuses ambiguous spellings.
    pub(super) fn read(path: &str) -> Result<MlflowCall, ApiError> {
        // MLflow's pages live below `/mlflow/` and use relative addresses, so its whole server appears there, too.
        let inner = match path.strip_prefix("/mlflow") {
            Some(rest) if rest.starts_with('/') => rest,
            _ => path,
        };
        let ambiguous = || {
            ApiError::invalid(format!(
                "the path '{}' is not in plain form: segments must not be empty or dots, and must not be escaped \
                 without need or twice",
                path.escape_debug()
            ))
        };
        let names = match inner {
            "/" => Vec::new(),
            _ => inner
                .split('/')
                .skip(1)
                .map(name)
                .collect::<Option<_>>()
                .ok_or_else(ambiguous)?,
        };
        let parts: Vec<&str> = names.iter().map(String::as_str).collect();
        let place = match parts[..] {
            [] | ["static-files", ..] => Place::Page,
            ["api" | "ajax-api", ..] => Place::Api,
            _ => Place::Data,
        };
        Ok(MlflowCall { names, place })
    }

    /// Refuses a call that is not on the list, or not for this caller.
    pub(super) fn check(&self, caller: &Caller, method: &Method) -> Result<(), ApiError> {
        match self.audience() {
            None => Err(self.unknown(method)),
            Some(Audience::Admins) if !caller.is_admin() => Err(ApiError::forbidden(format!(
                "{} may access registered models through Unity Catalog only.",
                caller.name()
            ))),
            Some(_) => Ok(()),
        }
    }

    fn audience(&self) -> Option<Audience> {
        let lists = |known: &[(&str, &[&str])], version: &str, family: &str| {
            let mut known = known.iter();
            known.any(|(of, families)| *of == version && families.contains(&family))
        };
        let parts: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let (found, through_pages) = match parts[..] {
            [] | ["static-files", _, ..] | ["graphql"] | ["model-versions", "get-artifact"] => {
                (Some(Audience::Admins), false)
            }
            ["version" | "get-artifact"] | ["v1", "traces"] => (Some(Audience::Everybody), false),
            [
                root @ ("api" | "ajax-api"),
                "2.0",
                "mlflow-artifacts",
                family,
                ..,
            ] => {
                let known = ARTIFACTS.contains(&family);
                (known.then_some(Audience::Everybody), root == "ajax-api")
            }
            [
                root @ ("api" | "ajax-api"),
                version,
                "mlflow",
                family,
                ref rest @ ..,
            ] => {
                let whole = WHOLE.iter().find(|(of, _)| *of == family);
                let is_whole =
                    whole.is_none_or(|(_, calls)| matches!(rest, [call] if calls.contains(call)));
                let found = match family {
                    _ if !is_whole => None,
                    _ if lists(TRACKING, version, family) => Some(Audience::Everybody),
                    _ if lists(ADMINISTRATION, version, family) => Some(Audience::Admins),
                    _ => None,
                };
                (found, root == "ajax-api")
            }
            _ => (None, false),
        };
        // Calls that only MLflow's pages use are restricted like the pages.
        found.map(|audience| match through_pages {
            true => Audience::Admins,
            false => audience,
        })
    }

    /// The path for MLflow.
    pub(super) fn path(&self) -> String {
        let names = self.names.iter();
        let path: String = names
            .map(|name| format!("/{}", utf8_percent_encode(name, PLAIN)))
            .collect();
        if path.is_empty() {
            "/".to_owned()
        } else {
            path
        }
    }

    /// `experiments/create` for `/api/2.0/mlflow/experiments/create`, and for the same call of a page.
    pub(super) fn name(&self) -> Option<String> {
        let path = self.path();
        ["/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"]
            .iter()
            .find_map(|root| path.strip_prefix(root))
            .map(str::to_owned)
    }

    /// Whether it is one of MLflow's own pages; everything else that it delivers is user data.
    pub(super) fn is_page(&self) -> bool {
        self.place == Place::Page
    }

    pub(super) fn is_api(&self) -> bool {
        self.place == Place::Api
    }

    /// MLflow's clients fall back to older routes on exactly this reply, and fail on a page.
    pub(super) fn unknown(&self, method: &Method) -> ApiError {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "ENDPOINT_NOT_FOUND",
            format!("No API found for '{method} {}'", self.path()),
        )
    }
}

/// A decoded segment; `None` if another reader could decode it differently.
fn name(escaped: &str) -> Option<String> {
    let name = percent_decode_str(escaped).decode_utf8().ok()?.into_owned();
    let has_escape = |text: &str| {
        let mut bytes = text.as_bytes().windows(3);
        bytes.any(|w| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit())
    };
    let is_dots = !name.is_empty() && name.bytes().all(|byte| byte == b'.');
    let breaks = |c: char| c.is_control() || matches!(c, '/' | '\\');
    // An unreserved character that is escaped hides something.
    let needless = (0..escaped.len()).any(|at| {
        let byte = escaped
            .get(at..at + 3)
            .and_then(|text| text.strip_prefix('%'))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        byte.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
    });
    let fine =
        !name.is_empty() && !is_dots && !needless && !has_escape(&name) && !name.contains(breaks);
    fine.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audience(path: &str) -> Option<Audience> {
        MlflowCall::read(path).ok()?.audience()
    }

    #[test]
    fn a_path_has_one_spelling() {
        for path in [
            "/api/2.0/mlflow/registered%2Dmodels/search",
            "/api/2.0/mlflow/%72egistered-models/search",
            "/api/2.0/mlflow/experiments/%64elete",
            "/api/2.0/mlflow/x/../experiments/update",
            "/api/2.0/mlflow/x/%2e%2e/experiments/update",
            "/api/2.0/mlflow/x/.%2E/experiments/update",
            "/api/2.0/mlflow/./experiments/delete",
            "/api/2.0/mlflow//experiments/delete",
            "/api/2.0/mlflow/experiments/delete/",
            "/api/2.0/mlflow/experiments/delete%2F",
            "/api/2.0/mlflow/experiments%2Fdelete",
            "/api/2.0/mlflow/experiments%5Cdelete",
            "/api/2.0/mlflow/experiments/%2564elete",
            "/api/2.0/mlflow/experiments/delete%00",
            "/api/2.0/mlflow/experiments/delete%ff",
            "/mlflow/%67raphql",
            "/mlflow/%61jax-api/2.0/mlflow/experiments/delete",
            "/mlflow/static-files/%2e%2e/get-artifact",
            "/mlflow//get-artifact",
        ] {
            assert!(MlflowCall::read(path).is_err(), "{path}");
        }
    }

    #[test]
    fn what_was_looked_at_is_what_is_sent() {
        for (path, sent) in [
            ("/mlflow/", "/"),
            (
                "/mlflow/ajax-api/2.0/mlflow/runs/get",
                "/ajax-api/2.0/mlflow/runs/get",
            ),
            ("/api/2.0/mlflow/runs/get", "/api/2.0/mlflow/runs/get"),
            (
                "/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/a%20b@%C3%A9+1%25.txt",
                "/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/a%20b%40%C3%A9%2B1%25.txt",
            ),
            ("/mlflow/mlflow/x", "/mlflow/x"),
        ] {
            assert_eq!(MlflowCall::read(path).unwrap().path(), sent, "{path}");
        }
    }

    #[test]
    fn what_is_not_listed_does_not_exist() {
        use Audience::{Admins, Everybody};
        for (path, expected) in [
            ("/api/2.0/mlflow/runs/create", Some(Everybody)),
            ("/api/2.0/mlflow/logged-models/m-1", Some(Everybody)),
            ("/api/3.0/mlflow/traces/t", Some(Everybody)),
            ("/api/2.0/mlflow-artifacts/artifacts", Some(Everybody)),
            ("/mlflow/get-artifact", Some(Everybody)),
            ("/api/2.0/mlflow/registered-models/search", Some(Admins)),
            ("/ajax-api/2.0/mlflow/runs/search", Some(Admins)),
            ("/ajax-api/2.0/mlflow-artifacts/artifacts/1", Some(Admins)),
            ("/mlflow/static-files/static/js/main.js", Some(Admins)),
            ("/mlflow/", Some(Admins)),
            ("/graphql", Some(Admins)),
            ("/model-versions/get-artifact", Some(Admins)),
            ("/api/2.0/mlflow/experiments/delete.", None),
            ("/api/2.0/mlflow/runs/Create", None),
            ("/api/2.0/mlflow/runs", None),
            ("/ajax-api/3.0/mlflow/assistant/message", None),
            ("/ajax-api/3.0/jobs/search", None),
            ("/ajax-api/2.0/mlflow/gateway-proxy", None),
            ("/api/2.0/mlflow/Registered-Models/search", None),
            ("/api/2.0/mlflow/registered-models./search", None),
            ("/api/3.0/mlflow/registered-models/search", None),
            ("/API/2.0/mlflow/runs/create", None),
            ("/mlflow/gateway/openai/v1/responses", None),
            ("/mlflow/mlflow/graphql", None),
        ] {
            assert_eq!(audience(path), expected, "{path}");
        }
    }

    #[test]
    fn only_mlflows_own_pages_may_run_scripts() {
        let is_page = |path: &str| MlflowCall::read(path).unwrap().is_page();
        assert!(is_page("/mlflow/") && is_page("/mlflow/static-files/static/js/main.js"));
        for data in [
            "/mlflow/get-artifact",
            "/ajax-api/2.0/mlflow/get-artifact",
            "/api/2.0/mlflow-artifacts/artifacts/1/x.html",
        ] {
            assert!(!is_page(data), "{data}");
        }
    }
}
