//! Users, service principals and groups.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;

use super::{Result, Store, json, new_id, new_uuid};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    User,
    ServicePrincipal,
}

impl PrincipalKind {
    fn as_str(self) -> &'static str {
        match self {
            PrincipalKind::User => "USER",
            PrincipalKind::ServicePrincipal => "SERVICE_PRINCIPAL",
        }
    }

    fn parse(text: &str) -> PrincipalKind {
        match text {
            "SERVICE_PRINCIPAL" => PrincipalKind::ServicePrincipal,
            _ => PrincipalKind::User,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// 15 or 16 digits.
    pub id: i64,
    pub kind: PrincipalKind,
    /// A user's e-mail address, or a service principal's application id; used in permissions and runs.
    pub name: String,
    pub display_name: String,
    /// Id in the client's own system.
    pub external_id: String,
    /// As the client set them.
    pub entitlements: Value,
    pub active: bool,
    /// Without `users`, which contains everyone.
    pub groups: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub id: i64,
    pub name: String,
    /// Id, name and display name.
    pub members: Vec<(i64, String, String)>,
}

/// Members may do everything.
pub const ADMINS: &str = "admins";
/// Contains everyone.
pub const USERS: &str = "users";

const COLUMNS: &str =
    "principal_id, kind, name, display_name, external_id, entitlements_json, active";

impl Store {
    /// Creates the workspace's own user and the predefined groups, if missing.
    pub(super) fn ensure_owner(&self, user_id: &str, name: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO principals (principal_id, kind, name, display_name) VALUES (?1, ?2, ?3, ?3)
                 ON CONFLICT DO NOTHING",
                params![user_id.parse::<i64>().unwrap_or_default(), PrincipalKind::User.as_str(), name],
            )?;
            for group in [ADMINS, USERS] {
                tx.execute(
                    "INSERT INTO groups (group_id, display_name) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                    params![new_id(15)?, group],
                )?;
            }
            tx.execute(
                "INSERT INTO group_members (group_id, principal_id)
                 SELECT g.group_id, p.principal_id FROM groups g, principals p WHERE g.display_name = ?1 AND p.name = ?2
                 ON CONFLICT DO NOTHING",
                [ADMINS, name],
            )?;
            Ok(())
        })
    }

    /// `None` if the name is taken. A service principal without a name gets a new application id.
    pub fn create_principal(&self, new: &Principal) -> Result<Option<Principal>> {
        let name = if new.name.is_empty() {
            new_uuid()?
        } else {
            new.name.clone()
        };
        self.write(|tx| {
            let id = new_id(15)?;
            let added = tx.execute(
                "INSERT INTO principals (principal_id, kind, name, display_name, external_id, entitlements_json, active)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO NOTHING",
                params![
                    id,
                    new.kind.as_str(),
                    name,
                    new.display_name,
                    new.external_id,
                    serde_json::to_string(&new.entitlements)?,
                    new.active
                ],
            )?;
            if added == 0 {
                return Ok(None);
            }
            put_into_groups(tx, id, &new.groups)?;
            find(tx, "principal_id", &id)
        })
    }

    /// Changes everything but id, kind and name.
    pub fn replace_principal(&self, changed: &Principal) -> Result<()> {
        self.set("UPDATE principals SET display_name = ?2, external_id = ?3, entitlements_json = ?4, active = ?5
                 WHERE principal_id = ?1",
                params![
                    changed.id,
                    changed.display_name,
                    changed.external_id,
                    serde_json::to_string(&changed.entitlements)?,
                    changed.active
                ])
    }

    /// Also deletes tokens, secrets and policies; `false` if there was none.
    pub fn delete_principal(&self, id: i64) -> Result<bool> {
        self.changes("DELETE FROM principals WHERE principal_id = ?1", [id])
    }

    pub fn principal(&self, id: i64) -> Result<Option<Principal>> {
        self.read(|connection| find(connection, "principal_id", &id))
    }

    /// By e-mail address or application id.
    pub fn principal_by_name(&self, name: &str) -> Result<Option<Principal>> {
        self.read(|connection| find(connection, "name", &name))
    }

    /// Sorted by id.
    pub fn principals(&self, kind: PrincipalKind) -> Result<Vec<Principal>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM principals WHERE kind = ?1 ORDER BY principal_id"
            ))?;
            let mut rows = statement.query([kind.as_str()])?;
            let mut principals = Vec::new();
            while let Some(row) = rows.next()? {
                principals.push(with_groups(connection, from_row(row)?)?);
            }
            Ok(principals)
        })
    }

    /// `None` if the name is taken.
    pub fn create_group(&self, name: &str) -> Result<Option<Group>> {
        let id = new_id(15)?;
        let added = self.execute(
            "INSERT INTO groups (group_id, display_name) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![id, name],
        )?;
        if added == 1 { self.group(id) } else { Ok(None) }
    }

    /// `false` if the name is taken.
    pub fn rename_group(&self, id: i64, name: &str) -> Result<bool> {
        self.changes(
            "UPDATE OR IGNORE groups SET display_name = ?2 WHERE group_id = ?1",
            params![id, name],
        )
    }

    /// Members stay.
    pub fn delete_group(&self, id: i64) -> Result<bool> {
        self.changes("DELETE FROM groups WHERE group_id = ?1", [id])
    }

    pub fn group(&self, id: i64) -> Result<Option<Group>> {
        Ok(self.groups()?.into_iter().find(|group| group.id == id))
    }

    /// Sorted by name; `users` contains everyone.
    pub fn groups(&self) -> Result<Vec<Group>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT group_id, display_name FROM groups ORDER BY display_name",
            )?;
            let mut members = connection.prepare_cached(
                "SELECT p.principal_id, p.name, p.display_name FROM principals p
                 WHERE ?2 OR EXISTS (SELECT 1 FROM group_members m WHERE m.group_id = ?1
                                     AND m.principal_id = p.principal_id)
                 ORDER BY p.principal_id",
            )?;
            let mut groups = Vec::new();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
                let members = members
                    .query_map(params![id, name == USERS], |row| {
                        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                    })?
                    .collect::<rusqlite::Result<_>>()?;
                groups.push(Group { id, name, members });
            }
            Ok(groups)
        })
    }

    /// Replaces the members; unknown ids are ignored.
    pub fn set_members(&self, group_id: i64, members: &[i64]) -> Result<()> {
        self.write(|tx| {
            tx.execute("DELETE FROM group_members WHERE group_id = ?1", [group_id])?;
            let mut add = tx.prepare_cached(
                "INSERT INTO group_members (group_id, principal_id)
                 SELECT ?1, principal_id FROM principals WHERE principal_id = ?2 ON CONFLICT DO NOTHING",
            )?;
            for member in members {
                add.execute([group_id, *member])?;
            }
            Ok(())
        })
    }
}

