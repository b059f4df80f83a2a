//! The checks of a commit as GraphQL shows them: one shape for every query about a pull request or a branch.

use serde::Deserialize;

use super::checks::{Check, State, state_of};

/// A list; GitHub puts null in the place of what the token may not see.
#[derive(Deserialize)]
pub(super) struct Nodes<T> {
    #[serde(default = "Vec::new")]
    pub(super) nodes: Vec<Option<T>>,
    #[serde(rename = "totalCount", default)]
    pub(super) total: u64,
}

impl<T> Nodes<T> {
    pub(super) fn seen(self) -> impl Iterator<Item = T> {
        self.nodes.into_iter().flatten()
    }
}

#[derive(Deserialize)]
pub(super) struct PullCommit {
    pub(super) commit: Commit,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Commit {
    pub(super) oid: String,
    pub(super) status_check_rollup: Option<Rollup>,
}

#[derive(Deserialize)]
pub(super) struct Rollup {
    contexts: Contexts,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Contexts {
    page_info: PageInfo,
    #[serde(default)]
    nodes: Vec<Option<Context>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "__typename")]
enum Context {
    CheckRun(CheckRun),
    StatusContext(StatusContext),
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CheckRun {
    database_id: Option<u64>,
    name: String,
    status: String,
    conclusion: Option<String>,
    started_at: Option<String>,
    completed_at: Option<String>,
    details_url: Option<String>,
    title: Option<String>,
    summary: Option<String>,
    is_required: Option<bool>,
    check_suite: Option<Suite>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Suite {
    app: Option<App>,
    workflow_run: Option<WorkflowRun>,
}

#[derive(Deserialize)]
struct App {
    slug: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WorkflowRun {
    database_id: Option<u64>,
    event: Option<String>,
    workflow: Option<Named>,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusContext {
    context: String,
    state: String,
    target_url: Option<String>,
    description: Option<String>,
    created_at: Option<String>,
    is_required: Option<bool>,
}

impl Rollup {
    /// The checks of this page, and the cursor of the next one.
    pub(super) fn page(self) -> (Vec<Check>, Option<String>) {
        let Contexts { page_info, nodes } = self.contexts;
        let checks = nodes.into_iter().flatten().filter_map(check).collect();
        let next = page_info.end_cursor.filter(|_| page_info.has_next_page);
        (checks, next)
    }
}

fn check(context: Context) -> Option<Check> {
    match context {
        Context::CheckRun(run) => {
            let (app, workflow) = match run.check_suite {
                Some(suite) => (suite.app, suite.workflow_run),
                None => (None, None),
            };
            let on_actions = app.is_some_and(|app| app.slug == "github-actions");
            Some(Check {
                state: state_of(&run.status, run.conclusion.as_deref()),
                word: run.conclusion.unwrap_or(run.status).to_lowercase(),
                label: run.name.clone(),
                name: run.name,
                event: workflow.as_ref().and_then(|run| run.event.clone()),
                run: workflow.as_ref().and_then(|run| run.database_id),
                workflow: workflow.and_then(|run| Some(run.workflow?.name)),
                required: run.is_required,
                started_at: run.started_at,
                completed_at: run.completed_at,
                url: run.details_url,
                // The id of a check run of GitHub Actions is that of its job.
                job: run.database_id.filter(|_| on_actions),
                summary: run.title.or(run.summary).filter(|text| !text.is_empty()),
            })
        }
        Context::StatusContext(status) => Some(Check {
            label: status.context.clone(),
            name: status.context,
            state: match status.state.as_str() {
                "SUCCESS" => State::Passed,
                "PENDING" | "EXPECTED" => State::Pending,
                _ => State::Failed,
            },
            word: status.state.to_lowercase(),
            required: status.is_required,
            started_at: status.created_at,
            url: status.target_url,
            summary: status.description.filter(|text| !text.is_empty()),
            ..Check::default()
        }),
        Context::Unknown => None,
    }
}
