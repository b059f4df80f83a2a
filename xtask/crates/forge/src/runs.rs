//! Creation of workflow runs.

use crate::world::{App, CheckSuite, Id, WorkflowRun, World};

pub(crate) struct Beginning<'a> {
    pub(crate) repo: Id,
    pub(crate) workflow: Id,
    /// The title, from the run's id.
    pub(crate) title: &'a dyn Fn(Id) -> String,
    pub(crate) event: &'a str,
    pub(crate) head_sha: &'a str,
    pub(crate) head_branch: Option<String>,
    pub(crate) actor: Id,
}

pub(crate) fn begin(world: &mut World, of: &Beginning<'_>) -> WorkflowRun {
    let now = world.now();
    let suite = world.next_id();
    world.suites.put(
        suite,
        CheckSuite {
            id: suite,
            repo: of.repo,
            head_sha: of.head_sha.to_owned(),
            head_branch: of.head_branch.clone(),
            app: App::actions(),
            created_at: now,
        },
    );
    let earlier = world.runs.iter().filter(|run| run.workflow == of.workflow);
    let number = earlier.count() as u64 + 1;
    let id = world.next_id();
    let run = WorkflowRun {
        id,
        repo: of.repo,
        workflow: of.workflow,
        suite,
        number,
        attempt: 1,
        title: (of.title)(id),
        event: of.event.to_owned(),
        head_sha: of.head_sha.to_owned(),
        head_branch: of.head_branch.clone(),
        actor: of.actor,
        created_at: now,
        updated_at: now,
        started_at: now,
        cancelled: false,
        waiting_for: Vec::new(),
    };
    world.runs.put(id, run.clone());
    run
}
