//! git's settings, read once: each query would be another process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use xshell::cmd;

use super::{Git, pieces};
use crate::child_env::sh;

/// The output of `git config --list`, shared by all clones of a [`Git`].
#[derive(Debug, Clone, Default)]
pub(super) struct Settings(Arc<Mutex<Option<Listed>>>);

/// Each setting's last value by name; `None` for a setting without `=`.
type Listed = BTreeMap<String, Option<String>>;

impl Git {
    /// A setting; `None` if not set.
    pub(crate) fn setting(&self, key: &str) -> Option<String> {
        self.listed(|all| all.get(&normal(key)).cloned().flatten())
            .filter(|value| !value.is_empty())
    }

    /// Whether a boolean setting is true.
    pub(crate) fn is_set(&self, key: &str) -> bool {
        self.listed(|all| {
            all.get(&normal(key))
                .is_some_and(|value| says_yes(value.as_deref()))
        })
    }

    /// The settings with this prefix and suffix; the part between is case-sensitive.
    pub(super) fn settings_named(&self, start: &str, end: &str) -> Vec<String> {
        let is_one = |key: &&String| key.starts_with(start) && key.ends_with(end);
        self.listed(|all| all.keys().filter(is_one).cloned().collect())
    }

    /// Drops the cached settings: a command may have changed them.
    pub(super) fn forget_settings(&self) {
        *self
            .settings
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn listed<T>(&self, ask: impl FnOnce(&Listed) -> T) -> T {
        let mut known = self
            .settings
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        ask(known.get_or_insert_with(|| {
            let listed = self.read(cmd!(sh(), "git config -z --list"));
            let listed = listed.unwrap_or_default();
            pieces(&listed).map(entry).collect()
        }))
    }
}

fn entry(piece: &str) -> (String, Option<String>) {
    match piece.split_once('\n') {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (piece.to_owned(), None),
    }
}

/// A name as git lists it: lower case except for the part between the first and the last dot.
fn normal(key: &str) -> String {
    let Some((section, rest)) = key.split_once('.') else {
        return key.to_lowercase();
    };
    let section = section.to_lowercase();
    match rest.rsplit_once('.') {
        Some((middle, name)) => format!("{section}.{middle}.{}", name.to_lowercase()),
        None => format!("{section}.{}", rest.to_lowercase()),
    }
}

/// git-config(1), "Values", boolean.
fn says_yes(value: Option<&str>) -> bool {
    let Some(value) = value else {
        return true;
    };
    let value = value.to_lowercase();
    match value.as_str() {
        "true" | "yes" | "on" => true,
        number => number.parse::<i64>().is_ok_and(|number| number != 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_booleans_are_read_as_git_reads_them() {
        for (key, listed) in [
            ("push.default", "push.default"),
            ("core.sshCommand", "core.sshcommand"),
            (
                "Branch.Fix-It.More.pushRemote",
                "branch.Fix-It.More.pushremote",
            ),
        ] {
            assert_eq!(normal(key), listed);
        }
        assert_eq!(entry("a.b"), ("a.b".to_owned(), None));
        assert_eq!(entry("a.b\nc\nd").1.as_deref(), Some("c\nd"));
        for yes in [
            None,
            Some("true"),
            Some("YES"),
            Some("on"),
            Some("1"),
            Some("-2"),
        ] {
            assert!(says_yes(yes), "{yes:?}");
        }
        for no in ["", "false", "no", "off", "0", "maybe"] {
            assert!(!says_yes(Some(no)), "{no}");
        }
    }
}
