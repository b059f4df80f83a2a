//! Rows of one kind, by id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Id, OfRepo, Repo};

pub(crate) trait Row: Clone + Serialize + DeserializeOwned {
    /// Name in the database.
    const KIND: &'static str;
}

/// A row to write, or to delete (`None`).
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) kind: &'static str,
    pub(crate) id: Id,
    pub(crate) json: Option<String>,
}

/// Clones share the rows.
#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    rows: BTreeMap<Id, Arc<T>>,
    changed: BTreeSet<Id>,
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table {
            rows: BTreeMap::new(),
            changed: BTreeSet::new(),
        }
    }
}

impl<T: Row> Table<T> {
    pub(crate) fn get(&self, id: Id) -> Option<&T> {
        self.rows.get(&id).map(AsRef::as_ref)
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values().map(AsRef::as_ref)
    }

    pub(crate) fn of(&self, repo: &Repo) -> impl DoubleEndedIterator<Item = &T>
    where
        T: OfRepo,
    {
        let id = repo.id;
        self.iter().filter(move |row| row.repo() == id)
    }

    pub(crate) fn find(&self, fits: impl Fn(&T) -> bool) -> Option<&T> {
        self.iter().find(|row| fits(row))
    }

    pub(crate) fn edit(&mut self, id: Id) -> Option<&mut T> {
        let row = self.rows.get_mut(&id)?;
        self.changed.insert(id);
        Some(Arc::make_mut(row))
    }

    pub(crate) fn put(&mut self, id: Id, row: T) {
        self.rows.insert(id, Arc::new(row));
        self.changed.insert(id);
    }

    pub(crate) fn retain(&mut self, fits: impl Fn(&T) -> bool) {
        let over: Vec<Id> = self
            .rows
            .iter()
            .filter(|(_, row)| !fits(row))
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            self.remove(id);
        }
    }

    pub(crate) fn remove(&mut self, id: Id) {
        if self.rows.remove(&id).is_some() {
            self.changed.insert(id);
        }
    }

    pub(super) fn edit_or_default(&mut self, id: Id) -> &mut T
    where
        T: Default,
    {
        self.changed.insert(id);
        Arc::make_mut(self.rows.entry(id).or_default())
    }

    pub(super) fn load(
        &mut self,
        kind: &str,
        id: Id,
        json: &str,
    ) -> Result<bool, serde_json::Error> {
        if kind == T::KIND {
            self.rows.insert(id, Arc::new(serde_json::from_str(json)?));
        }
        Ok(kind == T::KIND)
    }

    pub(super) fn take_changes(
        &mut self,
        changes: &mut Vec<Change>,
    ) -> Result<(), serde_json::Error> {
        for id in std::mem::take(&mut self.changed) {
            let json = match self.rows.get(&id) {
                Some(row) => Some(serde_json::to_string(row.as_ref())?),
                None => None,
            };
            changes.push(Change {
                kind: T::KIND,
                id,
                json,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::world::World;

    #[test]
    fn a_copy_that_is_thrown_away_leaves_no_trace() {
        let mut world = World::default();
        let first = world.next_id();
        let mut copy = world.clone();
        assert_eq!(copy.next_id(), first + 1);
        assert_eq!(world.next_id(), first + 1);
        assert_eq!(world.take_changes().unwrap().len(), 1);
        assert!(world.take_changes().unwrap().is_empty());
    }
}
