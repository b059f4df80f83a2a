//! `POST /jobs/{job_id}/run-now`: the form on a job's page that starts a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};

use super::super::error_page::ErrorPage;
use super::super::layout::see;
use crate::caller::Caller;
use crate::jobs::JobSettings;
use crate::runner::start::{Parameters, Request, run_job};
use crate::state::App;
use crate::store::Job;

/// Prefixes of form fields: job parameters, and parameters of notebooks.
const OF_JOB: &str = "job.";
const OF_NOTEBOOKS: &str = "notebook.";

/// Offers the job's parameters, or if it has none, those of its notebooks.
pub(super) fn form(job: &Job) -> Markup {
    let (prefix, fields) = fields(&job.settings);
    html! {
        form.action method="post" action={ "/jobs/" (job.job_id) "/run-now" } {
            @if !fields.is_empty() {
                details {
                    summary { "Run with other parameters" }
                    div.fields {
                        @for (field, value) in &fields {
                            label { span { (field) }
                                input type="text" name={ (prefix) (field) } value=(value) autocomplete="off" spellcheck="false"; }
                        }
                    }
                }
            }
            button.button.first type="submit" { "Run now" }
        }
    }
}

/// The prefix of the form fields, and their default values.
fn fields(settings: &JobSettings) -> (&'static str, BTreeMap<String, String>) {
    let declared = settings.parameters.iter();
    let declared: BTreeMap<String, String> = declared
        .map(|parameter| (parameter.name.clone(), parameter.default.clone()))
        .collect();
    if !declared.is_empty() {
        return (OF_JOB, declared);
    }
    let notebooks = settings
        .tasks
        .iter()
        .filter_map(|task| task.notebook_task.as_ref());
    let given = notebooks.flat_map(|notebook| &notebook.base_parameters);
    let given =
        given.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()));
    (OF_NOTEBOOKS, given.collect())
}

/// Starts a run with the values that differ from the defaults, and redirects to its page.
pub(in crate::pages) async fn start(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(job_id): Path<i64>,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response, ErrorPage> {
    let Some(job) = app.store.job(job_id)? else {
        return Err(super::job::absent(job_id));
    };
    let page = format!("/jobs/{job_id}");
    let request = Request {
        parameters: changed(&job.settings, form),
        creator: caller.name().to_owned(),
        ..Request::default()
    };
    let title = format!("{} was not started", job.settings.name);
    let run = run_job(&app, job, request)
        .map_err(|error| ErrorPage::refused(&title, &error, ("the job", &page)))?;
    Ok(see(&format!("{page}/runs/{}", run.run_id)))
}

fn changed(settings: &JobSettings, form: Vec<(String, String)>) -> Parameters {
    let (_, defaults) = fields(settings);
    let mut parameters = Parameters::default();
    for (field, value) in form {
        let (target, key) = match (field.strip_prefix(OF_JOB), field.strip_prefix(OF_NOTEBOOKS)) {
            (Some(key), _) => (&mut parameters.job_parameters, key),
            (None, Some(key)) => (&mut parameters.notebook_params, key),
            (None, None) => continue,
        };
        if defaults.get(key).is_none_or(|default| *default != value) {
            target.insert(key.to_owned(), value);
        }
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn settings(json: Value) -> JobSettings {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn only_what_was_changed_is_sent() {
        let settings = settings(
            json!({"parameters": [{"name": "a", "default": "1"}, {"name": "b", "default": "2"}]}),
        );
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let sent = changed(
            &settings,
            vec![pair("job.a", "1"), pair("job.b", "3"), pair("x", "y")],
        );
        assert_eq!(sent.job_parameters, BTreeMap::from([pair("b", "3")]));
        assert!(sent.notebook_params.is_empty());
    }

    #[test]
    fn a_job_without_parameters_takes_those_of_its_notebooks() {
        let notebook = json!({"notebook_path": "/a", "base_parameters": {"env": "dev"}});
        let settings = settings(json!({"tasks": [{"notebook_task": notebook}]}));
        let form = vec![("notebook.env".to_owned(), "test".to_owned())];
        assert_eq!(changed(&settings, form).notebook_params["env"], "test");
    }
}
