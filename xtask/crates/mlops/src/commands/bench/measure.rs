//! How each figure is measured.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use camino::Utf8Path;
use xshell::{Cmd, cmd};
use xtask_remote::databricks::jobs;
use xtask_remote::{Credentials, Http, Method, Request, Transport as _, local};

use super::Bench;
use crate::child_env::{self, Program, sh};
use crate::context::Context;
use crate::databricks::{Purpose, Target, guard};
use crate::error::Failure;
use crate::local_workspace::{LocalWorkspace, Mode};
use crate::tools::Toolbox;
use crate::{local_workspace, process, python, vars};

/// Runs a notebook's cells in a plain Python process.
const PLAIN_NOTEBOOK: &str = include_str!("plain_notebook.py");
/// The manifest of the agreed packages.
const AGREED: &str = include_str!("agreed.toml");
/// Runs a command and prints the processor seconds of it and of its children.
const CPU_SECONDS: &str = "import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdout=sys.stderr)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime + usage.ru_stime)
sys.exit(status)";

/// The machine, in a few words.
pub(super) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores, {}", std::env::consts::OS)
}

pub(super) fn help(bench: &Bench<'_>) -> anyhow::Result<f64> {
    let times = repeat(11, || bench.timed(bench.cargo(&["xtask", "--help"])))?;
    // The first one brings everything into memory.
    Ok(median(&times[1..]) * 1000.0)
}

pub(super) fn unchanged(bench: &Bench<'_>) -> anyhow::Result<f64> {
    let times = repeat(6, || {
        let mut command = bench.cargo(&["xtask", "test"]);
        // CI skips nothing; here the skipping is what is measured.
        command.env_remove(vars::CI);
        bench.timed(command)
    })?;
    // The first one makes it unchanged.
    Ok(median(&times[1..]))
}

pub(super) fn workspace_ready(bench: &Bench<'_>) -> anyhow::Result<f64> {
    let times = repeat(5, || {
        let folder = bench.scratch("workspace-ready")?;
        let started = Instant::now();
        let mut child = bench.serve(&folder)?;
        let answered = wait_for_answer(&folder);
        let took = started.elapsed();
        if let Ok(http) = &answered {
            local::shutdown(http)?;
        }
        child.wait()?;
        answered.map(|_| took.as_secs_f64())
    })?;
    Ok(median(&times))
}

/// Asked over one open connection with nothing but a socket: it is the workspace that is measured.
pub(super) fn jobs_list(bench: &Bench<'_>) -> anyhow::Result<f64> {
    let first = &bench.context.config.workspace.profile;
    let workspace = local_workspace::start(bench.context, bench.toolbox, first, Mode::default())?;
    let address = workspace.url.trim_start_matches("http://");
    let token =
        fs_err::read_to_string(local_workspace::state_folder(bench.context, first).join("token"))?;
    let request = format!(
        "GET /api/2.2/jobs/list?limit=25 HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\r\n",
        token.trim()
    );
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut replies = BufReader::new(stream.try_clone()?);
    let mut requests = stream;
    let times = repeat(500, || {
        let started = Instant::now();
        requests.write_all(request.as_bytes())?;
        read_reply(&mut replies)?;
        Ok(started.elapsed().as_secs_f64())
    })?;
    Ok(median(&times) * 1000.0)
}

