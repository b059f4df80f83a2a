//! What cargo compiled during this run: no crate twice. A second time means that two builds differ in
//! something that one of them should not have had, and that each undoes the other's work.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::Deserialize;

use crate::error::Failure;
use crate::process::Finished;

/// The start of each line that cargo writes for programs.
const START: &str = "{\"reason\":";

/// Has cargo write them.
pub(super) const MESSAGES: &str = "--message-format=json-render-diagnostics";
/// The options of tests: a failure in one crate says nothing of the others.
pub(super) const TESTS: [&str; 4] = ["--locked", "--workspace", MESSAGES, "--no-fail-fast"];

/// The tests that failed in any crate, then the end of what cargo told people.
pub(super) fn told(finished: &Finished) -> String {
    let failed = |line: &&str| line.starts_with("test ") && line.ends_with(" FAILED");
    let tests = finished.stdout.lines().filter(failed);
    let tail = finished
        .tail
        .lines()
        .filter(|line| !line.starts_with(START));
    tests.chain(tail).collect::<Vec<_>>().join("\n")
}

/// What was compiled.
#[derive(Debug, Default)]
pub(super) struct Builds {
    seen: RefCell<BTreeSet<String>>,
    again: RefCell<BTreeSet<String>>,
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    package_id: String,
    #[serde(default)]
    filenames: Vec<String>,
    #[serde(default)]
    fresh: bool,
}

impl Builds {
    /// Whether a line is one that cargo writes for programs; what it says is kept.
    pub(super) fn see(&self, line: &str) -> bool {
        if !line.starts_with(START) {
            return false;
        }
        let Ok(message) = xtask_remote::json::from_str::<Message>(line) else {
            return false;
        };
        // Crates of this repository may change in between; others do not.
        let foreign = !message.package_id.starts_with("path+");
        if message.reason == "compiler-artifact" && foreign && !message.fresh {
            for file in message.filenames {
                if !self.seen.borrow_mut().insert(file) {
                    let package = message.package_id.rsplit(['/', '#']).next();
                    let package = package.unwrap_or_default().to_owned();
                    self.again.borrow_mut().insert(package);
                }
            }
        }
        true
    }

    /// Fails where anything was compiled at all: all that was asked for was there.
    pub(super) fn nothing_new(&self) -> anyhow::Result<()> {
        let count = self.seen.borrow().len();
        if count == 0 {
            return Ok(());
        }
        differs(format!(
            "cargo compiled {count} files that `cargo xtask` had compiled"
        ))
    }

    /// Fails where a crate was compiled that had been compiled before.
    pub(super) fn none_again(&self) -> anyhow::Result<()> {
        let again = std::mem::take(&mut *self.again.borrow_mut());
        if again.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = again.iter().map(String::as_str).collect();
        differs(format!(
            "cargo compiled again what it had compiled: {}",
            names.join(", ")
        ))
    }
}

fn differs(what: String) -> anyhow::Result<()> {
    Failure::failed(what)
        .details("CARGO_LOG=cargo::core::compiler::fingerprint=info says what has changed for it")
        .next("compare the environment of cargo in xtask/crates/mlops/src/child_env/variables.rs with yours")
        .err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(package: &str, file: &str, fresh: bool) -> String {
        format!(
            "{{\"reason\":\"compiler-artifact\",\"package_id\":\"{package}\",\"filenames\":[\"{file}\"],\"fresh\":{fresh}}}"
        )
    }

    #[test]
    fn a_crate_that_is_compiled_twice_is_named() {
        let ring = "registry+https://index#ring@0.17.14";
        let builds = Builds::default();
        assert!(!builds.see("test result: ok. 1 passed"));
        assert!(builds.see(&artifact(ring, "/t/libring-1.rlib", false)));
        // For another set of features, and taken from before.
        assert!(builds.see(&artifact(ring, "/t/libring-2.rlib", false)));
        assert!(builds.see(&artifact(ring, "/t/libring-1.rlib", true)));
        let ours = "path+file:///p/xtask#0.1.0";
        assert!(builds.see(&artifact(ours, "/t/xtask", false)));
        assert!(builds.see(&artifact(ours, "/t/xtask", false)));
        builds.none_again().unwrap();
        assert!(builds.see(&artifact(ring, "/t/libring-1.rlib", false)));
        let error = builds.none_again().unwrap_err().to_string();
        assert!(error.ends_with(": ring@0.17.14"), "{error}");
    }
}
