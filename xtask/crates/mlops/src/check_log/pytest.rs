//! pytest: each failed test with its failing line and message.

use super::{Finding, place, traceback};

/// The failures between `=== FAILURES ===` (or `ERRORS`) and the summary.
pub(super) fn findings(output: &[&str]) -> Vec<Finding> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in output {
        if let Some(title) = title(line, '=') {
            inside = matches!(title, "FAILURES" | "ERRORS");
        } else if !inside {
            continue;
        } else if let Some(name) = title(line, '_') {
            blocks.push(Block::new(name));
        } else if let Some(block) = blocks.last_mut() {
            block.see(line);
        }
    }
    blocks.into_iter().filter_map(Block::finding).collect()
}

/// One test's finding.
pub(super) fn of_test(test: &str, account: &[&str]) -> Option<Finding> {
    let mut block = Block::new(test);
    account.iter().for_each(|line| block.see(line));
    block.finding()
}

/// The causes that `cargo xtask test` lists, with the traceback of the first one below: `46 failed by one
/// cause: KeyError: 'trip_dist', features.py:41`.
pub(super) fn causes(quoted: &[&str]) -> Vec<Finding> {
    let listed = |line: &&str| {
        let (who, rest) = match line.split_once(" failed by one cause: ") {
            Some((count, rest)) => (format!("{count} tests"), rest),
            None => {
                let (test, rest) = line.split_once(" failed: ")?;
                (!test.contains(' ')).then(|| (test.to_owned(), rest))?
            }
        };
        let (what, place) = match rest.rsplit_once(", ") {
            Some((what, found)) => (what, place(found)),
            None => (rest, None),
        };
        Some(Finding {
            tool: "pytest".to_owned(),
            name: Some(who),
            place,
            what: what.to_owned(),
            lines: Vec::new(),
        })
    };
    let mut causes: Vec<Finding> = quoted.iter().map_while(listed).collect();
    if let Some(first) = causes.first_mut() {
        let innermost = of_test("", quoted);
        first.lines = innermost.map(|finding| finding.lines).unwrap_or_default();
    }
    causes
}

/// The title in a line such as `=== FAILURES ===`.
fn title(line: &str, sign: char) -> Option<&str> {
    let row = |text: &str| text.chars().take_while(|c| *c == sign).count() >= 3;
    let reversed: String = line.chars().rev().take(3).collect();
    let framed = row(line) && row(&reversed);
    let title = line.trim_matches(sign).trim();
    (framed && !title.is_empty()).then_some(title)
}

/// pytest's report of one test.
struct Block {
    name: String,
    /// The code line of the next location.
    code: Option<String>,
    /// Locations with their code; the last one in the project is the failing one.
    places: Vec<(String, Option<String>)>,
    /// Lines that start with `E`.
    explained: Vec<String>,
    /// The exception's name, from the last location.
    error: String,
    /// All lines, for `--tb=native`.
    all: Vec<String>,
}

impl Block {
    fn new(title: &str) -> Block {
        let name = title
            .strip_prefix("ERROR at setup of ")
            .or_else(|| title.strip_prefix("ERROR at teardown of "))
            .or_else(|| title.strip_prefix("ERROR collecting "));
        Block {
            name: name.unwrap_or(title).to_owned(),
            code: None,
            places: Vec::new(),
            explained: Vec::new(),
            error: String::new(),
            all: Vec::new(),
        }
    }

    fn see(&mut self, line: &str) {
        self.all.push(line.to_owned());
        if let Some(code) = line.strip_prefix('>') {
            self.code = Some(code.trim().to_owned());
        } else if line == "E" || line.starts_with("E  ") {
            self.explained.push(line[1..].to_owned());
        } else if let Some(found) = place(line) {
            if let Some(error) = line.splitn(3, ':').nth(2) {
                error.trim().clone_into(&mut self.error);
            }
            self.places.push((found, self.code.take()));
        }
    }

    /// `None` for a block that explains nothing, such as captured output that looked like one.
    fn finding(self) -> Option<Finding> {
        let explained = without_indentation(&self.explained);
        let what = explained.first().unwrap_or(&self.error).clone();
        if what.is_empty() {
            let all: Vec<&str> = self.all.iter().map(String::as_str).collect();
            let python = traceback::last(&all)?;
            return Some(Finding {
                tool: "pytest".to_owned(),
                name: Some(self.name),
                ..python
            });
        }
        let in_project = |(path, _): &&(String, _)| !path.starts_with('/');
        let found = self.places.iter().rfind(in_project).or(self.places.last());
        let code = found.and_then(|(_, code)| code.clone()).or(self.code);
        let lines = code.map(|code| format!("> {code}")).into_iter();
        Some(Finding {
            tool: "pytest".to_owned(),
            name: Some(self.name),
            place: found.map(|(place, _)| place.clone()),
            what,
            lines: lines
                .chain(explained.iter().map(|line| format!("E {line}")))
                .collect(),
        })
    }
}

fn without_indentation(lines: &[String]) -> Vec<String> {
    let indentation = |line: &String| line.len() - line.trim_start().len();
    let least = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(indentation)
        .min();
    lines
        .iter()
        .map(|line| {
            line.get(least.unwrap_or(0)..)
                .unwrap_or_default()
                .trim_end()
        })
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}
