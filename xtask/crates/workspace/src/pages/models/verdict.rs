//! What a pipeline wrote on a version about itself: the tags of docs/records.md.

use maud::{Markup, html};

use crate::mlflow::reading::ModelVersion;

/// What validation says of a version.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    None,
    Passed,
    Rejected,
    /// It speaks of another version, which this one was copied from: it counts for nothing here.
    Copied,
}

/// Tags that speak of the place they were written in.
const OF_PLACE: [&str; 5] = [
    "mlops_verdict",
    "mlops_verdict_for",
    "mlops_verdict_reason",
    "mlops_champion_at_validation",
    "mlops_previous_champion",
];

/// Reads the verdict of a version.
pub(super) fn of(version: &ModelVersion) -> Verdict {
    let tag = |key: &str| version.tags.get(key).map(String::as_str);
    let Some(verdict) = tag("mlops_verdict") else {
        return Verdict::None;
    };
    let itself = format!("{}/{}", version.name, version.number);
    match (tag("mlops_verdict_for") == Some(itself.as_str()), verdict) {
        (false, _) => Verdict::Copied,
        (true, "passed") => Verdict::Passed,
        (true, "rejected") => Verdict::Rejected,
        (true, _) => Verdict::None,
    }
}

/// The value of a tag that is true of this version: one that came along with a copy is left out.
pub(super) fn tag<'v>(version: &'v ModelVersion, key: &str) -> Option<&'v str> {
    if OF_PLACE.contains(&key) && matches!(of(version), Verdict::Copied | Verdict::None) {
        return None;
    }
    version.tags.get(key).map(String::as_str)
}

impl Verdict {
    /// Class of the style.
    pub(super) fn class(&self) -> &'static str {
        match self {
            Verdict::Passed => "ok",
            Verdict::Rejected => "bad",
            Verdict::Copied | Verdict::None => "quiet",
        }
    }

    pub(super) fn badge(&self) -> Markup {
        let word = match self {
            Verdict::Passed => "Passed",
            Verdict::Rejected => "Rejected",
            Verdict::Copied => "Judged elsewhere",
            Verdict::None => return html! { span.dim { "none" } },
        };
        html! { span class={ "badge " (self.class()) } { (word) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// The pipeline and the commands are tested on the same cases.
    const CASES: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../notebooks/tests/fixtures/records.json"
    ));

    #[test]
    fn the_page_reads_verdicts_as_the_commands_do() {
        let cases: Value = serde_json::from_str(CASES).unwrap();
        let versions = cases["versions"].as_array().unwrap();
        assert!(versions.len() > 2);
        for case in versions {
            let tags = case["tags"].as_object().unwrap();
            let version = ModelVersion {
                name: case["model"].as_str().unwrap().to_owned(),
                number: case["version"].as_i64().unwrap(),
                tags: tags
                    .iter()
                    .map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()))
                    .collect(),
                ..ModelVersion::default()
            };
            let expected = &case["expected"];
            let verdict = match of(&version) {
                Verdict::Passed => "passed",
                Verdict::Rejected => "rejected",
                Verdict::None | Verdict::Copied => "",
            };
            let known = expected["judgement"]["verdict"]
                .as_str()
                .unwrap_or_default();
            assert_eq!(verdict, known, "{}", case["name"]);
        }
    }
}
