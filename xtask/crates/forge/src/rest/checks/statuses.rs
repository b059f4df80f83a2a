//! Commit statuses, the older kind of check.

use serde_json::json;

use super::super::commits::commit_named;
use super::super::shapes::{minimal_repo, simple_status, status as status_shape};
use crate::call::{Answer, Call, Reply};
use crate::pull_requests::merge_what_waits;
use crate::refusal::Refusal;
use crate::world::{Permission, Repo, Status, Verdict};

pub(super) fn statuses(call: &Call, repo: &Repo, sha: &str) -> Answer {
    let all: Vec<&Status> = call
        .world
        .statuses
        .iter()
        .rev()
        .filter(|status| status.repo == repo.id && status.sha == sha)
        .collect();
    Reply::page(call, None, all, |status| {
        Ok(status_shape(call, repo, status))
    })
}

pub(super) fn combined(call: &Call, repo: &Repo, sha: &str) -> Answer {
    let all = call.world.statuses_of(repo.id, sha);
    let any = |verdict| all.iter().any(|status| status.verdict() == verdict);
    let state = match () {
        () if any(Verdict::Failed) => "failure",
        () if any(Verdict::Pending) || all.is_empty() => "pending",
        () => "success",
    };
    let api = call.repo_api(repo);
    let shown = all.iter().map(|status| simple_status(call, repo, status));
    Ok(Reply::json(json!({
        "state": state,
        "statuses": shown.collect::<Vec<_>>(),
        "sha": sha,
        "total_count": all.len(),
        "repository": minimal_repo(call, repo),
        "commit_url": format!("{api}/commits/{sha}"),
        "url": format!("{api}/commits/{sha}/status"),
    })))
}

pub(super) fn create_status(call: &Call) -> Answer {
    let repo = call.repo(Permission::Write)?;
    let fields = call.fields();
    let state = fields.one_of("state", &["error", "failure", "pending", "success"])?;
    let state = state
        .ok_or_else(|| Refusal::unprocessable("Invalid request.\n\n\"state\" wasn't supplied."))?;
    let sha = commit_named(call, repo, call.param("sha"))?;
    let creator = call.user()?;
    let text = |name: &str| fields.text(name).map(|text| text.map(str::to_owned));
    let (context, target_url, description) =
        (text("context")?, text("target_url")?, text("description")?);
    let row = call.forge.change(|world| {
        let row = Status {
            id: world.next_id(),
            repo: repo.id,
            sha,
            context: context.unwrap_or_else(|| "default".to_owned()),
            state: state.to_owned(),
            target_url,
            description,
            creator,
            created_at: world.now(),
        };
        world.statuses.put(row.id, row.clone());
        Ok(row)
    })?;
    merge_what_waits(&call.forge);
    Ok(Reply::created(status_shape(call, repo, &row)))
}
