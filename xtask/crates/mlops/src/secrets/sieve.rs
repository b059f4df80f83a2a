//! Searches lines for secrets, and reports where they are and how to remove them. The secret itself is
//! never shown.

use std::collections::BTreeSet;

use super::forms;
use super::scanner::Scanner;
use crate::error::Failure;
use xtask_remote::sha256;

use crate::tools::kingfisher::Match;
use crate::ui::safe_line;
use crate::words::short;

/// The message if the scanner fails.
pub(crate) const NOT_SEARCHED: &str = "the search for secrets did not finish";
/// The batch size of the scanner in bytes.
const AT_ONCE: usize = 64 << 20;
/// How many findings are listed.
const NAMED: usize = 10;
/// How many lines identify a private key: the first line is the same for all.
const OF_A_KEY: usize = 5;

/// The source of a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Location {
    /// A file in a commit.
    Commit { path: String, commit: String },
    /// An uncommitted file.
    File(String),
    /// The message of a commit.
    Message(String),
    /// Other text sent to GitHub, such as `the title`.
    Words(&'static str),
}

/// A possible secret.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    place: Location,
    line: usize,
    kind: String,
    /// The digest of the line for xtask.toml, which does not reveal it.
    digest: String,
}

/// Collects findings.
#[derive(Debug)]
pub(crate) struct Sieve<'a> {
    scanner: &'a Scanner,
    /// Lines pending for the scanner, with their source and number.
    waiting: String,
    spots: Vec<(usize, usize)>,
    places: Vec<Location>,
    /// Why the scan is incomplete.
    broken: Option<String>,
    found: Vec<Found>,
    known: BTreeSet<(String, String)>,
}

