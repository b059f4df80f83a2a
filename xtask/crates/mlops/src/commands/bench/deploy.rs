//! Deploying the project's bundle: to the local workspace, against the in-memory server that the Databricks CLI is
//! tested with.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use xshell::cmd;
use xtask_remote::local;

use super::Bench;
use super::measure::{median, wait_for_answer};
use crate::child_env::{self, Program, sh};
use crate::error::Failure;
use crate::tools;

const GO_MOD: &str = include_str!("../../../tools/databricks-cli/go.mod");
const GO_SUM: &str = include_str!("../../../tools/databricks-cli/go.sum");
const CLI_SERVER: &str = include_str!("cli_server_test.go");
/// How long a server may take until it answers, MLflow included.
const START: Duration = Duration::from_secs(90);
const DEPLOYS: usize = 5;

/// Median of some deployments to the local workspace, over the same against the CLI's server.
pub(super) fn deploy(bench: &Bench<'_>) -> anyhow::Result<f64> {
    let folder = bench.scratch("deploy")?;
    let program = build_cli_server(bench, &folder)?;
    let theirs = Server::of_the_cli(bench, &folder, &program)?;
    let ours = Server::local(bench, &folder)?;
    let (mut to_theirs, mut to_ours) = (Vec::new(), Vec::new());
    // In turns: what else the machine does meets both alike. The first turn fills caches.
    for turn in 0..=DEPLOYS {
        for (server, times) in [(&theirs, &mut to_theirs), (&ours, &mut to_ours)] {
            let took = bench.deployment(server)?;
            if turn > 0 {
                times.push(took);
            }
        }
    }
    drop((theirs, ours));
    fs_err::remove_dir_all(&folder)?;
    let (reference, measured) = (median(&to_theirs), median(&to_ours));
    let seconds = format!("{measured:.2} s, and {reference:.2} s to the server of the CLI's tests");
    bench.context.ui.status("Deployed", &seconds);
    Ok(measured / reference)
}

fn build_cli_server(bench: &Bench<'_>, folder: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    let Some(go) = tools::go(bench.context) else {
        return Failure::missing("Go is not on PATH: the server that the Databricks CLI is tested with is built from its Go module",
        )
        .next("install Go 1.26 or later (https://go.dev/dl), and measure again")
        .err();
    };
    let source = folder.join("cli-server");
    fs_err::create_dir_all(&source)?;
    fs_err::write(source.join("go.mod"), GO_MOD)?;
    fs_err::write(source.join("go.sum"), GO_SUM)?;
    fs_err::write(source.join("cli_server_test.go"), CLI_SERVER)?;
    let program = source.join("server.test");
    let line = cmd!(sh(), "{go} test -mod=mod -c -o {program} .")
        .env("GOWORK", "off")
        .env("GOTOOLCHAIN", "local");
    bench.timed(child_env::command(
        &bench.context.env,
        Program::Go,
        line,
        &source,
    ))?;
    Ok(program)
}

/// A server that bundles are deployed to, with the configuration file that leads the CLI to it.
struct Server {
    child: Child,
    /// What is deployed to it.
    clone: Utf8PathBuf,
    config: Utf8PathBuf,
    cache: Utf8PathBuf,
    /// How to ask it to end; the other one ends with its standard input.
    local: Option<xtask_remote::Http>,
}

impl Server {
    fn of_the_cli(
        bench: &Bench<'_>,
        folder: &Utf8Path,
        program: &Utf8Path,
    ) -> anyhow::Result<Server> {
        let address = folder.join("address");
        let line = cmd!(sh(), "{program} -test.run TestServe -test.timeout 0");
        let line = line.env("ADDRESS", &address);
        let mut command = child_env::command(&bench.context.env, Program::Code, line, folder);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut server = Server::started(folder, "cli-server", command.spawn()?);
        let deadline = Instant::now() + START;
        while !address.exists() && Instant::now() < deadline && server.child.try_wait()?.is_none() {
            std::thread::sleep(Duration::from_millis(10));
        }
        let Ok(url) = fs_err::read_to_string(&address) else {
            return Failure::service("the server of the Databricks CLI's tests did not start")
                .err();
        };
        server.prepare(bench, url.trim(), "any")?;
        Ok(server)
    }

    fn local(bench: &Bench<'_>, folder: &Utf8Path) -> anyhow::Result<Server> {
        let state = folder.join("workspace");
        let mut server = Server::started(folder, "local", bench.serve(&state)?);
        let http = wait_for_answer(&state)?;
        let deadline = Instant::now() + START;
        let mut status = local::status(&http)?;
        // The CLI's server has no MLflow to wait for.
        while status.mlflow.state != "ready" && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(200));
            status = local::status(&http)?;
        }
        let token = fs_err::read_to_string(state.join("token"))?;
        server.prepare(bench, &status.url, token.trim())?;
        server.local = Some(http);
        Ok(server)
    }

    fn started(folder: &Utf8Path, name: &str, child: Child) -> Server {
        Server {
            child,
            clone: folder.join(format!("{name}-clone")),
            config: folder.join(format!("{name}.cfg")),
            cache: folder.join(format!("{name}-cache")),
            local: None,
        }
    }

    /// Clones what is deployed, and writes the configuration file: the profile of the local targets, and this server
    /// behind it.
    fn prepare(&self, bench: &Bench<'_>, url: &str, token: &str) -> anyhow::Result<()> {
        let profile = &bench.context.config.workspace.profile;
        bench.clone_to(&self.clone)?;
        let text = format!("[{profile}]\nhost = {url}\ntoken = {token}\n");
        fs_err::write(&self.config, text)?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if let Some(http) = &self.local {
            let _ = local::shutdown(http);
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bench<'_> {
    /// Seconds that a deployment takes where nothing is deployed.
    fn deployment(&self, server: &Server) -> anyhow::Result<f64> {
        let took = self.timed(self.bundle(server, &["deploy"]))?;
        self.timed(self.bundle(server, &["destroy", "--auto-approve"]))?;
        Ok(took)
    }

    fn bundle(&self, server: &Server, args: &[&str]) -> Command {
        let cli = &self.toolbox.databricks;
        let target = &self.context.config.test.integration_target;
        let line = cmd!(sh(), "{cli} bundle {args...} --target {target}")
            .env("DATABRICKS_CONFIG_FILE", &server.config)
            .env("DATABRICKS_CACHE_DIR", &server.cache)
            .env("DATABRICKS_RATE_LIMIT", "200")
            .env("DATABRICKS_CLI_DISABLE_TELEMETRY", "1")
            .env("DATABRICKS_CLI_DISABLE_UPDATE_CHECK", "1");
        child_env::command(&self.context.env, Program::LocalBundle, line, &server.clone)
    }
}
