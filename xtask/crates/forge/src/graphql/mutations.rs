//! Mutations.

use super::object::{Args, Given, Out, Scope, Thing, leaf, record, unanswered};
use super::query::{node, pull_named};
use super::records::edge;
use super::repositories::labels_named;
use crate::pull_requests::{
    MergeRequest, NewPull, NewReview, PullUpdate, add_comment, enable_auto_merge, enqueue, merge,
    merge_what_waits, open, request_reviewers, review, set_draft, update,
};
use crate::refusal::{Found as _, Refusal};
use crate::world::{Id, MergeMethod, Permission, ReviewState};

/// The changed objects; every payload also has the actor and the client's mutation id.
type Payload = Result<Vec<(&'static str, Out)>, Refusal>;

pub(super) fn field(scope: &Scope, name: &str, args: &Args) -> Given {
    if !scope.may_write {
        return Err(Refusal::not_accessible());
    }
    // An earlier field of the document may have changed the world.
    let scope = &scope.renewed();
    let input = args.object("input");
    let mut fields = match name {
        "createPullRequest" => create(scope, &input)?,
        "updatePullRequest" => change(scope, &input)?,
        "closePullRequest" => set_open(scope, &input, false)?,
        "reopenPullRequest" => set_open(scope, &input, true)?,
        "markPullRequestReadyForReview" => draft(scope, &input, false)?,
        "convertPullRequestToDraft" => draft(scope, &input, true)?,
        "mergePullRequest" => merge_now(scope, &input)?,
        "enablePullRequestAutoMerge" => merge_later(scope, &input)?,
        "disablePullRequestAutoMerge" => not_later(scope, &input)?,
        "enqueuePullRequest" => queue_up(scope, &input)?,
        "dequeuePullRequest" => leave_queue(scope, &input)?,
        "addComment" => comment(scope, &input)?,
        "addLabelsToLabelable" => label(scope, &input)?,
        "requestReviews" => ask(scope, &input)?,
        "addPullRequestReview" => add_review(scope, &input)?,
        "resolveReviewThread" => resolve(scope, &input, Some(scope.viewer))?,
        "unresolveReviewThread" => resolve(scope, &input, None)?,
        _ => return unanswered("Mutation", name),
    };
    fields.push(("clientMutationId", leaf(input.text("clientMutationId"))));
    fields.push(("actor", Out::One(Thing::User(scope.viewer))));
    Ok(Out::One(record(fields)))
}

/// The pull request of the input, if the viewer has the permission.
fn pull(scope: &Scope, input: &Args, needed: Permission) -> Result<Id, Refusal> {
    let id = pull_named(scope, input.text("pullRequestId").unwrap_or_default())?;
    let row = scope.pull(id)?;
    let given = scope.permission(scope.repo(row.repo)?);
    if given >= Some(needed) || needed <= Permission::Triage && row.author == scope.viewer {
        return Ok(id);
    }
    let login = scope.world.login(scope.viewer);
    Err(Refusal::forbidden(format!(
        "{login} does not have the correct permissions to execute this mutation"
    )))
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn create(scope: &Scope, input: &Args) -> Payload {
    let Thing::Repo(repo) = node(scope, input.text("repositoryId").unwrap_or_default())? else {
        return Err(Refusal::not_found());
    };
    let head_repo = match input.text("headRepositoryId") {
        Some(name) => match node(scope, name)? {
            Thing::Repo(id) => Some(id),
            _ => return Err(Refusal::not_found()),
        },
        None => None,
    };
    let new = NewPull {
        title: input.text("title").unwrap_or_default().to_owned(),
        body: owned(input.text("body")),
        head: input.text("headRefName").unwrap_or_default().to_owned(),
        head_repo,
        base: input.text("baseRefName").unwrap_or_default().to_owned(),
        draft: input.flag("draft"),
        maintainer_can_modify: input.flag("maintainerCanModify"),
    };
    let opened = scope
        .forge
        .change(|world| open(world, &scope.forge.git, repo, scope.viewer, new));
    let id = opened.map_err(in_graphql_words)?;
    Ok(vec![("pullRequest", Out::One(Thing::Pull(id)))])
}

/// GraphQL reports a sentence where REST names a field.
fn in_graphql_words(refusal: Refusal) -> Refusal {
    let sentence = match refusal.problems.first() {
        Some(problem) if problem.message.is_none() => match problem.field {
            Some("head") => "Head sha can't be blank, Head ref must be a branch",
            Some("base") => "Base sha can't be blank, Base ref must be a branch",
            Some("title") => "Title can't be blank",
            _ => return refusal,
        },
        _ => return refusal,
    };
    Refusal {
        message: sentence.to_owned(),
        problems: Vec::new(),
        ..refusal
    }
}

fn change(scope: &Scope, input: &Args) -> Payload {
    let id = pull(scope, input, Permission::Triage)?;
    let wanted = PullUpdate {
        title: owned(input.text("title")),
        body: owned(input.text("body")),
        base: owned(input.text("baseRefName")),
        open: input.text("state").map(|state| state == "OPEN"),
        maintainer_can_modify: None,
    };
    let labels = input
        .texts("labelIds")
        .map(|names| labels_named(scope, &names))
        .transpose()?;
    let assignees = input
        .texts("assigneeIds")
        .map(|names| people_named(scope, &names))
        .transpose()?;
    scope.forge.change(|world| {
        update(world, &scope.forge.git, id, wanted)?;
        let row = world.pulls.edit(id).found()?;
        if let Some(labels) = labels {
            row.labels = labels;
        }
        if let Some(assignees) = assignees {
            row.assignees = assignees;
        }
        Ok(())
    })?;
    Ok(vec![("pullRequest", Out::One(Thing::Pull(id)))])
}

fn people_named(scope: &Scope, names: &[&str]) -> Result<Vec<Id>, Refusal> {
    let person = |name: &&str| match node(scope, name)? {
        Thing::User(id) => Ok(id),
        _ => Err(Refusal::not_found()),
    };
    names.iter().map(person).collect()
}

fn set_open(scope: &Scope, input: &Args, open: bool) -> Payload {
    let id = pull(scope, input, Permission::Triage)?;
    let wanted = PullUpdate {
        open: Some(open),
        ..PullUpdate::default()
    };
    scope
        .forge
        .change(|world| update(world, &scope.forge.git, id, wanted))?;
    Ok(vec![("pullRequest", Out::One(Thing::Pull(id)))])
}

fn draft(scope: &Scope, input: &Args, draft: bool) -> Payload {
    let id = pull(scope, input, Permission::Triage)?;
    scope.forge.change(|world| set_draft(world, id, draft))?;
    merge_what_waits(&scope.forge);
    Ok(vec![("pullRequest", Out::One(Thing::Pull(id)))])
}

fn merge_request(scope: &Scope, input: &Args) -> MergeRequest {
    MergeRequest {
        by: scope.viewer,
        method: input.text("mergeMethod").and_then(MergeMethod::parse),
        sha: owned(input.text("expectedHeadOid")),
        title: owned(input.text("commitHeadline")),
        message: owned(input.text("commitBody")),
    }
}

fn merge_now(scope: &Scope, input: &Args) -> Payload {
    let id = pull(scope, input, Permission::Write)?;
    merge(&scope.forge, id, &merge_request(scope, input))?;
    Ok(vec![("pullRequest", Out::One(Thing::Pull(id)))])
}

fn merge_later(scope: &Scope, input: &Args) -> Payload {
    let id = pull(scope, input, Permission::Write)?;
    let request = merge_request(scope, input);
    if request
        .sha
        .as_ref()
        .is_some_and(|sha| scope.pull(id).is_ok_and(|pull| pull.head_sha != *sha))
    {
        return Err(Refusal::unprocessable(
            "Head branch was modified. Review and try the merge again.",
        ));
    }
    enable_auto_merge(&scope.forge, id, &request)?;
    Ok(vec![("pullRequest", Out::One(Thing::Pull(id)))])
}

fn not_later(scope: &Scope, input: &Args) -> Payload {
    let id = pull(scope, input, Permission::Write)?;
    scope.forge.change(|world| {
        let row = world.pulls.edit(id).found()?;
        if row.auto_merge.take().is_none() {
            return Err(Refusal::unprocessable(
                "Auto merge is not enabled for this pull request",
            ));
        }
        Ok(())
    })?;
    Ok(vec![("pullRequest", Out::One(Thing::Pull(id)))])
}

fn queue_up(scope: &Scope, input: &Args) -> Payload {
    let id = pull(scope, input, Permission::Write)?;
    scope
        .forge
        .change(|world| enqueue(world, id, scope.viewer, input.text("expectedHeadOid")))?;
    Ok(vec![("mergeQueueEntry", Out::One(Thing::QueueEntry(id)))])
}

fn leave_queue(scope: &Scope, input: &Args) -> Payload {
    let id = pull_named(scope, input.text("id").unwrap_or_default())?;
    scope.forge.change(|world| {
        world.pulls.edit(id).found()?.queued = None;
        Ok(())
    })?;
    Ok(vec![("mergeQueueEntry", Out::NULL)])
}

fn comment(scope: &Scope, input: &Args) -> Payload {
    let id = pull_named(scope, input.text("subjectId").unwrap_or_default())?;
    let body = input.text("body").unwrap_or_default().to_owned();
    let comment = scope
        .forge
        .change(|world| add_comment(world, id, scope.viewer, body))?;
    let number = scope
        .forge
        .world()
        .comments
        .iter()
        .filter(|row| row.pull == id)
        .count();
    let fields = vec![
        (
            "commentEdge",
            Out::One(edge(Thing::Comment(comment), number)),
        ),
        ("subject", Out::One(Thing::Pull(id))),
    ];
    Ok(fields)
}

fn label(scope: &Scope, input: &Args) -> Payload {
    let id = pull_named(scope, input.text("labelableId").unwrap_or_default())?;
    let labels = labels_named(scope, &input.texts("labelIds").unwrap_or_default())?;
    scope.forge.change(|world| {
        let row = world.pulls.edit(id).found()?;
        for label in labels {
            if !row.labels.contains(&label) {
                row.labels.push(label);
            }
        }
        Ok(())
    })?;
    Ok(vec![("labelable", Out::One(Thing::Pull(id)))])
}

fn ask(scope: &Scope, input: &Args) -> Payload {
    let id = pull(scope, input, Permission::Triage)?;
    let people = people_named(scope, &input.texts("userIds").unwrap_or_default())?;
    let logins: Vec<String> = people
        .iter()
        .map(|id| scope.world.login(*id).to_owned())
        .collect();
    scope
        .forge
        .change(|world| request_reviewers(world, id, &logins, &[], !input.flag("union")))?;
    Ok(vec![("pullRequest", Out::One(Thing::Pull(id)))])
}

fn add_review(scope: &Scope, input: &Args) -> Payload {
    let id = pull_named(scope, input.text("pullRequestId").unwrap_or_default())?;
    let state = match input.text("event") {
        Some("APPROVE") => ReviewState::Approved,
        Some("REQUEST_CHANGES") => ReviewState::ChangesRequested,
        _ => ReviewState::Commented,
    };
    let remark = |remark: &Args| {
        let line = remark
            .number("line")
            .and_then(|line| u32::try_from(line).ok())
            .unwrap_or(1);
        let text = |name: &str| remark.text(name).unwrap_or_default().to_owned();
        (text("path"), line, text("body"))
    };
    let new = NewReview {
        author: scope.viewer,
        state,
        body: input.text("body").unwrap_or_default().to_owned(),
        remarks: input.objects("threads").iter().map(remark).collect(),
    };
    let made = scope.forge.change(|world| review(world, id, new))?;
    merge_what_waits(&scope.forge);
    Ok(vec![("pullRequestReview", Out::One(Thing::Review(made)))])
}

fn resolve(scope: &Scope, input: &Args, by: Option<Id>) -> Payload {
    let Thing::ReviewThread(id) = node(scope, input.text("threadId").unwrap_or_default())? else {
        return Err(Refusal::not_found());
    };
    scope.forge.change(|world| {
        world.threads.edit(id).found()?.resolved_by = by;
        Ok(())
    })?;
    merge_what_waits(&scope.forge);
    Ok(vec![("thread", Out::One(Thing::ReviewThread(id)))])
}
