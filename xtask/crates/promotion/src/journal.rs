//! What this machine remembers of its own promotions: a hint for people who were interrupted. Nothing is decided by
//! it; the registry's tags are what counts. So a journal that cannot be written or read stops nothing.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The version of this form.
const FORM: u32 = 1;

/// One line: the beginning, a step before and after it was made, the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "lowercase")]
pub enum Line {
    /// The first line.
    Begins {
        /// Of this form.
        version: u32,
        /// The promotion's id.
        id: String,
        /// What it does, for people.
        what: String,
    },
    /// A step is about to be made.
    Before {
        /// Its name.
        step: String,
    },
    /// It was made.
    After {
        /// Its name.
        step: String,
    },
    /// Nothing is left to do.
    Ends,
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    what: String,
    file: Option<File>,
    trouble: Option<String>,
}

impl Journal {
    /// Opens the journal of a promotion; what an earlier attempt wrote stays before it.
    #[must_use]
    pub fn open(folder: &Path, id: &str, what: &str) -> Journal {
        let path = folder.join(format!("{id}.jsonl"));
        let opened = fs::create_dir_all(folder).and_then(|()| {
            let mut options = OpenOptions::new();
            options.create(true).append(true).mode(0o600);
            // Through a link this would write into another file.
            options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
            options.open(&path)
        });
        let mut journal = Journal {
            path,
            what: what.to_owned(),
            file: None,
            trouble: None,
        };
        match opened {
            Ok(file) => journal.file = Some(file),
            Err(error) => journal.trouble = Some(error.to_string()),
        }
        journal.write(&Line::Begins {
            version: FORM,
            id: id.to_owned(),
            what: what.to_owned(),
        });
        journal
    }

    /// Adds a line, on the disk before anything else happens.
    pub fn write(&mut self, line: &Line) {
        let Some(file) = &mut self.file else { return };
        let text = serde_json::to_string(line).unwrap_or_default();
        // A line feed first ends what a kill has cut off.
        let written = file
            .write_all(format!("\n{text}\n").as_bytes())
            .and_then(|()| file.sync_data());
        if let Err(error) = written {
            self.trouble = Some(error.to_string());
            self.file = None;
        }
    }

    /// Why it is not written, for a warning.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.as_ref()?;
        Some(format!("{}: {trouble}", self.path.display()))
    }

    /// Notes the end, and removes the journal: what is remembered stands in the registry. So do the journals of earlier
    /// attempts at the same, which came to nothing.
    pub fn end(mut self) {
        self.write(&Line::Ends);
        let folder = self.path.parent().unwrap_or(Path::new(""));
        if self.file.is_some() {
            // Where it cannot be removed, its last line says that nothing is left.
            let _ = fs::remove_file(&self.path);
        }
        let (unfinished, _) = unfinished(folder);
        for earlier in unfinished
            .iter()
            .filter(|earlier| earlier.what == self.what)
        {
            let _ = fs::remove_file(&earlier.path);
        }
    }
}

/// Forgets a promotion that turns out to be done: a process killed at its very end left its journal.
pub fn forget(folder: &Path, id: &str) {
    // Mostly there is none.
    let _ = fs::remove_file(folder.join(format!("{id}.jsonl")));
}

/// A promotion that this machine began and did not end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    pub id: String,
    /// What it does, for people.
    pub what: String,
    /// The step that it was in; none where it had made none.
    pub step: Option<String>,
    /// The journal.
    pub path: PathBuf,
}

/// What the journals in a folder say is unfinished, and which of them cannot be read: those are set aside under another
/// name, never deleted.
#[must_use]
pub fn unfinished(folder: &Path) -> (Vec<Unfinished>, Vec<PathBuf>) {
    let (mut found, mut aside) = (Vec::new(), Vec::new());
    let Ok(entries) = fs::read_dir(folder) else {
        return (found, aside);
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path
            .extension()
            .is_none_or(|extension| extension != "jsonl")
        {
            continue;
        }
        let is_file = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file());
        match is_file
            .then(|| fs::read(&path).ok())
            .flatten()
            .and_then(|text| read(&path, &text))
        {
            Some(Read::Unfinished(journal)) => found.push(journal),
            Some(Read::Ended) => {}
            None => {
                let away = path.with_extension("unreadable");
                if fs::rename(&path, &away).is_ok() {
                    aside.push(away);
                }
            }
        }
    }
    (found, aside)
}

enum Read {
    Ended,
    Unfinished(Unfinished),
}

