//! Accounts.

use super::object::{Args, Given, Out, Scope, Thing, leaf, record, unanswered};
use super::query::repository;
use super::records::page;
use crate::git::Signature;
use crate::rest::shapes::account_of;
use crate::view::node_id;
use crate::world::{Id, UserKind};

pub(super) fn user(scope: &Scope, id: Id, name: &str, args: &Args) -> Given {
    let login = scope.world.login(id);
    let row = scope.world.users.get(id);
    Ok(match name {
        "id" => leaf(node_id("U", id)),
        "databaseId" => leaf(id),
        "login" => leaf(login),
        "name" => leaf(row.and_then(|user| user.name.clone())),
        "email" => leaf(row.and_then(|user| user.email.clone()).unwrap_or_default()),
        "url" => leaf(format!("{}/{login}", scope.links.web)),
        "resourcePath" => leaf(format!("/{login}")),
        "avatarUrl" => leaf(format!("{}/{login}.png", scope.links.web)),
        "createdAt" => leaf(
            row.map(|user| user.created_at)
                .unwrap_or_default()
                .to_string(),
        ),
        "isViewer" => leaf(id == scope.viewer),
        "viewerCanCreateRepositories" => leaf(false),
        "teams" => return page(Vec::new(), args),
        "repository" => {
            Out::maybe(repository(scope, login, args.text("name").unwrap_or_default()).ok())
        }
        _ => return unanswered("User", name),
    })
}

pub(super) fn git_actor(scope: &Scope, signature: &Signature) -> Thing {
    let account = account_of(&scope.world, signature);
    let is_person = |id: &Id| {
        scope
            .world
            .users
            .get(*id)
            .is_some_and(|user| user.kind == UserKind::User)
    };
    record(vec![
        ("name", leaf(&signature.name)),
        ("email", leaf(&signature.email)),
        ("date", leaf(&signature.date)),
        (
            "user",
            Out::maybe(account.filter(is_person).map(Thing::User)),
        ),
    ])
}
