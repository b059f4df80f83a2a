//! Files and folders by path.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::reply::Refusal;

/// A tree; paths have no slash in front. The root is always there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tree {
    nodes: BTreeMap<String, Node>,
    last_id: u64,
}

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) id: u64,
    pub(super) created: i64,
    pub(super) modified: i64,
    /// `None` for a folder. Shared, so that a copy of a workspace costs nothing.
    pub(super) content: Option<Arc<Vec<u8>>>,
}

/// Why something cannot be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InTheWay {
    /// A file where a folder has to be.
    FileAbove,
    /// A folder at the place.
    Folder,
    /// A file at the place, which was not to be replaced.
    File,
}

impl Tree {
    pub(super) fn get(&self, path: &str) -> Option<Node> {
        if path.is_empty() {
            return Some(Node {
                id: 0,
                created: 0,
                modified: 0,
                content: None,
            });
        }
        self.nodes.get(path).cloned()
    }

    pub(super) fn is_folder(&self, path: &str) -> bool {
        self.get(path).is_some_and(|node| node.content.is_none())
    }

    /// What lies in a folder, by name.
    pub(super) fn children(&self, folder: &str) -> Vec<(String, Node)> {
        let start = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        self.nodes
            .range(start.clone()..)
            .take_while(|(path, _)| path.starts_with(&start))
            .filter_map(|(path, node)| {
                let name = path.strip_prefix(&start)?;
                (!name.contains('/')).then(|| (name.to_owned(), node.clone()))
            })
            .collect()
    }

    /// Makes a folder with its parents.
    pub(super) fn make_folder(&mut self, now: i64, path: &str) -> Result<(), InTheWay> {
        let mut at = String::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if !at.is_empty() {
                at.push('/');
            }
            at.push_str(name);
            match self.nodes.get(&at) {
                Some(node) if node.content.is_some() => return Err(InTheWay::FileAbove),
                Some(_) => {}
                None => self.put(now, &at, None),
            }
        }
        Ok(())
    }

    /// Puts a file into a folder that is there.
    pub(super) fn write(
        &mut self,
        now: i64,
        path: &str,
        content: Vec<u8>,
        overwrite: bool,
    ) -> Result<(), InTheWay> {
        match self.nodes.get(path) {
            Some(_) if !overwrite => return Err(InTheWay::File),
            Some(node) if node.content.is_none() => return Err(InTheWay::Folder),
            _ => {}
        }
        self.put(now, path, Some(Arc::new(content)));
        Ok(())
    }

    fn put(&mut self, now: i64, path: &str, content: Option<Arc<Vec<u8>>>) {
        self.last_id += 1;
        let fresh = Node {
            id: self.last_id,
            created: now,
            modified: now,
            content: None,
        };
        let node = self.nodes.entry(path.to_owned()).or_insert(fresh);
        node.modified = now;
        node.content = content;
    }

    /// Removes a path with everything below it.
    pub(super) fn remove(&mut self, path: &str) {
        let below = format!("{path}/");
        self.nodes
            .retain(|at, _| at != path && !at.starts_with(&below));
    }

    /// The files below a folder, by path relative to it.
    pub(super) fn files_below(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let start = format!("{folder}/");
        self.nodes
            .iter()
            .filter_map(|(path, node)| {
                let name = path.strip_prefix(&start)?;
                Some((name.to_owned(), node.content.as_ref()?.to_vec()))
            })
            .collect()
    }

    /// All files with what is in them.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.nodes
            .iter()
            .filter_map(|(path, node)| Some((path.as_str(), node.content.as_ref()?.as_slice())))
    }
}

/// The folder that a path lies in.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// A path in one spelling: without slashes in front, behind and doubled.
pub(super) fn checked(path: &str) -> Result<String, Refusal> {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let wrong = |name: &&str| {
        matches!(*name, "." | "..")
            || name.contains('\\')
            || name.chars().any(char::is_control)
            || name.len() > 240
    };
    if names.iter().any(wrong) {
        return Err(Refusal::invalid(format!("Path ({path}) is invalid")));
    }
    Ok(names.join("/"))
}
