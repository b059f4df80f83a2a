//! A few plain pages behind the addresses in API replies: repositories, pull requests with their checks, and logs. They
//! look like the local workspace's.

mod layout;
mod pull;
mod sign_in;

pub(crate) use sign_in::{link, sign_in};

use axum::http::StatusCode;
use axum::routing::get;
use maud::{Markup, html};

use crate::call::{Answer, Call, Reply, Routes, to};
use crate::refusal::Refusal;
use crate::world::{Permission, Pull, Repo};
use layout::{ago, page, pull_badge};

/// Unknown addresses are passed on to git.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/", get(to(repositories)))
        .route("/sign-in", get(to(sign_in)))
        .route(layout::STYLE_PATH, get(to(style)))
        .route("/{owner}/{repo}", get(to(repository)))
        .route("/{owner}/{repo}/pulls", get(to(repository)))
        .route("/{owner}/{repo}/pull/{number}", get(to(pull::show)))
        .route("/{owner}/{repo}/runs/{job}", get(to(pull::job)))
        .route("/{owner}/{repo}/actions/runs/{run}", get(to(pull::run)))
        .route(
            "/{owner}/{repo}/actions/runs/{run}/job/{job}",
            get(to(pull::job)),
        )
}

fn style(_call: &Call) -> Answer {
    Ok(Reply::text(
        layout::STYLE.to_owned(),
        "text/css; charset=utf-8",
    ))
}

fn shown(page: &Markup) -> Answer {
    Ok(Reply::html(StatusCode::OK, page.0.clone()))
}

fn repositories(call: &Call) -> Answer {
    let user = call.user()?;
    let visible: Vec<&Repo> = call
        .world
        .repos
        .iter()
        .filter(|repo| call.world.permission(repo, user).is_some())
        .collect();
    let content = html! {
        h1 { "Repositories" }
        @if visible.is_empty() { p.empty { "No repositories yet." } }
        @else {
            div.wide { table.list {
                thead { tr { th { "Repository" } th { "Open pull requests" } th { "Last push" } } }
                tbody {
                    @for repo in visible {
                        tr {
                            td { a href=(path_of(call, repo)) { (call.world.full_name(repo)) } }
                            td { (call.world.pulls_of(repo.id).filter(|pull| pull.open).count()) }
                            td { (ago(call, repo.pushed_at)) }
                        }
                    }
                }
            } }
        }
    };
    shown(&page(call, "Repositories", &content))
}

fn path_of(call: &Call, repo: &Repo) -> String {
    format!("/{}", call.world.full_name(repo))
}

fn repository(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let pulls: Vec<&Pull> = call.world.pulls_of(repo.id).rev().collect();
    let full = call.world.full_name(repo);
    let content = html! {
        p.crumbs { a href="/" { "Repositories" } }
        h1 { (full) }
        p.facts {
            @if let Some(parent) = repo.parent.and_then(|parent| call.world.repos.get(parent)) {
                "fork of " a href=(path_of(call, parent)) { (call.world.full_name(parent)) } " · "
            }
            (repo.branches().count()) " branches · default branch " code { (repo.default_branch) } " · clone "
            code { (call.forge.url) "/" (full) ".git" }
        }
        @if pulls.is_empty() { p.empty { "No pull requests yet." } }
        @else {
            div.wide { table.list {
                thead { tr { th { "Pull request" } th { "State" } th { "Branch" } th { "By" } th { "Updated" } } }
                tbody { @for pull in pulls { (row(call, repo, pull)) } }
            } }
        }
    };
    shown(&page(call, &full, &content))
}

fn row(call: &Call, repo: &Repo, pull: &Pull) -> Markup {
    html! {
        tr {
            td { a href={ (path_of(call, repo)) "/pull/" (pull.number) } { "#" (pull.number) " " (pull.title) } }
            td { (pull_badge(pull)) }
            td { code { (pull.head_ref) } " → " code { (pull.base_ref) } }
            td { (call.world.login(pull.author)) }
            td { (ago(call, pull.updated_at)) }
        }
    }
}

pub(crate) fn refusal(refusal: &Refusal) -> Reply {
    let hint = match refusal.status {
        StatusCode::UNAUTHORIZED => {
            "This browser is not signed in, or its link was already used. Request a new link."
        }
        StatusCode::NOT_FOUND => {
            "This page does not exist on the local forge, or you have no access to it."
        }
        _ => refusal.message.as_str(),
    };
    let title = refusal.status.canonical_reason().unwrap_or("Error");
    let page = layout::bare(title, &html! { h1 { (title) } p { (hint) } });
    Reply::html(refusal.status, page.0)
}
