//! What a task wants installed: its libraries, and the dependencies of the job's environment that it names.

use serde_json::Value;

/// Lines of a requirements file; a comment tells of a library that is not for Python.
pub(super) fn of(job: &Value, task: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let environments = job["environments"].as_array().into_iter().flatten();
    for environment in environments {
        if !task["environment_key"].is_null()
            && environment["environment_key"] == task["environment_key"]
        {
            let listed = environment["spec"]["dependencies"].as_array();
            let listed = listed.into_iter().flatten().filter_map(Value::as_str);
            lines.extend(listed.map(str::to_owned));
        }
    }
    let libraries = task["libraries"].as_array().into_iter().flatten();
    lines.extend(libraries.flat_map(library));
    lines
}

fn library(declared: &Value) -> Vec<String> {
    if let Some(path) = declared["whl"].as_str() {
        return vec![path.to_owned()];
    }
    if let Some(path) = declared["requirements"].as_str() {
        return vec![format!("-r \"{path}\"")];
    }
    if let Some(package) = declared["pypi"]["package"].as_str() {
        let repository = declared["pypi"]["repo"].as_str();
        let index = repository.map(|url| format!("--extra-index-url {url}"));
        return index.into_iter().chain([package.to_owned()]).collect();
    }
    let kind = declared.as_object().and_then(|fields| fields.keys().next());
    kind.map(|kind| {
        format!(
            "# Not installed in the local workspace, which has Python packages only: {kind} library"
        )
    })
    .into_iter()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn libraries_and_the_named_environment_are_lines_of_requirements() {
        let job = json!({"environments": [
            {"environment_key": "ml", "spec": {"dependencies": ["a==1", "-r /Workspace/r.txt"]}},
            {"environment_key": "other", "spec": {"dependencies": ["b"]}},
        ]});
        let task = json!({"environment_key": "ml", "libraries": [
            {"whl": "/Volumes/c/s/v/x.whl"}, {"pypi": {"package": "d>2", "repo": "https://r/simple"}},
            {"requirements": "/Workspace/a b.txt"}, {"jar": "/x.jar"},
        ]});
        let lines = of(&job, &task);
        assert_eq!(
            lines[..6],
            [
                "a==1",
                "-r /Workspace/r.txt",
                "/Volumes/c/s/v/x.whl",
                "--extra-index-url https://r/simple",
                "d>2",
                "-r \"/Workspace/a b.txt\""
            ]
        );
        assert!(lines[6].starts_with("# Not installed") && lines[6].ends_with("jar library"));
        assert!(of(&job, &json!({})).is_empty());
    }
}
