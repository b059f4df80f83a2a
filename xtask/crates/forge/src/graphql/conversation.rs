//! Reviews, comments and threads.

use super::commits::thing as commit;
use super::object::{Args, Given, Out, Scope, Thing, leaf, record, unanswered};
use super::records::page;
use crate::refusal::Found as _;
use crate::rest::shapes::association;
use crate::view::node_id;
use crate::world::Id;

pub(super) fn comment(scope: &Scope, id: Id, name: &str) -> Given {
    let row = scope.world.comments.get(id).found()?;
    let pull = scope.pull(row.pull)?;
    Ok(match name {
        "id" => leaf(node_id("IC", id)),
        "databaseId" => leaf(id),
        "author" => Out::One(Thing::User(row.author)),
        "authorAssociation" => leaf(association(
            &scope.world,
            scope.repo(pull.repo)?,
            row.author,
        )),
        "body" | "bodyText" => leaf(&row.body),
        "createdAt" => leaf(row.created_at.to_string()),
        "updatedAt" => leaf(row.updated_at.to_string()),
        "includesCreatedEdit" => leaf(row.updated_at != row.created_at),
        "isMinimized" => leaf(false),
        "minimizedReason" => Out::NULL,
        "reactionGroups" => Out::Many(Vec::new()),
        "url" => leaf(format!("{}#issuecomment-{id}", scope.pull_page(pull))),
        "viewerDidAuthor" => leaf(row.author == scope.viewer),
        _ => return unanswered("IssueComment", name),
    })
}

pub(super) fn review(scope: &Scope, id: Id, name: &str) -> Given {
    let row = scope.world.reviews.get(id).found()?;
    let pull = scope.pull(row.pull)?;
    Ok(match name {
        "id" => leaf(node_id("PRR", id)),
        "databaseId" => leaf(id),
        "fullDatabaseId" => leaf(id.to_string()),
        "author" => Out::One(Thing::User(row.author)),
        "authorAssociation" => leaf(association(
            &scope.world,
            scope.repo(pull.repo)?,
            row.author,
        )),
        "body" | "bodyText" => leaf(&row.body),
        "state" => leaf(row.state.name()),
        "commit" => Out::One(commit(pull.repo, &row.commit)),
        "pullRequest" => Out::One(Thing::Pull(pull.id)),
        "createdAt" | "submittedAt" | "updatedAt" => leaf(row.submitted_at.to_string()),
        "reactionGroups" => Out::Many(Vec::new()),
        "url" => leaf(format!("{}#pullrequestreview-{id}", scope.pull_page(pull))),
        "viewerDidAuthor" => leaf(row.author == scope.viewer),
        _ => return unanswered("PullRequestReview", name),
    })
}

pub(super) fn thread(scope: &Scope, id: Id, name: &str, args: &Args) -> Given {
    let row = scope.world.threads.get(id).found()?;
    let pull = scope.pull(row.pull)?;
    Ok(match name {
        "id" => leaf(node_id("PRRT", id)),
        "path" => leaf(&row.path),
        "line" => leaf(row.line),
        "isResolved" => leaf(row.resolved_by.is_some()),
        "isOutdated" => leaf(row.commit != pull.head_sha),
        "resolvedBy" => Out::maybe(row.resolved_by.map(Thing::User)),
        "pullRequest" => Out::One(Thing::Pull(pull.id)),
        "comments" => {
            let comment = record(vec![
                ("id", leaf(node_id("PRRC", id))),
                ("databaseId", leaf(id)),
                ("author", Out::One(Thing::User(row.author))),
                (
                    "authorAssociation",
                    leaf(association(
                        &scope.world,
                        scope.repo(pull.repo)?,
                        row.author,
                    )),
                ),
                ("body", leaf(&row.body)),
                ("path", leaf(&row.path)),
                ("createdAt", leaf(row.created_at.to_string())),
                (
                    "url",
                    leaf(format!("{}#discussion_r{id}", scope.pull_page(pull))),
                ),
            ]);
            return page(vec![comment], args);
        }
        _ => return unanswered("PullRequestReviewThread", name),
    })
}
