//! Imports lead one way: among the modules right below the root of a crate there is no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use xtask_testkit::repository;

/// Which modules each module imports.
type Imports = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_circle_of_imports_crosses_a_folder() {
    let crates = entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    assert!(crates.len() > 5, "{crates:?}");
    for folder in crates {
        let imports = imports(&folder.join("src"));
        let circle = left_over(imports);
        assert!(
            circle.is_empty(),
            "modules of {} import one another in a circle, or what is in one: {circle:#?}",
            folder.display()
        );
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).unwrap();
    found.map(|entry| entry.unwrap().path()).collect()
}

fn imports(source: &Path) -> Imports {
    let mut all = Imports::new();
    for path in entries(source) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name == "lib" || name == "main" {
            continue;
        }
        let found = match path.is_dir() {
            true => below(&path),
            false => named(&code(&path), &["crate::", "super::"]),
        };
        all.entry(name).or_default().extend(found);
    }
    let known: BTreeSet<String> = all.keys().cloned().collect();
    for (name, found) in &mut all {
        found.retain(|other| other != name && known.contains(other));
    }
    all
}

fn below(folder: &Path) -> BTreeSet<String> {
    let found = entries(folder).into_iter().map(|path| match path.is_dir() {
        true => below(&path),
        false if path.extension().is_some_and(|end| end == "rs") => {
            named(&code(&path), &["crate::"])
        }
        false => BTreeSet::new(),
    });
    found.flatten().collect()
}

/// A file without its comments and its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules that stand behind one of these roots, alone or in a list.
fn named(code: &str, roots: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for root in roots {
        for (at, _) in code.match_indices(root) {
            let rest = &code[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(list) => found.extend(firsts(list)),
                None => found.extend([word(rest)]),
            }
        }
    }
    found
}

/// The first name of each entry of a list, up to the brace that ends it.
fn firsts(list: &str) -> BTreeSet<String> {
    let (mut depth, mut start, mut found) = (0, 0, BTreeSet::new());
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.insert(word(list[start..at].trim_start()));
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}

fn word(text: &str) -> String {
    let end = text.find(|character: char| !character.is_alphanumeric() && character != '_');
    text[..end.unwrap_or(text.len())].to_owned()
}

/// What is left once the modules that import nothing more are taken away, again and again.
fn left_over(mut imports: Imports) -> Imports {
    loop {
        let lowest: BTreeSet<String> = imports
            .iter()
            .filter(|(_, imported)| imported.is_empty())
            .map(|(name, _)| name.clone())
            .collect();
        if lowest.is_empty() {
            return imports;
        }
        imports.retain(|name, _| !lowest.contains(name));
        for imported in imports.values_mut() {
            imported.retain(|name| !lowest.contains(name));
        }
    }
}

#[test]
fn a_circle_is_seen() {
    let code = "use crate::{mlflow, runner::{start, task}};\nlet x = crate::secret::random();";
    let found: Vec<String> = named(code, &["crate::"]).into_iter().collect();
    assert_eq!(found, ["mlflow", "runner", "secret"]);
    let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let imports = Imports::from([
        ("state".to_owned(), of(&["runner", "store"])),
        ("runner".to_owned(), of(&["state"])),
        ("store".to_owned(), of(&[])),
    ]);
    let left: Vec<String> = left_over(imports).into_keys().collect();
    assert_eq!(left, ["runner", "state"]);
}

#[test]
fn the_page_on_architecture_has_each_crate_and_each_room_of_the_tool() {
    let page = fs::read_to_string(repository().join("docs/architecture.md")).unwrap();
    let crates = entries(&repository().join("xtask/crates"));
    for folder in crates {
        let name = format!("crates/{}/", folder.file_name().unwrap().to_str().unwrap());
        assert!(page.contains(&name), "docs/architecture.md lacks {name}");
    }
    // The rows of the table, by what stands in their first column.
    let (_, table) = page.split_once("### `crates/mlops`").unwrap();
    let (table, _) = table.split_once("\n### ").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let rooms: BTreeSet<&str> = rows
        .flat_map(|row| row.split(" | ").next().unwrap_or_default().split('`'))
        .map(|name| name.trim_end_matches('/'))
        .filter(|name| !name.contains([',', ' ']) && !name.is_empty())
        .collect();
    let source = entries(&repository().join("xtask/crates/mlops/src"));
    let modules: BTreeSet<&str> = source
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap())
        .filter(|name| !["lib", "main"].contains(name))
        .collect();
    assert_eq!(
        rooms, modules,
        "the table in docs/architecture.md is not the tree"
    );
}
