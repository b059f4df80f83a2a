//! JSON of accounts.

use serde_json::{Value, json};

use crate::view::{View, node_id};
use crate::world::{Id, Permission, User, UserKind};

/// In short; a deleted account is `ghost`.
pub(crate) fn user(view: &View, id: Id) -> Value {
    let row = view.world.users.get(id);
    let login = view.world.login(id);
    let kind = row.map_or(UserKind::User, |user| user.kind);
    let api = format!("{}/users/{login}", view.links.api);
    json!({
        "login": login,
        "id": id,
        "node_id": node_id("U", id),
        "avatar_url": format!("{}/{login}.png", view.links.web),
        "gravatar_id": "",
        "url": api,
        "html_url": format!("{}/{login}", view.links.web),
        "followers_url": format!("{api}/followers"),
        "following_url": format!("{api}/following{{/other_user}}"),
        "gists_url": format!("{api}/gists{{/gist_id}}"),
        "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{api}/subscriptions"),
        "organizations_url": format!("{api}/orgs"),
        "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events{{/privacy}}"),
        "received_events_url": format!("{api}/received_events"),
        "type": kind_name(kind),
        "user_view_type": "public",
        "site_admin": false,
    })
}

/// With all public fields.
pub(crate) fn full_user(view: &View, row: &User) -> Value {
    let mut shown = user(view, row.id);
    let repos = view
        .world
        .repos
        .iter()
        .filter(|repo| repo.owner == row.id && !repo.private)
        .count();
    for (name, value) in [
        ("name", json!(row.name)),
        ("email", json!(row.email)),
        ("company", Value::Null),
        ("blog", json!("")),
        ("location", Value::Null),
        ("hireable", Value::Null),
        ("bio", Value::Null),
        ("public_repos", json!(repos)),
        ("public_gists", json!(0)),
        ("followers", json!(0)),
        ("following", json!(0)),
        ("created_at", json!(row.created_at.to_string())),
        ("updated_at", json!(row.created_at.to_string())),
    ] {
        shown[name] = value;
    }
    shown
}

pub(crate) fn kind_name(kind: UserKind) -> &'static str {
    match kind {
        UserKind::User => "User",
        UserKind::Bot => "Bot",
        UserKind::Organization => "Organization",
    }
}

/// As five booleans.
pub(crate) fn permissions(given: Permission) -> Value {
    json!({
        "admin": given >= Permission::Admin,
        "maintain": given >= Permission::Maintain,
        "push": given >= Permission::Write,
        "triage": given >= Permission::Triage,
        "pull": true,
    })
}
