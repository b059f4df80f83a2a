//! Changes of the bundle's resources between two commits.

use std::collections::BTreeMap;

use yaml_rust2::{Yaml, YamlLoader};

use super::block::code;
use crate::git::Git;

/// One line per changed resource.
pub(crate) fn differences(git: &Git, before: &str, after: &str) -> anyhow::Result<Vec<String>> {
    let prefix = git.prefix()?;
    let before = definitions(git, before, &prefix);
    let after = definitions(git, after, &prefix);
    Ok(compared(&before, &after))
}

/// The resources in the bundle's files at a commit, by kind and key.
fn definitions(git: &Git, commit: &str, prefix: &str) -> BTreeMap<String, Yaml> {
    let [bundle, below] = ["databricks.yml", "resources"].map(|name| format!("{prefix}{name}"));
    let is_yaml = |file: &str| file.ends_with(".yml") || file.ends_with(".yaml");
    let files = git.contents(commit, &[&bundle, &below], is_yaml);
    let mut found = BTreeMap::new();
    for (_, text) in files.unwrap_or_default() {
        let text = String::from_utf8_lossy(&text);
        for document in YamlLoader::load_from_str(&text).unwrap_or_default() {
            let kinds = document["resources"].as_hash().into_iter().flatten();
            for (kind, resources) in kinds {
                let (Some(kind), Some(resources)) = (kind.as_str(), resources.as_hash()) else {
                    continue;
                };
                for (key, definition) in resources {
                    let key = key.as_str().unwrap_or_default();
                    found.insert(format!("{kind}.{key}"), definition.clone());
                }
            }
        }
    }
    found
}

fn compared(before: &BTreeMap<String, Yaml>, after: &BTreeMap<String, Yaml>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, definition) in after {
        match before.get(name) {
            None => lines.push(format!("- {} is new", code(name))),
            Some(old) if old != definition => {
                let fields = changed_fields(old, definition);
                lines.push(format!("- {} changes: {}", code(name), fields.join(", ")));
            }
            Some(_) => {}
        }
    }
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    lines.extend(gone.map(|name| format!("- {} is removed", code(name))));
    lines
}

/// The changed top-level fields of a resource.
fn changed_fields(before: &Yaml, after: &Yaml) -> Vec<String> {
    let keys = [before, after].into_iter().filter_map(Yaml::as_hash);
    let mut names: Vec<&str> = keys
        .flat_map(|fields| fields.keys().filter_map(Yaml::as_str))
        .filter(|name| before[*name] != after[*name])
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> BTreeMap<String, Yaml> {
        let documents = YamlLoader::load_from_str(text).unwrap();
        let hash = documents[0].as_hash().unwrap();
        hash.iter()
            .map(|(key, value)| (key.as_str().unwrap().to_owned(), value.clone()))
            .collect()
    }

    #[test]
    fn resources_are_compared_field_by_field() {
        let before = of("{jobs.a: {name: x, schedule: 1}, jobs.b: {name: y}}");
        let after = of("{jobs.a: {name: x, schedule: 2, tags: 3}, jobs.c: {name: z}}");
        assert_eq!(
            compared(&before, &after),
            [
                "- `jobs.a` changes: `schedule`, `tags`",
                "- `jobs.c` is new",
                "- `jobs.b` is removed"
            ]
        );
    }
}
