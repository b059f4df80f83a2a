//! Whether work must be redone: compares its inputs with those of the last success.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xtask_remote::{Timestamp, json, sha256};

use crate::files;

/// The inputs of a piece of work: names, and the SHA-256 of what they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inputs(BTreeMap<String, String>);

impl Inputs {
    /// Adds the files below `root`; one that is gone counts as such.
    pub(crate) fn files<'p>(
        &mut self,
        root: &Utf8Path,
        files: impl IntoIterator<Item = &'p Utf8Path>,
    ) -> anyhow::Result<()> {
        for file in files {
            let digest = match fs_err::read(root.join(file)) {
                Ok(bytes) => sha256(&bytes),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => "gone".to_owned(),
                // git lists a submodule as a file, but it is a folder.
                Err(error) if error.kind() == std::io::ErrorKind::IsADirectory => continue,
                Err(error) => return Err(error.into()),
            };
            self.0.insert(file.to_string(), digest);
        }
        Ok(())
    }

    /// Adds an input that is not a file.
    pub(crate) fn fact(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// Why these inputs differ from earlier ones; `None` when they do not.
    fn difference(&self, earlier: &Inputs) -> Option<String> {
        let changed: Vec<&str> = self
            .0
            .iter()
            .filter(|(name, digest)| earlier.0.get(*name) != Some(digest))
            .map(|(name, _)| name.as_str())
            .chain(
                earlier
                    .0
                    .keys()
                    .filter(|name| !self.0.contains_key(*name))
                    .map(String::as_str),
            )
            .collect();
        match changed.as_slice() {
            [] => None,
            [one] => Some(format!("{one} changed")),
            [one, others @ ..] => Some(format!("{one} and {} more changed", others.len())),
        }
    }
}

/// The record of the last success.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered<T> {
    version: u32,
    inputs: Inputs,
    when: Timestamp,
    result: T,
}

/// Whether a cached result is valid.
#[derive(Debug)]
pub(crate) enum Verdict<T> {
    /// Nothing changed since this result.
    Unchanged { result: T, when: Timestamp },
    /// It must be redone, for this reason.
    Needed(String),
}

/// Compares inputs with those of the last success.
pub(crate) fn look<T: DeserializeOwned>(memory: &Utf8Path, inputs: &Inputs) -> Verdict<T> {
    let Ok(text) = fs_err::read_to_string(memory) else {
        return Verdict::Needed("no earlier result".to_owned());
    };
    // A record of another version, or a damaged one, counts as none.
    match json::from_str::<Remembered<T>>(&text) {
        Ok(earlier) if earlier.version == 1 => match inputs.difference(&earlier.inputs) {
            None => Verdict::Unchanged {
                result: earlier.result,
                when: earlier.when,
            },
            Some(reason) => Verdict::Needed(reason),
        },
        _ => Verdict::Needed("the earlier result cannot be read".to_owned()),
    }
}

/// Remembers a success. Failures are never remembered.
pub(crate) fn remember<T: Serialize>(
    memory: &Utf8Path,
    inputs: &Inputs,
    result: &T,
) -> anyhow::Result<()> {
    let remembered = Remembered {
        version: 1,
        inputs: inputs.clone(),
        when: Timestamp::now(),
        result,
    };
    Ok(files::replace(
        memory,
        &serde_json::to_vec_pretty(&remembered)?,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(pairs: &[(&str, &str)]) -> Inputs {
        let mut inputs = Inputs::default();
        pairs
            .iter()
            .for_each(|(name, value)| inputs.fact(name, value));
        inputs
    }

    #[test]
    fn the_reason_names_what_changed() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Utf8Path::from_path(folder.path())
            .unwrap()
            .join("cache/unit.json");
        let before = inputs(&[("a.py", "1"), ("b.py", "2")]);
        remember(&memory, &before, &"green").unwrap();
        assert!(
            matches!(look::<String>(&memory, &before), Verdict::Unchanged { result, .. } if result == "green")
        );
        for (now, reason) in [
            (inputs(&[("a.py", "1"), ("b.py", "3")]), "b.py changed"),
            (inputs(&[("a.py", "1")]), "b.py changed"),
            (
                inputs(&[("a.py", "0"), ("b.py", "2"), ("c.py", "3")]),
                "a.py and 1 more changed",
            ),
        ] {
            assert!(matches!(look::<String>(&memory, &now), Verdict::Needed(why) if why == reason));
        }
    }

    #[test]
    fn a_damaged_memory_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Utf8Path::from_path(folder.path())
            .unwrap()
            .join("unit.json");
        remember(&memory, &inputs(&[("a", "1")]), &1).unwrap();
        let whole = fs_err::read(&memory).unwrap();
        for length in 0..whole.len() - 1 {
            fs_err::write(&memory, &whole[..length]).unwrap();
            assert!(matches!(
                look::<u8>(&memory, &inputs(&[("a", "1")])),
                Verdict::Needed(_)
            ));
        }
    }
}
