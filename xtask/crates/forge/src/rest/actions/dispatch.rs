//! `workflow_dispatch`.

mod definition;

use axum::http::StatusCode;
use serde_json::{Value, json};

use self::definition::Definition;
use super::find_workflow;
use crate::call::{Answer, Call, Reply};
use crate::refusal::{Found as _, Refusal};
use crate::runs::{Beginning, begin};
use crate::world::{Dispatch, Id, Permission, Repo, Workflow};

/// `POST actions/workflows/{workflow}/dispatches`: starts a run without jobs, which are reported later.
pub(super) fn dispatch(call: &Call) -> Answer {
    let repo = call.repo(Permission::Write)?;
    let fields = call.fields();
    let git_ref = fields.required("ref")?.to_owned();
    let (branch, sha) = tip(repo, &git_ref)
        .ok_or_else(|| Refusal::unprocessable(format!("No ref found for: {git_ref}")))?;
    let workflow = match find_workflow(call, repo) {
        Ok(known) => known.clone(),
        Err(_) => workflow_by_file(call, repo)?,
    };
    let inputs = fields
        .any("inputs")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    // A workflow without a file has no inputs to check.
    let text = call.forge.git.file(repo.id, &sha, &workflow.path);
    let definition = match text {
        Some(text) => Some(Definition::read(&text, &inputs)?),
        None => None,
    };
    let details = fields.flag("return_run_details")?.unwrap_or(false);
    let actor = call.user()?;
    let name = workflow.name.clone();
    let run = call.forge.change(|world| {
        let (id, created_at) = (world.next_id(), world.now());
        let row = Dispatch {
            id,
            repo: repo.id,
            workflow: workflow.id,
            git_ref,
            inputs: inputs.into_iter().collect(),
            actor,
            created_at,
        };
        world.dispatches.put(id, row);
        let beginning = Beginning {
            repo: repo.id,
            workflow: workflow.id,
            title: &|run| {
                let titled = definition.as_ref().and_then(|known| known.title(run));
                titled.unwrap_or_else(|| name.clone())
            },
            event: "workflow_dispatch",
            head_sha: &sha,
            head_branch: branch,
            actor,
        };
        Ok(begin(world, &beginning).id)
    })?;
    if !details {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    }
    let now = call.now();
    Ok(Reply::json(json!({
        "workflow_run_id": run,
        "run_url": format!("{}/actions/runs/{run}", now.repo_api(repo)),
        "html_url": format!("{}/actions/runs/{run}", now.repo_page(repo)),
    })))
}

/// Branch, if it is one, and commit of a ref.
fn tip(repo: &Repo, git_ref: &str) -> Option<(Option<String>, String)> {
    let short = git_ref.strip_prefix("refs/heads/").unwrap_or(git_ref);
    if let Some(tip) = repo.branch(short) {
        return Some((Some(short.to_owned()), tip.to_owned()));
    }
    Some((None, repo.refs.get(git_ref)?.clone()))
}

/// GitHub knows a workflow by its file on the default branch, even if it never ran.
fn workflow_by_file(call: &Call, repo: &Repo) -> Result<Workflow, Refusal> {
    let path = format!(".github/workflows/{}", call.param("workflow"));
    let tip = repo.branch(&repo.default_branch).found()?;
    let text = call.forge.git.file(repo.id, tip, &path).found()?;
    let name = definition::name(&text).unwrap_or_else(|| path.clone());
    call.forge.change(|world| {
        let (id, created_at): (Id, _) = (world.next_id(), world.now());
        let workflow = Workflow {
            id,
            repo: repo.id,
            name,
            path,
            created_at,
        };
        world.workflows.put(id, workflow.clone());
        Ok(workflow)
    })
}
