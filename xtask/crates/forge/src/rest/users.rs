//! Accounts and rate limits.

use axum::routing::get;
use serde_json::json;

use super::shapes::{full_user, merge};
use crate::call::{Answer, Call, Reply, Routes, to};
use crate::refusal::Found as _;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/", get(to(root)))
        .route("/meta", get(to(meta)))
        .route("/rate_limit", get(to(rate_limit)))
        .route("/user", get(to(own)))
        .route("/users/{login}", get(to(other)))
}

fn root(call: &Call) -> Answer {
    let api = &call.links.api;
    Ok(Reply::json(json!({
        "current_user_url": format!("{api}/user"),
        "rate_limit_url": format!("{api}/rate_limit"),
        "repository_url": format!("{api}/repos/{{owner}}/{{repo}}"),
        "user_url": format!("{api}/users/{{user}}"),
    })))
}

fn meta(_call: &Call) -> Answer {
    Ok(Reply::json(
        json!({"verifiable_password_authentication": false}),
    ))
}

fn rate_limit(call: &Call) -> Answer {
    let used = call.forge.request_log.count() % 5000;
    let one = json!({"limit": 5000, "used": used, "remaining": 5000 - used, "reset": call.world.now().plus(3600).seconds()});
    Ok(Reply::json(
        json!({"resources": {"core": one, "search": one, "graphql": one}, "rate": one}),
    ))
}

fn own(call: &Call) -> Answer {
    let user = call.world.users.get(call.user()?).found()?;
    let mut shown = full_user(call, user);
    let private = call
        .world
        .repos
        .iter()
        .filter(|repo| repo.owner == user.id && repo.private)
        .count();
    merge(
        &mut shown,
        json!({
            "private_gists": 0,
            "total_private_repos": private,
            "owned_private_repos": private,
            "disk_usage": 0,
            "collaborators": 0,
            "two_factor_authentication": true,
        }),
    );
    Ok(Reply::json(shown))
}

fn other(call: &Call) -> Answer {
    let user = call.world.user_named(call.param("login")).found()?;
    Ok(Reply::json(full_user(call, user)))
}