/// Reads a journal; `None` where nothing in it says what it is about, or a later version wrote it.
fn read(path: &Path, text: &[u8]) -> Option<Read> {
    let text = String::from_utf8_lossy(text);
    let lines = text
        .lines()
        .filter_map(|line| xtask_remote::json::from_str(line).ok());
    let (mut about, mut step, mut ended) = (None, None, false);
    for line in lines {
        match line {
            Line::Begins { version, .. } if version > FORM => return None,
            Line::Begins { id, what, .. } => about = Some((id, what)),
            Line::Before { step: name } => step = Some(name),
            Line::After { .. } => {}
            Line::Ends => ended = true,
        }
    }
    if ended {
        return Some(Read::Ended);
    }
    let (id, what) = about?;
    let path = path.to_owned();
    Some(Read::Unfinished(Unfinished {
        id,
        what,
        step,
        path,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "ab12", "promote version 3 of m to prod");
        for step in ["lock", "create"] {
            journal.write(&Line::Before {
                step: step.to_owned(),
            });
            journal.write(&Line::After {
                step: step.to_owned(),
            });
        }
        assert_eq!(journal.trouble(), None);
        let path = folder.path().join("ab12.jsonl");
        let text = fs::read(&path).unwrap();
        (folder, path, text)
    }

    #[test]
    fn an_interrupted_promotion_is_named_with_its_step() {
        let (folder, ..) = journal();
        let (found, aside) = unfinished(folder.path());
        assert_eq!(aside, Vec::<PathBuf>::new());
        assert_eq!(found[0].step.as_deref(), Some("create"));
        assert_eq!(found[0].what, "promote version 3 of m to prod");
    }

    #[test]
    fn one_that_ended_leaves_nothing_nor_do_earlier_attempts_at_the_same() {
        let (folder, path, _) = journal();
        let what = "promote version 3 of m to prod";
        Journal::open(folder.path(), "cd34", "promote another").end();
        assert!(path.exists());
        Journal::open(folder.path(), "ef56", what).end();
        assert!(!path.exists());
        assert_eq!(unfinished(folder.path()).0, Vec::new());
    }

    #[test]
    fn cut_at_any_byte_it_says_no_more_than_it_knows() {
        let (folder, path, text) = journal();
        for length in 0..=text.len() {
            fs::write(&path, &text[..length]).unwrap();
            let (found, aside) = unfinished(folder.path());
            match found.first() {
                Some(found) => assert_eq!(found.id, "ab12", "{length}"),
                None => {
                    assert_eq!(aside.len(), 1, "{length}");
                    fs::rename(&aside[0], &path).unwrap();
                }
            }
        }
    }

    #[test]
    fn any_flipped_bit_does_no_harm() {
        let (folder, path, text) = journal();
        for byte in 0..text.len() {
            for bit in 0..8 {
                let mut flipped = text.clone();
                flipped[byte] ^= 1 << bit;
                fs::write(&path, &flipped).unwrap();
                let (found, aside) = unfinished(folder.path());
                assert_eq!(found.len() + aside.len(), 1, "byte {byte} bit {bit}");
                for path in aside {
                    fs::remove_file(path).unwrap();
                }
            }
        }
    }

    #[test]
    fn a_journal_of_a_later_version_and_other_things_in_its_place_are_set_aside_or_left() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(
            at("a.jsonl"),
            r#"{"line":"begins","version":2,"id":"a","what":"x"}"#,
        )
        .unwrap();
        fs::write(at("b.jsonl"), [0; 300]).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", at("c.jsonl")).unwrap();
        let (found, aside) = unfinished(folder.path());
        assert_eq!(found, Vec::new());
        assert_eq!(aside.len(), 3);
        assert!(at("a.unreadable").exists(), "set aside, not deleted");
    }

    #[test]
    fn one_that_cannot_be_written_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let mut journal = Journal::open(&folder.path().join("file"), "ab12", "x");
        journal.write(&Line::Ends);
        assert!(journal.trouble().unwrap().contains("ab12.jsonl"));
        let mut full = Journal {
            path: "/dev/full".into(),
            what: String::new(),
            file: Some(OpenOptions::new().append(true).open("/dev/full").unwrap()),
            trouble: None,
        };
        full.write(&Line::Ends);
        assert!(full.trouble().unwrap().contains("space"), "{full:?}");
        // What points elsewhere is not followed.
        std::os::unix::fs::symlink(folder.path().join("file"), folder.path().join("l.jsonl"))
            .unwrap();
        let linked = Journal::open(folder.path(), "l", "x");
        assert!(linked.trouble().is_some());
    }
}
