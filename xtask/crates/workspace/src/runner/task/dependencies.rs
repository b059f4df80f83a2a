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

/// Why a notebook's own dependencies do not count for a task; empty where they do.
pub(super) fn instead_of_the_notebooks(task: &Value) -> &'static str {
    let has = |field: &str| !task[field].is_null();
    if has("environment_key") {
        "the task's environment_key puts the job's environment in their place"
    } else if ["existing_cluster_id", "new_cluster", "job_cluster_key"]
        .into_iter()
        .any(has)
    {
        "on a cluster Databricks installs the task's libraries instead"
    } else {
        ""
    }
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

/// The files of the workspace and of volumes that such lines name; `code` is the path that relative ones lie beside.
pub(super) fn files(lines: &[String], code: &str) -> Vec<String> {
    let folder = code.rsplit_once('/').map_or("", |(folder, _)| folder);
    lines
        .iter()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| named_file(line))
        .map(|path| absolute(folder, path))
        .filter(|path| {
            ["/Workspace/", "/Volumes/"]
                .iter()
                .any(|root| path.starts_with(root))
        })
        .collect()
}

/// The path in a line of requirements: a file of requirements or constraints, a folder, or a package.
fn named_file(line: &str) -> Option<&str> {
    let option = |line: &str| line.starts_with('-') && !line.starts_with("--extra-index-url");
    let value = match line.trim() {
        line if option(line) => line.split_once([' ', '='])?.1,
        line => line,
    };
    let value = value
        .split_once(" @ ")
        .map_or(value, |(_, address)| address);
    let value = value.trim().trim_matches(['"', '\'']);
    let path = ["dbfs:", "file://", "file:"]
        .into_iter()
        .find_map(|scheme| value.strip_prefix(scheme))
        .unwrap_or(value);
    let is_path = path.starts_with(['/', '.']) || path.ends_with(".whl") || path.ends_with(".txt");
    (is_path && !path.contains("://")).then_some(path)
}

/// A path without `.` and `..`, which counts from a folder where it is relative.
fn absolute(folder: &str, path: &str) -> String {
    let all = match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("{folder}/{path}"),
    };
    let mut names: Vec<&str> = Vec::new();
    for name in all.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    format!("/{}", names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_files_that_lines_name_are_found_however_they_are_written() {
        let lines = [
            "a==1",
            "# Not installed: /Workspace/x",
            "-r \"/Workspace/a b.txt\"",
            "-r ../other/r.txt",
            "--requirement=/Volumes/c/s/v/r.txt",
            "x @ file:///Volumes/c/s/v/x.whl",
            "dbfs:/Volumes/c/s/v/y.whl",
            "./dist/z.whl",
            "w.whl",
            "/Volumes/c/../c/s/v/u.whl",
            "--extra-index-url https://r/simple",
            "/elsewhere/t.whl",
        ];
        assert_eq!(
            files(&lines.map(str::to_owned), "/Workspace/Users/a/n"),
            [
                "/Workspace/a b.txt",
                "/Workspace/Users/other/r.txt",
                "/Volumes/c/s/v/r.txt",
                "/Volumes/c/s/v/x.whl",
                "/Volumes/c/s/v/y.whl",
                "/Workspace/Users/a/dist/z.whl",
                "/Workspace/Users/a/w.whl",
                "/Volumes/c/s/v/u.whl",
            ]
        );
    }

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
        assert!(instead_of_the_notebooks(&task).contains("environment_key"));
        assert!(instead_of_the_notebooks(&json!({"job_cluster_key": "c"})).contains("cluster"));
        assert_eq!(instead_of_the_notebooks(&json!({})), "");
    }
}
