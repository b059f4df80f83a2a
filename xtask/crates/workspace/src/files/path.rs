//! Client paths, validated segment by segment.

use std::fmt;

use crate::error::ApiError;

/// Bytes.
const LONGEST_SEGMENT: usize = 240;

/// A relative path of valid segments, joined by `/`; empty for the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelativePath(String);

impl RelativePath {
    /// Ignores leading, trailing and double slashes.
    pub fn parse(text: &str) -> Result<RelativePath, ApiError> {
        let segments: Vec<&str> = text
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        if let Some(reason) = segments.iter().find_map(|segment| objection(segment)) {
            return Err(ApiError::invalid(format!(
                "Path ({}) is invalid: {reason}",
                text.escape_debug()
            )));
        }
        Ok(RelativePath(segments.join("/")))
    }

    /// Without a leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }

    /// `None` for the root.
    pub fn parent(&self) -> Option<RelativePath> {
        if self.0.is_empty() {
            return None;
        }
        Some(RelativePath(
            self.0
                .rsplit_once('/')
                .map(|(parent, _)| parent.to_owned())
                .unwrap_or_default(),
        ))
    }

    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    pub fn join(&self, name: &str) -> RelativePath {
        RelativePath(if self.0.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.0)
        })
    }
}

/// Why a name is invalid.
fn objection(segment: &str) -> Option<&'static str> {
    if matches!(segment, "." | "..") {
        return Some("it must not contain '.' or '..'");
    }
    if segment.contains('\\') || segment.chars().any(char::is_control) {
        return Some("it must not contain backslashes or control characters");
    }
    (segment.len() > LONGEST_SEGMENT).then_some("a segment is too long")
}

/// A path of the workspace tree. `/Workspace/Users/x` and `/Users/x` are the same object. Replies keep the client's
/// spelling; like Databricks, they drop the mount from a path with two leading slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkspacePath {
    relative: RelativePath,
    mounted: bool,
    doubled: bool,
}

impl WorkspacePath {
    pub(crate) fn parse(text: &str) -> Result<WorkspacePath, ApiError> {
        if !text.starts_with('/') {
            return Err(ApiError::invalid(format!(
                "Path ({}) must start with '/'",
                text.escape_debug()
            )));
        }
        let all = RelativePath::parse(text)?;
        let doubled = text.starts_with("//");
        Ok(match all.as_str().strip_prefix("Workspace") {
            Some("") => WorkspacePath {
                relative: RelativePath(String::new()),
                mounted: true,
                doubled,
            },
            Some(rest) if rest.starts_with('/') => WorkspacePath {
                relative: RelativePath(rest[1..].to_owned()),
                mounted: true,
                doubled,
            },
            _ => WorkspacePath {
                relative: all,
                mounted: false,
                doubled,
            },
        })
    }

    /// Relative to the tree's folder.
    pub(crate) fn relative(&self) -> &RelativePath {
        &self.relative
    }

    /// The key in the database: without `/Workspace`.
    pub(crate) fn key(&self) -> String {
        format!("/{}", self.relative.as_str())
    }

    /// As the client wrote it, for error messages.
    pub(crate) fn asked(&self) -> String {
        match (self.doubled, self.mounted) {
            (true, true) => format!("//Workspace{}", self.key()),
            (true, false) => format!("/{self}"),
            (false, _) => self.to_string(),
        }
    }

    pub(crate) fn parent(&self) -> Option<WorkspacePath> {
        Some(WorkspacePath {
            relative: self.relative.parent()?,
            mounted: self.mounted,
            doubled: self.doubled,
        })
    }

    pub(crate) fn join(&self, name: &str) -> WorkspacePath {
        WorkspacePath {
            relative: self.relative.join(name),
            mounted: self.mounted,
            doubled: self.doubled,
        }
    }

    pub(crate) fn with_name(&self, name: &str) -> WorkspacePath {
        self.parent()
            .map_or_else(|| self.clone(), |parent| parent.join(name))
    }
}

impl fmt::Display for WorkspacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.mounted && !self.doubled;
        let mount = if shown { "/Workspace" } else { "" };
        match self.relative.as_str() {
            "" if shown => f.write_str(mount),
            relative => write!(f, "{mount}/{relative}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_point_is_a_second_spelling() {
        for (text, key) in [
            ("/Workspace/Users/a@b/x", "/Users/a@b/x"),
            ("//Users//a@b/x/", "/Users/a@b/x"),
            ("/Workspace", "/"),
            ("/Workspaces/x", "/Workspaces/x"),
        ] {
            assert_eq!(WorkspacePath::parse(text).unwrap().key(), key, "{text}");
        }
        assert_eq!(
            WorkspacePath::parse("/Workspace/a").unwrap().to_string(),
            "/Workspace/a"
        );
        assert_eq!(
            WorkspacePath::parse("/a/b")
                .unwrap()
                .parent()
                .unwrap()
                .to_string(),
            "/a"
        );
        assert_eq!(WorkspacePath::parse("/").unwrap().parent(), None);
        let doubled = WorkspacePath::parse("//Workspace/a").unwrap();
        assert_eq!(doubled.to_string(), "/a");
        assert_eq!(doubled.asked(), "//Workspace/a");
    }

    #[test]
    fn names_that_could_lead_out_are_refused() {
        for text in [
            "/a/../b",
            "/..",
            "/a/./b",
            "/a\\..\\b",
            "/a\0b",
            "a/b",
            "",
            "/\u{1b}[31m",
        ] {
            assert!(WorkspacePath::parse(text).is_err(), "{text:?}");
        }
        assert!(RelativePath::parse(&"x".repeat(241)).is_err());
    }
}
