//! `cargo xtask run JOB`: runs a deployed job and follows it.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Serialize;
use xtask_remote::databricks::jobs;

use crate::bundle;
use crate::context::Context;
use crate::databricks::{Purpose, Summary, Target, Writer, guard};
use crate::error::Failure;
use crate::{follow, next_step, task_failures};

/// Options of `run`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Job key in the bundle, such as `model_training_job`.
    job: String,
    /// Bundle target to run the job on.
    #[arg(long, short, default_value = "dev")]
    target: String,
    /// Set a job parameter; repeatable.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// Start the run and exit.
    #[arg(long)]
    no_wait: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    /// `started`, `succeeded` or `failed`.
    outcome: &'static str,
    job: &'a str,
    target: &'a str,
    run_id: i64,
    url: &'a str,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let pass = guard::check(context, &args.target, Purpose::Run)?;
    let toolbox = bundle::ready(context, &[&args.target], &[])?;
    let target = Target::open(context, &toolbox, &args.target)?;
    let summary = target.deployed()?;
    let writer = pass.on(&target)?;
    let transport = writer.transport();
    let parameters = args.parameters.iter().cloned().collect();
    let (run_id, url) = start(context, &writer, &summary, &args.job, &parameters)?;
    let answer = |outcome| {
        context.ui.json(&Answer {
            version: 1,
            outcome,
            job: &args.job,
            target: &target.name,
            run_id,
            url: &url,
        })
    };
    if args.no_wait {
        context.ui.answer(&run_id.to_string());
        return answer("started");
    }
    let run = follow::to_the_end(context, &*transport, run_id, target.local.is_some())?;
    if run.state.is_success() {
        context.ui.status("Succeeded", &format!("job run {run_id}"));
        return answer("succeeded");
    }
    answer("failed")?;
    let again = format!("cargo xtask run {} --target {}", args.job, target.name);
    let next = next_step::of(context, &target, &summary).filter(|next| *next != again);
    task_failures::of_run(&*transport, &run).into_error(&run, next.as_deref())
}

/// Starts a run of a job and shows its page at once; its id and page.
pub(crate) fn start(
    context: &Context,
    writer: &Writer<'_, '_>,
    summary: &Summary,
    key: &str,
    parameters: &BTreeMap<String, String>,
) -> anyhow::Result<(i64, String)> {
    let (target, transport) = (writer.target(), writer.transport());
    let job_id = job_id(target, summary, key)?;
    // One token a start: a lost reply and a second try end in the same run.
    let token = xtask_remote::sha256(
        format!(
            "{job_id} {} {}",
            xtask_remote::Timestamp::now(),
            std::process::id()
        )
        .as_bytes(),
    );
    let run_id = jobs::run_now(&*transport, job_id, parameters, &token[..32])
        .with_context(|| format!("starting {key} on {}", target.name))?;
    let url = jobs::run(&*transport, run_id)?.run_page_url;
    context.ui.status("Job run", &target.readable_link(&url));
    Ok((run_id, url))
}

fn job_id(target: &Target<'_>, summary: &Summary, key: &str) -> anyhow::Result<i64> {
    let jobs = &summary.resources.jobs;
    let id = jobs.get(key).and_then(|job| job.id.as_deref());
    if let Some(id) = id.and_then(|id| id.parse().ok()) {
        return Ok(id);
    }
    let what = format!("job {key} is not deployed to {}", target.name);
    let deploy = format!("cargo xtask deploy --target {}", target.name);
    let failure = Failure::usage(what);
    match jobs.is_empty() {
        true => failure.next(deploy),
        false => {
            let keys: Vec<&str> = jobs.keys().map(String::as_str).collect();
            failure
                .next(format!("take one of: {}", keys.join(", ")))
                .next(format!("{deploy}   # if the job is new in the bundle"))
        }
    }
    .err()
}

fn parameter(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("\"{text}\" is not of the form NAME=VALUE"))
}
