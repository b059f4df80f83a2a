//! `{{…}}` references in parameters.

use jiff::Timestamp;
use serde_json::Value;

use super::parameters::{Context, text};
use crate::store::{ResultState, Run, RunType, TaskRun};

/// Resolves every reference in a text. Unknown namespaces stay as they are.
pub(super) fn fill(template: &str, context: &Context<'_>) -> Result<String, String> {
    fill_within(template, context, &[])
}

/// `within` are the job parameters that are being resolved, each of which refers to the next.
fn fill_within(template: &str, context: &Context<'_>, within: &[&str]) -> Result<String, String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((reference, tail)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            continue;
        };
        match resolve(reference.trim(), context, within)? {
            Some(value) => filled.push_str(&value),
            None => filled.push_str(&format!("{{{{{reference}}}}}")),
        }
        rest = tail;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn resolve(
    reference: &str,
    context: &Context<'_>,
    within: &[&str],
) -> Result<Option<String>, String> {
    let parts = segments(reference);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if let Some(value) = of_run(&parts, reference, context, within)? {
        return Ok(Some(value));
    }
    // Without a task, references to it are resolved later.
    match context.task {
        Some(task) => of_place(&parts, reference, task, context),
        None => Ok(None),
    }
}

/// References with the same value in every task of a run.
fn of_run(
    parts: &[&str],
    reference: &str,
    context: &Context<'_>,
    within: &[&str],
) -> Result<Option<String>, String> {
    let run = context.run;
    Ok(Some(match parts[..] {
        ["job", "id"] | ["job_id"] => run.job_id.to_string(),
        ["job", "name"] => run.run_name.clone(),
        ["job", "run_id"] | ["parent_run_id"] => run.run_id.to_string(),
        ["job", "repair_count"] => run.repair_count.to_string(),
        ["job", "trigger", "type"] => trigger_type(run).to_owned(),
        ["job", "trigger", "time", part] => {
            let time = start_time(run.due_time.unwrap_or(run.start_time), part);
            time.ok_or_else(|| unknown(reference))?
        }
        ["job", "trigger", "file_arrival", "location"] => String::new(),
        ["job", "start_time", part] => {
            start_time(run.start_time, part).ok_or_else(|| unknown(reference))?
        }
        ["job", "parameters", name] => job_parameter(name, reference, context, within)?,
        ["start_date"] => start_time(run.start_time, "iso_date").unwrap_or_default(),
        ["start_time"] => run.start_time.to_string(),
        ["workspace", "id"] => context.workspace.0.to_owned(),
        ["workspace", "url"] => context.workspace.1.to_owned(),
        ["backfill", ..] => {
            return Err(format!(
                "{{{{{reference}}}}}: the local workspace has no backfill runs; pass the value itself"
            ));
        }
        // An unknown name in a known namespace is an error.
        ["job" | "workspace", ..] => return Err(unknown(reference)),
        _ => return Ok(None),
    }))
}

/// Resolves references in the value, too.
fn job_parameter(
    name: &str,
    reference: &str,
    context: &Context<'_>,
    within: &[&str],
) -> Result<String, String> {
    let Some(value) = context.run.parameters.get(name) else {
        return Err(format!(
            "the job has no parameter '{name}' ({{{{{reference}}}}})"
        ));
    };
    if within.contains(&name) {
        return Err(format!("the job's parameter '{name}' refers to itself"));
    }
    fill_within(value, context, &[within, &[name]].concat())
}

/// References that depend on the task.
fn of_place(
    parts: &[&str],
    reference: &str,
    task: &TaskRun,
    context: &Context<'_>,
) -> Result<Option<String>, String> {
    Ok(Some(match parts[..] {
        ["input", ref names @ ..] if task.input.is_some() => of_input(
            names,
            task.input.as_ref().unwrap_or(&Value::Null),
            reference,
        )?,
        ["task", "name"] | ["task_key"] => task.task_key.clone(),
        ["task", "run_id"] | ["run_id"] => task.run_id.to_string(),
        ["task", "execution_count"] | ["task_retry_count"] => execution_count(task, parts[0]),
        ["task", "notebook_path"] => task.settings.notebook_path().to_owned(),
        ["tasks", key, ref what @ ..] if !what.is_empty() => {
            of_task(key, what, reference, context)?
        }
        ["task" | "tasks", ..] => return Err(unknown(reference)),
        _ => return Ok(None),
    }))
}