fn read_reply(replies: &mut impl BufRead) -> anyhow::Result<()> {
    let (mut line, mut length) = (String::new(), 0);
    while replies.read_line(&mut line)? > 2 {
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    replies.read_exact(&mut body)?;
    Ok(())
}

/// Wall time of the training job, over the sum of its notebooks in plain processes one by one.
pub(super) fn training_job(bench: &Bench<'_>) -> anyhow::Result<f64> {
    let context = bench.context;
    let name = &context.config.test.integration_target;
    let ready = bench.cargo(&["xtask", "test", "integration"]);
    bench.timed(ready)?;
    let pass = guard::check(context, name, Purpose::Run)?;
    let target = Target::open_to_deploy(context, bench.toolbox, name)?;
    let transport = pass.on(&target)?.transport();
    let summary = target.summary()?;
    let job = summary.resources.jobs.get(&context.config.jobs.train);
    let job_id: i64 = job
        .and_then(|job| job.id.as_ref()?.parse().ok())
        .context("no training job")?;

    let started = Instant::now();
    let token = format!("bench-{}", xtask_remote::Timestamp::now());
    let run_id = jobs::run_now(&*transport, job_id, &BTreeMap::new(), &token)?;
    let run = loop {
        let run = jobs::run(&*transport, run_id)?;
        if run.state.is_final() {
            break run;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let on_workspace = started.elapsed().as_secs_f64();
    if !run.state.is_success() {
        return Failure::failed(format!("job run {run_id} failed"))
            .next(format!("cargo xtask logs run:{run_id}"))
            .err();
    }
    let local = target.local.as_ref().context("the target is not local")?;
    Ok(on_workspace / plain(bench, local, &run, job_id)?)
}

/// The same notebooks with the same parameters, one plain process after the other.
fn plain(
    bench: &Bench<'_>,
    workspace: &LocalWorkspace,
    run: &jobs::Run,
    job_id: i64,
) -> anyhow::Result<f64> {
    let script = bench.scratch("plain")?.join("plain_notebook.py");
    fs_err::write(&script, PLAIN_NOTEBOOK)?;
    let values = script.with_file_name("values.json");
    let parameters = script.with_file_name("job.json");
    let request = Request::new(Method::Get, "/api/2.2/jobs/get").query("job_id", job_id);
    fs_err::write(&parameters, workspace.http.send(&request)?.body)?;
    let files = local_workspace::state_folder(bench.context, &workspace.profile);
    let started = Instant::now();
    let python = &bench.toolbox.python;
    for jobs::Task { task_key, .. } in &run.tasks {
        let line = cmd!(
            sh(),
            "{python} {script} {task_key} {parameters} {values} {files}"
        );
        let line = line.envs(local_workspace::variables(bench.context, workspace));
        bench.timed(bench.command(Program::Code, line))?;
    }
    Ok(started.elapsed().as_secs_f64())
}

/// Without deploying anything beside them.
pub(super) fn unit_tests(bench: &Bench<'_>) -> anyhow::Result<f64> {
    let report = bench.scratch("unit-tests")?.join("report.xml");
    let started = Instant::now();
    let finished = python::unit_tests(bench.context, bench.toolbox, &report, &mut |_| {})?;
    let took = started.elapsed().as_secs_f64();
    match finished.ok() {
        true => Ok(took),
        false => Failure::failed("the unit tests fail")
            .details(finished.tail)
            .next("cargo xtask test unit")
            .err(),
    }
}

/// What a script of the project prints last.
pub(super) fn project(bench: &Bench<'_>, command: &[String]) -> anyhow::Result<f64> {
    let context = bench.context;
    let what = format!("{} cannot be measured", command.join(" "));
    let script = python::script(context, bench.toolbox, command);
    let finished = process::succeed(&context.ui, &context.interrupt, script, &what)?;
    let last = finished.stdout.lines().last().unwrap_or_default();
    last.trim()
        .parse()
        .with_context(|| format!("{what}: its last line is {last:?}, not a number"))
}

pub(super) fn rebuild(bench: &Bench<'_>) -> anyhow::Result<f64> {
    let source = bench.context.root.join("xtask/crates/mlops/src/lib.rs");
    let text = fs_err::read(&source)?;
    let times = repeat(3, || {
        fs_err::write(&source, [text.as_slice(), b"// one line\n"].concat())?;
        let took = bench.timed(bench.cargo(&["build", "--package", "xtask"]));
        fs_err::write(&source, &text)?;
        took
    });
    bench.timed(bench.cargo(&["build", "--package", "xtask"]))?;
    Ok(median(&times?))
}

pub(super) fn cold_build(bench: &Bench<'_>) -> anyhow::Result<f64> {
    let options = ["--locked", "--package", "xtask"];
    build_seconds(bench, &bench.context.root, &options)
}

/// xtask from nothing, over the agreed packages alone.
pub(super) fn build_ratio(bench: &Bench<'_>) -> anyhow::Result<f64> {
    let agreed = bench.scratch("agreed")?;
    fs_err::create_dir_all(agreed.join("src"))?;
    fs_err::write(agreed.join("src/main.rs"), "fn main() {}\n")?;
    fs_err::write(agreed.join("Cargo.toml"), AGREED)?;
    fs_err::copy(
        bench.context.root.join("Cargo.lock"),
        agreed.join("Cargo.lock"),
    )?;
    let alone = build_seconds(bench, &agreed, &[])?;
    Ok(cold_build(bench)? / alone)
}

/// The processor seconds of a build into an empty folder.
fn build_seconds(bench: &Bench<'_>, project: &Utf8Path, args: &[&str]) -> anyhow::Result<f64> {
    let target = bench.scratch("cold-build")?;
    let (python, cargo) = (&bench.toolbox.python, bench.context.env.cargo());
    let line = cmd!(
        sh(),
        "{python} -c {CPU_SECONDS} {cargo} build --target-dir {target} {args...}"
    );
    let mut command = bench.command(Program::Xtask, line);
    command.current_dir(project);
    let seconds = answer_of(bench, command)?;
    fs_err::remove_dir_all(&target)?;
    Ok(seconds.trim().parse()?)
}

pub(super) fn fresh_clone(bench: &Bench<'_>) -> anyhow::Result<f64> {
    clone_and_test(bench, |command, folder| {
        let programs = bench.toolbox.databricks.parent().unwrap_or(folder);
        let path = bench.context.env.get("PATH").unwrap_or_default();
        command.env("PATH", format!("{programs}:{path}"));
    })
}

pub(super) fn fresh_clone_built(bench: &Bench<'_>) -> anyhow::Result<f64> {
    clone_and_test(bench, |command, folder| {
        command.env_remove(vars::XTASK_DATABRICKS_CLI);
        // Its modules are at hand; nothing of it is compiled yet.
        command.env("GOCACHE", folder.join("go-build"));
    })
}

/// Clones what is committed, and runs the main job there. The caches of cargo, uv and Go are the user's:
/// registries are warm, as in the goals.
fn clone_and_test(
    bench: &Bench<'_>,
    prepare: impl Fn(&mut Command, &Utf8Path),
) -> anyhow::Result<f64> {
    let folder = bench.scratch("fresh-clone")?;
    let clone = folder.join("clone");
    let started = Instant::now();
    bench.clone_to(&clone)?;
    let mut command = bench.cargo(&["xtask", "test"]);
    command.current_dir(&clone).env_remove("CARGO_TARGET_DIR");
    prepare(&mut command, &folder);
    let tested = bench.timed(command);
    let took = started.elapsed().as_secs_f64();
    let mut down = bench.cargo(&["xtask", "workspace", "down"]);
    down.current_dir(&clone).env_remove("CARGO_TARGET_DIR");
    bench.timed(down)?;
    tested?;
    fs_err::remove_dir_all(&folder)?;
    Ok(took)
}

/// What a command prints that must succeed.
pub(super) fn answer_of(bench: &Bench<'_>, command: Command) -> anyhow::Result<String> {
    let Bench { context, .. } = bench;
    let what = "it cannot be measured";
    Ok(process::succeed(&context.ui, &context.interrupt, command, what)?.stdout)
}

impl Bench<'_> {
    /// A program, run in the project's folder.
    pub(super) fn command(&self, kind: Program, line: Cmd<'_>) -> Command {
        let Context { env, root, .. } = self.context;
        child_env::command(env, kind, line, root)
    }

    fn cargo(&self, args: &[&str]) -> Command {
        let cargo = self.context.env.cargo();
        self.command(Program::Xtask, cmd!(sh(), "{cargo} {args...}"))
    }

    /// Starts a local workspace in a folder.
    pub(super) fn serve(&self, state: &Utf8Path) -> anyhow::Result<Child> {
        let Toolbox {
            workspace, python, ..
        } = self.toolbox;
        let line = cmd!(sh(), "{workspace} serve --state {state} --python {python}");
        let mut command = self.command(Program::Workspace, line);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(command.spawn()?)
    }

    /// Clones what is committed.
    pub(super) fn clone_to(&self, folder: &Utf8Path) -> anyhow::Result<f64> {
        let root = &self.context.root;
        let line = cmd!(sh(), "git clone --quiet {root} {folder}");
        self.timed(self.command(Program::Git, line))
    }

    /// Runs a command that must succeed; returns its wall time in seconds.
    pub(super) fn timed(&self, command: Command) -> anyhow::Result<f64> {
        let started = Instant::now();
        answer_of(self, command)?;
        Ok(started.elapsed().as_secs_f64())
    }

    /// An empty folder.
    pub(super) fn scratch(&self, name: &str) -> anyhow::Result<camino::Utf8PathBuf> {
        let folder = self.context.local().join("bench").join(name);
        if folder.exists() {
            fs_err::remove_dir_all(&folder)?;
        }
        fs_err::create_dir_all(&folder)?;
        Ok(folder)
    }
}

pub(super) fn wait_for_answer(folder: &Utf8Path) -> anyhow::Result<Http> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if let (Ok(server), Ok(token)) = (
            fs_err::read_to_string(folder.join("server.json")),
            fs_err::read_to_string(folder.join("token")),
        ) {
            let server: serde_json::Value = xtask_remote::json::from_str(&server)?;
            let url = server["url"].as_str().unwrap_or_default();
            let http = Http::new(url, Credentials::bearer(token.trim()))?;
            local::status(&http)?;
            return Ok(http);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Failure::service("the local workspace did not answer").err()
}

fn repeat(times: usize, mut once: impl FnMut() -> anyhow::Result<f64>) -> anyhow::Result<Vec<f64>> {
    (0..times).map(|_| once()).collect()
}

pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_median_is_the_middle_one() {
        assert!((super::median(&[3.0, 100.0, 1.0]) - 3.0).abs() < 1e-9);
    }
}
