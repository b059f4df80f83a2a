//! Reviews, comments and labels of a pull request.

use axum::routing::{get, post, put};

use super::super::shapes::{comment, label, remark, review as review_shape};
use crate::call::{Answer, Call, Fields, Reply, Routes, to};
use crate::pull_requests::{NewReview, add_comment, dismiss, merge_what_waits, review};
use crate::refusal::{Found as _, Refusal};
use crate::view::View;
use crate::world::{Id, Label, Permission, ReviewState};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/pulls/{number}/reviews",
            get(to(reviews)).post(to(add_review)),
        )
        .route(
            "/pulls/{number}/reviews/{review}/dismissals",
            put(to(dismiss_review)),
        )
        .route("/pulls/{number}/comments", get(to(remarks)))
        .route("/issues/{number}/comments", get(to(comments)).post(to(add)))
        .route(
            "/issues/comments/{comment}",
            get(to(one_comment)).patch(to(edit_comment)),
        )
        .route(
            "/issues/{number}/labels",
            post(to(add_labels)).get(to(labels)),
        )
}

fn reviews(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Read)?;
    let all = call.world.reviews.iter().filter(|row| row.pull == pull.id);
    Reply::page(call, None, all, |review| {
        Ok(review_shape(call, repo, pull, review))
    })
}

fn add_review(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Read)?;
    let fields = call.fields();
    let state = match fields.one_of("event", &["APPROVE", "REQUEST_CHANGES", "COMMENT"])? {
        Some("APPROVE") => ReviewState::Approved,
        Some("REQUEST_CHANGES") => ReviewState::ChangesRequested,
        _ => ReviewState::Commented,
    };
    let remark = |remark: &Fields<'_>| {
        let line = remark
            .number("line")?
            .and_then(|line| u32::try_from(line).ok())
            .unwrap_or(1);
        Ok::<_, Refusal>((
            remark.required("path")?.to_owned(),
            line,
            remark.required("body")?.to_owned(),
        ))
    };
    let new = NewReview {
        author: call.user()?,
        state,
        body: fields.text("body")?.unwrap_or_default().to_owned(),
        remarks: fields
            .objects("comments")?
            .iter()
            .map(remark)
            .collect::<Result<_, _>>()?,
    };
    let id = call.forge.change(|world| review(world, pull.id, new))?;
    merge_what_waits(&call.forge);
    let now = call.now();
    let made = now.world.reviews.get(id).found()?;
    Ok(Reply::json(review_shape(&now, repo, pull, made)))
}

fn dismiss_review(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Write)?;
    call.fields().required("message")?;
    let id = call.id("review")?;
    if call
        .world
        .reviews
        .get(id)
        .is_none_or(|review| review.pull != pull.id)
    {
        return Err(Refusal::not_found());
    }
    call.forge.change(|world| dismiss(world, id))?;
    let now = call.now();
    let dismissed = now.world.reviews.get(id).found()?;
    Ok(Reply::json(review_shape(&now, repo, pull, dismissed)))
}

fn remarks(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Read)?;
    let all = call.world.threads.iter().filter(|row| row.pull == pull.id);
    Reply::page(call, None, all, |thread| {
        Ok(remark(call, repo, pull, thread))
    })
}

fn comments(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Read)?;
    let all = call.world.comments.iter().filter(|row| row.pull == pull.id);
    Reply::page(call, None, all, |row| Ok(comment(call, repo, pull, row)))
}

fn add(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Read)?;
    let (author, body) = (call.user()?, call.fields().required("body")?.to_owned());
    let id = call
        .forge
        .change(|world| add_comment(world, pull.id, author, body))?;
    let now = call.now();
    let row = now.world.comments.get(id).found()?;
    Ok(Reply::created(comment(&now, repo, pull, row)))
}

fn one_comment(call: &Call) -> Answer {
    shown_comment(call, call, call.id("comment")?)
}

fn shown_comment(call: &Call, view: &View, id: Id) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let row = view.world.comments.get(id).found()?;
    let pull = view.world.pulls.get(row.pull);
    let pull = pull.filter(|pull| pull.repo == repo.id).found()?;
    Ok(Reply::json(comment(view, repo, pull, row)))
}

fn edit_comment(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let (id, user) = (call.id("comment")?, call.user()?);
    let row = call.world.comments.get(id).found()?;
    if row.author != user && call.world.permission(repo, user) < Some(Permission::Write) {
        return Err(Refusal::not_accessible());
    }
    let body = call.fields().required("body")?.to_owned();
    call.forge.change(|world| {
        let now = world.now();
        let row = world.comments.edit(id).found()?;
        row.body = body;
        row.updated_at = now;
        Ok(())
    })?;
    shown_comment(call, &call.now(), id)
}

fn labels(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Read)?;
    let all: Vec<&Label> = pull
        .labels
        .iter()
        .filter_map(|id| call.world.labels.get(*id))
        .collect();
    Reply::page(call, None, all, |row| Ok(label(call, repo, row)))
}

fn add_labels(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Triage)?;
    let names = match call.json() {
        serde_json::Value::Array(names) => names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        _ => call.fields().texts("labels")?,
    };
    call.forge.change(|world| {
        for name in names {
            let known = world
                .labels
                .find(|label| label.repo == repo.id && label.name.eq_ignore_ascii_case(&name))
                .map(|label| label.id);
            // GitHub creates missing labels.
            let id = known.unwrap_or_else(|| world.next_id());
            if known.is_none() {
                world.labels.put(
                    id,
                    Label {
                        id,
                        repo: repo.id,
                        name,
                        color: "ededed".to_owned(),
                        description: None,
                    },
                );
            }
            let pull = world.pulls.edit(pull.id).found()?;
            if !pull.labels.contains(&id) {
                pull.labels.push(id);
            }
        }
        Ok(())
    })?;
    let now = call.now();
    let pull = now.world.pulls.get(pull.id).found()?;
    let all = pull
        .labels
        .iter()
        .filter_map(|id| now.world.labels.get(*id));
    Ok(Reply::json(all.map(|row| label(&now, repo, row)).collect()))
}