fn unknown(reference: &str) -> String {
    format!("unknown reference {{{{{reference}}}}}")
}

/// The segments of a reference; one in backquotes or brackets may contain dots.
fn segments(reference: &str) -> Vec<String> {
    let (mut names, mut closing) = (vec![String::new()], None);
    for character in reference.chars() {
        let Some(name) = names.last_mut() else { break };
        match (character, closing) {
            (character, Some(end)) if character == end => closing = None,
            (character, Some(_)) => name.push(character),
            ('`', None) => closing = Some('`'),
            ('[', None) if name.is_empty() => closing = Some(']'),
            ('.', None) => names.push(String::new()),
            (character, None) => name.push(character),
        }
    }
    names
}

fn trigger_type(run: &Run) -> &'static str {
    match (run.due_time, run.run_type, run.parent_run_id) {
        (Some(_), _, _) => "periodic",
        (None, RunType::JobRun, Some(_)) => "run_job",
        _ => "onetime",
    }
}

/// Executions so far; the older name counts retries.
fn execution_count(task: &TaskRun, name: &str) -> String {
    let first = i64::from(name == "task");
    (task.attempt_number + first).to_string()
}

/// `{{input}}` of an iteration, or a value inside it: `{{input.a.b}}`.
fn of_input(names: &[&str], input: &Value, reference: &str) -> Result<String, String> {
    let mut found = input;
    for name in names {
        found = found
            .get(*name)
            .ok_or_else(|| format!("the input {input} has no '{name}' ({{{{{reference}}}}})"))?;
    }
    Ok(text(found))
}

fn of_task(
    key: &str,
    what: &[&str],
    reference: &str,
    context: &Context<'_>,
) -> Result<String, String> {
    let Some(task) = context.tasks.iter().rev().find(|task| task.task_key == key) else {
        return Err(format!("the job has no task '{key}' ({{{{{reference}}}}})"));
    };
    match what {
        ["values", name] => {
            let found = context
                .values
                .iter()
                .find(|(task, value, _)| task == key && value == name);
            found.map(|(_, _, value)| text(value)).ok_or_else(|| {
                format!(
                    "task '{key}' has set no value '{name}' with dbutils.jobs.taskValues.set (yet)"
                )
            })
        }
        ["run_id"] => Ok(task.run_id.to_string()),
        ["execution_count"] => Ok(execution_count(task, "task")),
        ["notebook_path"] => Ok(task.settings.notebook_path().to_owned()),
        ["result_state"] => Ok(task
            .state
            .result
            .map_or("", ResultState::as_str)
            .to_lowercase()),
        ["error_code"] => Ok(error_code(task).to_owned()),
        _ => Err(unknown(reference)),
    }
}

fn error_code(task: &TaskRun) -> &'static str {
    match task.state.result {
        Some(ResultState::Failed) => "RunExecutionError",
        Some(ResultState::TimedOut) => "Canceled",
        Some(ResultState::Canceled) => "UserCanceled",
        Some(ResultState::UpstreamFailed | ResultState::UpstreamCanceled) => "Skipped",
        _ => "",
    }
}

