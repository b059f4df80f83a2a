//! Packages of a task: its libraries, and the dependencies of its environment.

use crate::jobs::{Environment, JobSettings, Library, Task};

/// Lines of a requirements file; a library that is not for Python becomes a comment.
pub(super) fn of(job: &JobSettings, task: &Task) -> Vec<String> {
    let of_task = |environment: &&Environment| {
        let key = task.environment_key.as_ref();
        key.is_some_and(|key| *key == environment.environment_key)
    };
    let environments = job.environments.iter().filter(of_task);
    let lines = environments.flat_map(|environment| environment.spec.dependencies.clone());
    lines
        .chain(task.libraries.iter().flat_map(library))
        .collect()
}

/// Why the notebook's own dependencies are ignored; empty if they are not.
pub(super) fn instead_of_the_notebooks(task: &Task) -> &'static str {
    if task.environment_key.is_some() {
        "the task's environment_key selects an environment of the job instead"
    } else if task.names_a_cluster() {
        "on a cluster Databricks installs the task's libraries instead"
    } else {
        ""
    }
}

fn library(declared: &Library) -> Vec<String> {
    if let Some(path) = &declared.whl {
        return vec![path.clone()];
    }
    if let Some(path) = &declared.requirements {
        return vec![format!("-r \"{path}\"")];
    }
    if let Some(pypi) = &declared.pypi {
        let index = pypi
            .repo
            .as_ref()
            .map(|url| format!("--extra-index-url {url}"));
        return index.into_iter().chain([pypi.package.clone()]).collect();
    }
    let kinds = declared.other.keys().take(1);
    kinds
        .map(|kind| {
            format!(
                "# Not installed in the local workspace, which has Python packages only: {kind} library"
            )
        })
        .collect()
}

/// Workspace files and volume files in these lines; `code` is the path that relative ones are relative to.
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

/// The path in a requirements line: a requirements or constraints file, a folder, or a package.
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

/// Resolves `.` and `..`; relative to `folder`.
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
        let job: JobSettings = serde_json::from_value(job).unwrap();
        let task = |json| -> Task { serde_json::from_value(json).unwrap() };
        let on_a_cluster = task(json!({"job_cluster_key": "c"}));
        let bare = task(json!({}));
        let task = task(json!({"environment_key": "ml", "libraries": [
            {"whl": "/Volumes/c/s/v/x.whl"}, {"pypi": {"package": "d>2", "repo": "https://r/simple"}},
            {"requirements": "/Workspace/a b.txt"}, {"jar": "/x.jar"},
        ]}));
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
        assert!(of(&job, &bare).is_empty());
        assert!(instead_of_the_notebooks(&task).contains("environment_key"));
        assert!(instead_of_the_notebooks(&on_a_cluster).contains("cluster"));
        assert_eq!(instead_of_the_notebooks(&bare), "");
    }
}