impl<'a> Sieve<'a> {
    /// An empty search with the allowed secrets.
    pub(crate) fn new(scanner: &'a Scanner) -> Sieve<'a> {
        Sieve {
            scanner,
            waiting: String::new(),
            spots: Vec::new(),
            places: Vec::new(),
            broken: None,
            found: Vec::new(),
            known: BTreeSet::new(),
        }
    }

    /// Searches numbered lines of one source.
    pub(crate) fn add(&mut self, place: &Location, lines: &[(usize, &str)]) {
        for (index, (number, line)) in lines.iter().enumerate() {
            if let Some(kind) = forms::in_line(line) {
                self.keep(place, *number, kind, &lines[index..]);
            }
        }
        let of = self.places.len();
        self.places.push(place.clone());
        for (number, line) in lines {
            self.wait(of, *number, line);
        }
        // No finding spans two sources.
        self.wait(of, 0, "");
        if self.waiting.len() > AT_ONCE {
            self.search();
        }
    }

    fn wait(&mut self, place: usize, number: usize, line: &str) {
        self.waiting.push_str(line);
        self.waiting.push('\n');
        self.spots.push((place, number));
    }

    /// Scans the pending lines.
    fn search(&mut self) {
        let (waiting, spots, places) = (
            std::mem::take(&mut self.waiting),
            std::mem::take(&mut self.spots),
            std::mem::take(&mut self.places),
        );
        let matches = match self.scanner.search(&waiting) {
            Ok(matches) => matches,
            Err(error) => {
                self.broken = Some(error.to_string());
                return;
            }
        };
        let lines: Vec<&str> = waiting.split('\n').collect();
        for Match { line, rule } in matches {
            let Some(index) = line.checked_sub(1).filter(|index| *index < spots.len()) else {
                continue;
            };
            let (place, number) = spots[index];
            let from = spots[index..].iter().zip(&lines[index..]);
            let from = from.take_while(|((of, _), _)| *of == place).take(OF_A_KEY);
            let from: Vec<(usize, &str)> =
                from.map(|((_, number), line)| (*number, *line)).collect();
            self.keep(&places[place], number, &rule, &from);
        }
    }

    /// Ends the search; returns the scanner's error, if any.
    pub(crate) fn finish(&mut self) -> Option<&str> {
        self.search();
        self.broken.as_deref()
    }

    fn keep(&mut self, place: &Location, number: usize, kind: &str, from: &[(usize, &str)]) {
        let digest = digest(from);
        // Each commit that moves a line adds it again.
        let of = match place {
            Location::Commit { path, .. } | Location::File(path) => path.clone(),
            Location::Message(_) | Location::Words(_) => String::new(),
        };
        if self.scanner.allowed.contains(&digest) || !self.known.insert((of, digest.clone())) {
            return;
        }
        self.found.push(Found {
            place: place.clone(),
            line: number,
            kind: kind.to_owned(),
            digest,
        });
    }

    /// The findings as an error and its remedy; `head` is the newest commit.
    pub(crate) fn verdict(&self, head: &str) -> Option<(String, String)> {
        if self.found.is_empty() {
            return None;
        }
        let mut named: Vec<String> = self.found.iter().take(NAMED).map(described).collect();
        if let Some(more @ 1..) = self.found.len().checked_sub(NAMED) {
            named.push(format!("and {more} more"));
        }
        let what = format!("possible secret would be published: {}", named.join(", "));
        Some((what, self.remedy(head)))
    }

    pub(crate) fn refuse(mut self, head: &str) -> anyhow::Result<()> {
        if let Some(why) = self.finish() {
            return Failure::failed(format!("{NOT_SEARCHED}: {why}"))
                .next("run it again")
                .err();
        }
        match self.verdict(head) {
            Some((what, next)) => Failure::failed(what).next(next).err(),
            None => Ok(()),
        }
    }

    /// How to remove the findings.
    fn remedy(&self, head: &str) -> String {
        let mut steps: Vec<String> = Vec::new();
        let mut add = |step: String| {
            if !steps.contains(&step) {
                steps.push(step);
            }
        };
        let commits: Vec<&str> = self.found.iter().filter_map(Found::commit).collect();
        let older: BTreeSet<&str> = commits
            .iter()
            .copied()
            .filter(|commit| *commit != head)
            .collect();
        for found in &self.found {
            match &found.place {
                Location::File(_) => add("remove it from the file".to_owned()),
                Location::Words(_) => add("reword it without the secret".to_owned()),
                Location::Commit { .. } | Location::Message(_) if !older.is_empty() => {}
                Location::Commit { .. } => {
                    add("remove it from the file, then git commit --amend".to_owned());
                }
                Location::Message(_) => add("git commit --amend".to_owned()),
            }
        }
        // Oldest first.
        if let Some(first) = commits.iter().find(|commit| older.contains(*commit)) {
            let all: Vec<&str> = older.iter().map(|commit| short(commit)).collect();
            add(format!(
                "remove it from each commit that contains it (a later commit does not help): git rebase --interactive {}^, \
                 with `edit` for {}",
                short(first),
                all.join(", ")
            ));
        }
        steps.push("revoke it if it was ever published".to_owned());
        let digests: Vec<String> = self
            .found
            .iter()
            .take(NAMED)
            .map(|found| format!("\"{}\"", found.digest))
            .collect();
        steps.push(format!(
            "or, for a false alarm: allowed-secrets = [{}] below [github] in xtask.toml",
            digests.join(", ")
        ));
        steps.join("; ")
    }
}

impl Found {
    fn commit(&self) -> Option<&str> {
        match &self.place {
            Location::Commit { commit, .. } | Location::Message(commit) => Some(commit),
            Location::File(_) | Location::Words(_) => None,
        }
    }
}

/// `src/fit.py:3 (a GitHub token, in commit 1a2b3c4d)`.
fn described(found: &Found) -> String {
    let Found {
        place, line, kind, ..
    } = found;
    match place {
        Location::Commit { path, commit } => {
            format!(
                "{}:{line} ({kind}, in commit {})",
                safe_line(path),
                short(commit)
            )
        }
        Location::File(path) => format!("{}:{line} ({kind})", safe_line(path)),
        Location::Message(commit) => {
            format!(
                "line {line} of the message of commit {} ({kind})",
                short(commit)
            )
        }
        Location::Words(which) => format!("line {line} of {which} ({kind})"),
    }
}

/// The digest of a line, and of the following lines of a private key.
fn digest(from: &[(usize, &str)]) -> String {
    let begins_key = from
        .first()
        .is_some_and(|(_, line)| line.contains("PRIVATE KEY") || line.contains("PuTTY"));
    let count = if begins_key { OF_A_KEY } else { 1 };
    let text: Vec<&str> = from
        .iter()
        .take(count)
        .map(|(_, line)| line.trim())
        .collect();
    sha256(text.join("\n").as_bytes())[..12].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(of: char) -> String {
        format!("t = \"ghp_{}\"", format!("{of}1").repeat(18))
    }

    #[test]
    fn the_remedy_names_the_commits_that_hold_it() {
        let scanner = Scanner::allowing(&[]);
        let mut sieve = Sieve::new(&scanner);
        let (old, head) = ("a".repeat(40), "b".repeat(40));
        let place = |commit: &str| Location::Commit {
            path: "x.py".to_owned(),
            commit: commit.to_owned(),
        };
        let (one, two) = (token('a'), token('b'));
        sieve.add(&place(&head), &[(3, &one)]);
        let (what, next) = sieve.verdict(&head).unwrap();
        assert!(
            what.contains("x.py:3 (a GitHub token, in commit bbbbbbb)"),
            "{what}"
        );
        assert!(next.contains("git commit --amend"), "{next}");
        assert!(!next.contains("rebase"), "{next}");
        assert!(!what.contains("ghp_") && !next.contains("ghp_"));
        // The same line again is the same finding.
        sieve.add(&place(&old), &[(4, &one)]);
        assert_eq!(sieve.found.len(), 1);
        sieve.add(&place(&old), &[(5, &two)]);
        let (_, next) = sieve.verdict(&head).unwrap();
        assert!(
            next.contains("git rebase --interactive aaaaaaa^, with `edit` for aaaaaaa"),
            "{next}"
        );
    }

    #[test]
    fn what_is_allowed_passes_and_another_key_does_not() {
        let begin = format!("-----BEGIN RSA {}-----", "PRIVATE KEY");
        let place = Location::File("key.pem".to_owned());
        let scanner = Scanner::allowing(&[]);
        let mut sieve = Sieve::new(&scanner);
        sieve.add(&place, &[(1, &begin), (2, "MIIabc")]);
        let scanner = Scanner::allowing(&[sieve.found[0].digest.clone()]);
        let mut sieve = Sieve::new(&scanner);
        sieve.add(&place, &[(1, &begin), (2, "MIIabc")]);
        assert!(sieve.verdict("").is_none());
        sieve.add(&place, &[(1, &begin), (2, "MIIxyz")]);
        assert!(sieve.verdict("").is_some());
    }
}