fn start_time(millisecond: i64, part: &str) -> Option<String> {
    let time = Timestamp::from_millisecond(millisecond).ok()?;
    let format = match part {
        "timestamp_ms" => return Some(millisecond.to_string()),
        "iso_datetime" => "%Y-%m-%dT%H:%M:%S",
        "iso_date" => "%Y-%m-%d",
        "iso_weekday" => "%u",
        "is_weekday" => {
            return Some(
                (!matches!(time.strftime("%u").to_string().as_str(), "6" | "7")).to_string(),
            );
        }
        "year" => "%Y",
        "month" => "%m",
        "day" => "%d",
        "hour" => "%H",
        "minute" => "%M",
        "second" => "%S",
        _ => return None,
    };
    Some(time.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::super::parameters::tests::with_context;
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_filled_in() {
        with_context(json!({}), |context| {
            for (template, expected) in [
                ("{{job.id}}/{{ job.run_id }}/{{task.run_id}}", "9/111/222"),
                ("{{tasks.Train.values.version}}", "7"),
                ("{{job.parameters.model}}", "m-111"),
                ("{{job.start_time.iso_date}}", "2023-11-14"),
                ("{{job.start_time.iso_datetime}}", "2023-11-14T22:13:20"),
                ("{{job.start_time.timestamp_ms}}", "1700000000000"),
                (
                    "{{job.start_time.iso_weekday}}/{{job.start_time.is_weekday}}",
                    "2/true",
                ),
                ("{{job.start_time.year}}-{{job.start_time.hour}}", "2023-22"),
                ("{{job.trigger.time.iso_date}}", "2023-11-14"),
                ("{{job.trigger.type}}", "onetime"),
                ("{{job.trigger.file_arrival.location}}", ""),
                ("{{job.name}}/{{job.repair_count}}", "train/0"),
                ("{{task.name}}/{{task.execution_count}}", "Validate/1"),
                ("{{tasks.`Train`.values.`version`}}", "7"),
                ("{{tasks.[Train].values.[version]}}", "7"),
                ("{{ job.parameters.[model] }}", "m-111"),
                ("{{job.parameters.`model`}}", "m-111"),
                ("{{inputs}}", "{{inputs}}"),
                (
                    "{{tasks.Train.result_state}}|{{tasks.Train.error_code}}",
                    "|",
                ),
                (
                    "{{tasks.Train.run_id}}/{{tasks.Train.execution_count}}",
                    "222/1",
                ),
                (
                    "{{parent_run_id}}/{{run_id}}/{{job_id}}/{{task_key}}",
                    "111/222/9/Validate",
                ),
                ("{{task_retry_count}}/{{start_date}}", "0/2023-11-14"),
                ("{{workspace.id}}", "1"),
                ("{{secrets/scope/key}}", "{{secrets/scope/key}}"),
                ("{{unknown}} and {{ open", "{{unknown}} and {{ open"),
                ("{{workspace.url}}", "http://w"),
            ] {
                assert_eq!(fill(template, context).unwrap(), expected, "{template}");
            }
        });
    }

    #[test]
    fn an_iteration_sees_its_input() {
        with_context(json!({}), |context| {
            let mut task = context.task.unwrap().clone();
            assert_eq!(fill("{{input}}", context).unwrap(), "{{input}}");
            task.input = Some(json!({"table": "t", "rows": [1], "a.b": 2}));
            let context = Context {
                task: Some(&task),
                ..*context
            };
            assert_eq!(
                fill("{{input.table}}:{{input.rows}}:{{input.[a.b]}}", &context).unwrap(),
                "t:[1]:2"
            );
            assert!(
                fill("{{input.nope}}", &context)
                    .unwrap_err()
                    .contains("'nope'")
            );
        });
    }

    #[test]
    fn a_job_parameter_may_refer_to_another_but_not_to_itself() {
        with_context(json!({}), |context| {
            let mut run = context.run.clone();
            for (name, value) in [
                ("day", "{{job.start_time.iso_date}}"),
                ("folder", "{{job.parameters.model}}/{{job.parameters.day}}"),
                ("who", "{{task.name}}"),
                ("round", "{{job.parameters.about}}"),
                ("about", "{{job.parameters.round}}"),
            ] {
                run.parameters.insert(name.to_owned(), value.to_owned());
            }
            let inside = Context {
                run: &run,
                ..*context
            };
            let filled = |name: &str| fill(&format!("{{{{job.parameters.{name}}}}}"), &inside);
            assert_eq!(filled("folder").unwrap(), "m-111/2023-11-14");
            assert_eq!(filled("who").unwrap(), "Validate");
            assert!(filled("round").unwrap_err().contains("refers to itself"));
            // Outside of a task, what a task alone knows is left.
            let outside = Context {
                task: None,
                ..inside
            };
            let filled = |name: &str| fill(&format!("{{{{job.parameters.{name}}}}}"), &outside);
            assert_eq!(filled("day").unwrap(), "2023-11-14");
            assert_eq!(filled("who").unwrap(), "{{task.name}}");
        });
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_an_error() {
        with_context(json!({}), |context| {
            for template in [
                "{{tasks.Train.values.nope}}",
                "{{tasks.Nope.run_id}}",
                "{{job.parameters.nope}}",
                "{{job.notebook_url}}",
                "{{job.start_time.century}}",
                "{{task.colour}}",
                "{{tasks.Train.colour}}",
                "{{backfill.iso_date}}",
            ] {
                assert!(
                    fill(template, context).unwrap_err().contains("no"),
                    "{template}"
                );
            }
        });
    }
}
