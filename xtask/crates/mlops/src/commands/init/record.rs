//! What `init` leaves in a project about itself, in a file of its own: xtask.toml is edited by people, and this is
//! rewritten whole by the tool. With the answers and the commit an older version's files can be made again, as the
//! base of a three-way merge; the digests tell which of them the team has changed since.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use xtask_remote::sha256;

use super::answers::Answers;
use super::template::Files;
use super::tool::Tool;

/// Its name in a project.
pub(super) const FILE: &str = ".xtask-init.toml";

/// The part that is read back.
#[derive(Debug, Deserialize)]
pub(super) struct Record {
    pub(super) tool: Version,
}

/// A version of the tool.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) version: String,
    pub(super) url: String,
    pub(super) commit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tag: Option<String>,
    /// Whether the project has a copy of it.
    pub(super) vendored: bool,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    tool: Version,
    answers: &'a Answers,
    files: BTreeMap<&'a str, String>,
}

impl Record {
    /// The record of a project; `None` where `init` did not make it.
    pub(super) fn read(root: &Utf8Path) -> Option<Record> {
        let text = fs_err::read_to_string(root.join(FILE)).ok()?;
        toml::from_str(&text).ok()
    }
}

impl Tool {
    /// The tool's entry in the record.
    pub(super) fn version(&self, vendored: bool) -> Version {
        Version {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            url: self.url.clone(),
            commit: self.commit.clone(),
            tag: self.tag.clone(),
            vendored,
        }
    }
}

/// The text of the record. Files of a copied tool are not listed: they are the tool's.
pub(super) fn text(tool: Version, answers: &Answers, files: &Files) -> anyhow::Result<String> {
    let own = files
        .iter()
        .filter(|(path, _)| !path.starts_with("xtask/crates"));
    let written = Written {
        version: 1,
        tool,
        answers,
        files: own
            .map(|(path, file)| (path.as_str(), sha256(&file.bytes)))
            .collect(),
    };
    Ok(format!(
        "# Written by `cargo xtask init`: what was answered, and the SHA-256 of each file that it wrote. Do not edit.\n{}",
        toml::to_string(&written)?
    ))
}
