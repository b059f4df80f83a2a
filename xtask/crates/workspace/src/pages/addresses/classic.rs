//! Links of the older form, `https://host/?o=1#job/2/run/3`.

use percent_encoding::percent_decode_str;

use super::{in_mlflow, model, path, version};
use crate::pages::files;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Path of a page.
    Page(String),
    /// A run, or a task run.
    Run(i64),
    /// A notebook or folder of the workspace tree.
    Object(i64),
    /// An id of unknown kind.
    Number(i64),
}

/// Parses a link, its fragment, a path of ours, or a bare id.
pub(super) fn read(given: &str) -> Option<Target> {
    let given = given.trim();
    if let Ok(number) = given.parse() {
        return Some(Target::Number(number));
    }
    match given.split_once('#') {
        Some((_, fragment)) => fragment_target(fragment),
        None => {
            let rest = given.split_once("://").map_or(given, |(_, rest)| {
                rest.find('/').map_or("/", |slash| &rest[slash..])
            });
            match rest.strip_prefix('/') {
                // A page that is not at `/` has a route of its own. Escaped, `//host` stays a path.
                Some(local) => own_path(local),
                None => fragment_target(rest),
            }
        }
    }
}

fn own_path(local: &str) -> Option<Target> {
    let local = local.split('?').next().unwrap_or_default();
    let names = decoded(local);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    (!names.is_empty()).then(|| Target::Page(path(&names)))
}

/// The decoded segments, without empty ones.
fn decoded(text: &str) -> Vec<String> {
    let names = text.split('/').filter(|name| !name.is_empty());
    names
        .map(|name| percent_decode_str(name).decode_utf8_lossy().into_owned())
        .collect()
}

fn fragment_target(fragment: &str) -> Option<Target> {
    let fragment = fragment.split('?').next().unwrap_or_default();
    let names = decoded(fragment);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let page = |address: String| Some(Target::Page(address));
    match names.as_slice() {
        ["job", _, "run" | "runs", run, ..] => run.parse().ok().map(Target::Run),
        ["job", "list"] | ["joblist", ..] | ["jobs"] => page("/jobs".to_owned()),
        ["job" | "jobs", job, ..] => page(path(&["jobs", job])),
        ["notebook" | "folder" | "file", id, ..] => id.parse().ok().map(Target::Object),
        ["workspace", rest @ ..] => page(files::address(&format!("/{}", rest.join("/")))),
        ["mlflow", rest @ ..] | rest => mlflow(rest),
    }
}

/// MLflow's own fragments, and Databricks' below `mlflow/`.
fn mlflow(names: &[&str]) -> Option<Target> {
    let address = match names {
        ["models"] => "/models".to_owned(),
        ["models", name] => model(name),
        ["models", name, "versions" | "version", number, ..] => version(name, number),
        ["experiments"] => "/ml/experiments".to_owned(),
        ["experiments" | "compare-runs" | "compare-experiments", ..] => in_mlflow(names),
        _ => return None,
    };
    Some(Target::Page(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(address: &str) -> Option<Target> {
        Some(Target::Page(address.to_owned()))
    }

    #[test]
    fn links_of_the_older_form_are_understood() {
        for (link, meant) in [
            ("https://host/?o=1#job/2/run/3", Some(Target::Run(3))),
            ("#job/2/run/3", Some(Target::Run(3))),
            ("job/2/run/3", Some(Target::Run(3))),
            ("#job/2", page("/jobs/2")),
            ("#job/list", page("/jobs")),
            (
                "http://127.0.0.1:1/jobs/2/runs/3?o=4",
                page("/jobs/2/runs/3"),
            ),
            ("/ml/experiments/5", page("/ml/experiments/5")),
            ("#mlflow/models/a.b.c", page("/explore/data/models/a/b/c")),
            (
                "#mlflow/models/a.b.c/versions/2",
                page("/explore/data/models/a/b/c/version/2"),
            ),
            (
                "#/models/plain%20name/versions/2",
                page("/mlflow/#/models/plain%20name/versions/2"),
            ),
            ("#mlflow/models", page("/models")),
            (
                "#mlflow/experiments/9/runs/abc",
                page("/mlflow/#/experiments/9/runs/abc"),
            ),
            ("#/experiments/9", page("/mlflow/#/experiments/9")),
            ("#notebook/77/command/1", Some(Target::Object(77))),
            ("#workspace/Users/a@b/x y", page("/browse/Users/a@b/x%20y")),
            (" 42 ", Some(Target::Number(42))),
            ("#setting/account", None),
            ("", None),
            ("#job/x/run/y", None),
        ] {
            assert_eq!(read(link), meant, "{link}");
        }
    }

    #[test]
    fn no_link_leads_away() {
        for link in [
            "//evil.example/x",
            "https://evil.example//evil.example",
            "/\\evil.example",
            "/%2F%2Fevil.example",
        ] {
            if let Some(Target::Page(address)) = read(link) {
                assert!(
                    address.starts_with('/')
                        && !address.starts_with("//")
                        && !address.contains('\\'),
                    "{link}: {address}"
                );
            }
        }
    }
}
