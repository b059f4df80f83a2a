//! Which workflows a pull request starts, and what a fork's may do.

use yaml_rust2::{Yaml, YamlLoader};

use crate::git::Git;

/// The names of the workflows at a commit that a pull request into `base` starts.
pub(super) fn started(git: &Git, commit: &str, base: &str) -> Vec<String> {
    let folder = ".github/workflows";
    let is_yaml = |file: &str| file.ends_with(".yml") || file.ends_with(".yaml");
    let files = git.contents(commit, &[folder], is_yaml).unwrap_or_default();
    let mut names: Vec<String> = files
        .into_iter()
        .filter_map(|(file, content)| {
            let text = String::from_utf8(content).ok()?;
            name_if_started(&text, base)
                .map(|name| name.unwrap_or_else(|| file.trim_start_matches("./").to_owned()))
        })
        .collect();
    names.sort();
    names
}

/// Its name, where a pull request into `base` starts it.
fn name_if_started(text: &str, base: &str) -> Option<Option<String>> {
    let documents = YamlLoader::load_from_str(text).ok()?;
    let workflow = documents.first()?;
    let on = &workflow["on"];
    let of_map = |events: &Yaml| {
        let event = Yaml::String("pull_request".to_owned());
        let settings = events.as_hash()?.get(&event)?;
        let branches = settings["branches"].as_vec();
        let named = |branch: &Yaml| branch.as_str().is_some_and(|pattern| covers(pattern, base));
        Some(branches.is_none_or(|branches| branches.iter().any(named)))
    };
    let starts = match on {
        Yaml::String(event) => event == "pull_request",
        Yaml::Array(events) => events
            .iter()
            .any(|event| event.as_str() == Some("pull_request")),
        events => of_map(events).unwrap_or(false),
    };
    starts.then(|| workflow["name"].as_str().map(str::to_owned))
}

/// Whether a pattern of branch names covers a branch, as far as patterns are used for that: a name, or
/// one `*` or `**`. Of a longer pattern it is assumed.
fn covers(pattern: &str, branch: &str) -> bool {
    let pattern = pattern.replace("**", "*");
    match pattern.split('*').collect::<Vec<_>>().as_slice() {
        [name] => *name == branch,
        [start, end] => branch.starts_with(start) && branch.ends_with(end),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::name_if_started;

    #[test]
    fn a_workflow_is_started_by_each_form_of_its_event() {
        for (text, started) in [
            ("name: t\non: pull_request", true),
            ("name: t\non: [push, pull_request]", true),
            (
                "name: t\non:\n  pull_request:\n  push:\n    branches: [main]",
                true,
            ),
            (
                "name: t\non:\n  pull_request:\n    branches: [main, release]",
                true,
            ),
            (
                "name: t\non:\n  pull_request:\n    branches: ['rel*']",
                false,
            ),
            ("name: t\non: push", false),
            ("name: t\non:\n  pull_request_target:", false),
            ("not: [valid", false),
        ] {
            let name = name_if_started(text, "main");
            assert_eq!(name.is_some(), started, "{text}");
        }
    }
}
