//! Tags, shown as they are; addresses and MLflow run ids are links.

use maud::{Markup, html};

use super::super::addresses::path;
use crate::mlflow::reading::TrackedRun;

/// Anyone may write tags, so only http addresses become links.
pub(super) fn value(value: &str, runs: &[TrackedRun]) -> Markup {
    let (first, rest) = value.split_at(value.find(' ').unwrap_or(value.len()));
    let is_address = ["https://", "http://"]
        .iter()
        .any(|scheme| first.starts_with(scheme));
    html! {
        @if let Some(run) = runs.iter().find(|run| run.run_id == value) { (mlflow_run(run)) }
        @else if is_address { a href=(first) { (first) } (rest) }
        @else { (value) }
    }
}

/// Whether a value has the form of an MLflow run id.
pub(super) fn is_run_id(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn mlflow_run(run: &TrackedRun) -> Markup {
    let name = match run.name.as_str() {
        "" => &run.run_id,
        name => name,
    };
    html! { a.mlflow-run href=(path(&["ml", "experiments", &run.experiment_id, "runs", &run.run_id])) { (name) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_runs_are_links_and_nothing_else_is() {
        let id = "0123456789abcdef0123456789abcdef";
        let run = TrackedRun {
            run_id: id.to_owned(),
            experiment_id: "7".to_owned(),
            ..TrackedRun::default()
        };
        let shown = |text: &str| value(text, std::slice::from_ref(&run)).into_string();
        assert!(is_run_id(id) && !is_run_id("passed"));
        for (text, expected) in [
            (
                "http://h/jobs/1",
                "<a href=\"http://h/jobs/1\">http://h/jobs/1</a>",
            ),
            ("https://h 5f", "<a href=\"https://h\">https://h</a> 5f"),
            ("javascript:alert(1)", "javascript:alert(1)"),
            ("<b>", "&lt;b&gt;"),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert!(
            shown(id).contains("/ml/experiments/7/runs/0123"),
            "{}",
            shown(id)
        );
    }
}
