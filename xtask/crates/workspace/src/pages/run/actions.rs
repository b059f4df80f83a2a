//! Actions on a run: cancel it while it is active, repair it afterwards.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::super::error_page::ErrorPage;
use super::super::layout::see;
use super::loading::Loaded;
use crate::runner;
use crate::runner::repair::{Request, repair as open_again};
use crate::state::App;
use crate::store::{ResultState, Run, RunType, TaskRun};

/// Prefix of form fields for job parameters.
const PARAMETER: &str = "job.";

pub(super) fn buttons(loaded: &Loaded) -> Markup {
    let run = &loaded.run;
    if run.end_time.is_none() {
        return html! {
            form.action method="post" action={ (address(run)) "/cancel" } {
                button.button.danger type="submit" { "Cancel run" }
            }
        };
    }
    // A run started by a notebook ends with it, and a run that never began has nothing to repair.
    if run.run_type == RunType::WorkflowRun
        || run.state.result == Some(ResultState::MaximumConcurrentRunsReached)
    {
        return html! {};
    }
    repair_form(loaded)
}

fn address(run: &Run) -> String {
    format!("/jobs/{}/runs/{}", run.job_id, run.run_id)
}

fn repair_form(loaded: &Loaded) -> Markup {
    let run = &loaded.run;
    let newest: Vec<&TaskRun> = loaded.newest().map(|shown| &shown.task).collect();
    let any_failed = newest.iter().any(|task| wants_repair(task));
    html! {
        details.action #repair {
            summary.button.first[any_failed] { "Repair" }
            form method="post" action={ (address(run)) "/repair" } {
                p { "The run continues with new attempts of these tasks; the others keep their results." }
                @if let Some(last) = loaded.lives.last() {
                    input type="hidden" name="latest_repair_id" value=(last.repair_id);
                }
                fieldset {
                    legend { "Tasks to run again" }
                    @for task in newest {
                        label.check { input type="checkbox" name="task" value=(task.task_key) checked[wants_repair(task)]; (task.task_key) }
                    }
                }
                label.check { input type="checkbox" name="dependent" value="yes"; "and the tasks that depend on them" }
                @if !run.parameters.is_empty() {
                    details { summary { "With other parameters" }
                        div.fields { @for (name, value) in &run.parameters {
                            label { span { (name) }
                                input type="text" name={ (PARAMETER) (name) } value=(value) autocomplete="off" spellcheck="false"; }
                        } }
                    }
                }
                button.button.first type="submit" { "Repair run" }
            }
        }
    }
}

/// Failed, or not run because of a failure.
fn wants_repair(task: &TaskRun) -> bool {
    !matches!(
        task.state.result,
        Some(ResultState::Success | ResultState::Excluded | ResultState::Disabled)
    )
}

/// `POST …/cancel`.
pub(in crate::pages) async fn cancel(
    State(app): State<Arc<App>>,
    Path((job_id, run_id)): Path<(i64, i64)>,
) -> Result<Response, ErrorPage> {
    let run = find(&app, job_id, run_id)?;
    runner::cancel(&app, &run)
        .map_err(|error| refused("The run was not cancelled", &error, &run))?;
    Ok(see(&address(&run)))
}

/// `POST …/repair`.
pub(in crate::pages) async fn repair(
    State(app): State<Arc<App>>,
    Path((job_id, run_id)): Path<(i64, i64)>,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response, ErrorPage> {
    let run = find(&app, job_id, run_id)?;
    let title = "The run was not repaired";
    let request: Request = serde_json::from_value(asked(&run, form)).map_err(|error| {
        let error = crate::error::ApiError::invalid(format!("the form cannot be read: {error}"));
        refused(title, &error, &run)
    })?;
    open_again(&app, &run, request).map_err(|error| refused(title, &error, &run))?;
    Ok(see(&address(&run)))
}

/// The form as a `runs/repair` request, with the parameters that were changed.
fn asked(run: &Run, form: Vec<(String, String)>) -> Value {
    let mut request = json!({"rerun_tasks": [], "job_parameters": {}});
    for (field, value) in form {
        match (field.as_str(), field.strip_prefix(PARAMETER)) {
            ("task", _) => {
                if let Some(tasks) = request["rerun_tasks"].as_array_mut() {
                    tasks.push(value.into());
                }
            }
            ("dependent", _) => request["rerun_dependent_tasks"] = true.into(),
            ("latest_repair_id", _) => {
                request["latest_repair_id"] = value.parse::<i64>().ok().into()
            }
            (_, Some(name)) if run.parameters.get(name) != Some(&value) => {
                request["job_parameters"][name] = value.into();
            }
            _ => {}
        }
    }
    request
}

fn find(app: &App, job_id: i64, run_id: i64) -> Result<Run, ErrorPage> {
    let run = app.store.run(run_id)?.filter(|run| run.job_id == job_id);
    run.ok_or_else(|| super::absent(job_id, run_id))
}

fn refused(title: &str, error: &crate::error::ApiError, run: &Run) -> ErrorPage {
    ErrorPage::refused(title, error, ("the run", &address(run)))
}