fn put_into_groups(connection: &Connection, id: i64, groups: &[String]) -> Result<()> {
    for group in groups {
        connection.execute(
            "INSERT INTO group_members (group_id, principal_id) SELECT group_id, ?1 FROM groups WHERE display_name = ?2",
            params![id, group],
        )?;
    }
    Ok(())
}

pub(super) fn find(
    connection: &Connection,
    column: &str,
    value: &dyn rusqlite::ToSql,
) -> Result<Option<Principal>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM principals WHERE {column} = ?1"
    ))?;
    let found = statement.query_row([value], from_row).optional()?;
    found
        .map(|principal| with_groups(connection, principal))
        .transpose()
}

fn with_groups(connection: &Connection, mut principal: Principal) -> Result<Principal> {
    principal.groups = connection
        .prepare_cached(
            "SELECT g.display_name FROM groups g JOIN group_members m USING (group_id)
             WHERE m.principal_id = ?1 ORDER BY g.display_name",
        )?
        .query_map([principal.id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(principal)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Principal> {
    Ok(Principal {
        id: row.get(0)?,
        kind: PrincipalKind::parse(&row.get::<_, String>(1)?),
        name: row.get(2)?,
        display_name: row.get(3)?,
        external_id: row.get(4)?,
        entitlements: json(row, 5)?,
        active: row.get(6)?,
        groups: Vec::new(),
    })
}
