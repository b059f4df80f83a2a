//! A clone with a branch, whose target `preprod` is on a host of the test's choice and fed by `main`.

use std::net::TcpListener;
use std::process::Command;

use xtask_testkit::{Answer, Fault, FaultProxy, Gate, Passed, Rule, Said, When};

use crate::status::world as clone;

/// The target on Databricks.
pub(crate) const TARGET: &str = "preprod";
/// A token that must be shown nowhere.
pub(crate) const TOKEN: &str = "dapiCANARYhosted";

/// How a workspace is hostile.
#[derive(Debug, Clone)]
pub(crate) enum Host {
    /// Nothing listens there.
    Closed,
    /// It takes connections and answers nothing.
    Silent,
    /// It answers everything with this.
    Says(Answer),
    /// It leads to a page for signing in.
    Login,
}

/// A clone in hostile surroundings.
pub(crate) struct World {
    pub(crate) clone: clone::World,
    pub(crate) host: String,
    _proxy: FaultProxy,
}

impl World {
    pub(crate) fn new(host: &Host) -> World {
        let clone = clone::World::new();
        let proxy = FaultProxy::before("http://127.0.0.1:9");
        let url = match host {
            Host::Closed => closed(),
            Host::Silent => {
                let held = Fault::Hold(Gate::default(), When::Before);
                proxy.add(Rule::new(held).matching(|_| true).always());
                proxy.url()
            }
            Host::Login => {
                let page = Fault::Answer(Answer::page(), When::Before);
                let to_page = Answer::status(302).header("Location", "/login");
                let to_page = Fault::Answer(to_page, When::Before);
                let is_page = |passed: &Passed| passed.path == "/login";
                proxy.add(Rule::new(page).matching(is_page).always());
                proxy.add(Rule::new(to_page).matching(|_| true).always());
                proxy.url()
            }
            Host::Says(answer) => {
                let said = Fault::Answer(answer.clone(), When::Before);
                proxy.add(Rule::new(said).matching(|_| true).always());
                proxy.url()
            }
        };
        // By a name that is not that of a local workspace.
        let host = url.replace("127.0.0.1", "localhost");
        clone.git(&["switch", "--quiet", "main"]);
        on_host(&clone, &host);
        let config = clone.project.root().join("xtask.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(
            &config,
            format!("{text}\n[targets.{TARGET}]\nbranch = \"main\"\n"),
        )
        .unwrap();
        clone.commit("put preprod on a host");
        clone.push("main");
        clone.git(&["switch", "--quiet", "--create", "slower"]);
        clone
            .project
            .edit("databricks.yml", "name: loyalty", "name: loyalty2");
        clone.commit("rename the bundle");
        clone.push("slower");
        // The branch whose commits the target gets.
        clone.git(&["switch", "--quiet", "main"]);
        World {
            clone,
            host,
            _proxy: proxy,
        }
    }

    /// `cargo xtask ARGS`, with or without a token for the host.
    pub(crate) fn run(&self, args: &[&str], signed_in: bool) -> Said {
        let mut command: Command = self.clone.xtask(args);
        if signed_in {
            command.env("DATABRICKS_TOKEN", TOKEN);
        }
        if args.contains(&TARGET) {
            // Work on a host takes no program of the local workspace.
            command.env("XTASK_WORKSPACE_BIN", "/no/such/program");
        }
        let said = Said::of(command);
        for text in [&said.stdout, &said.stderr] {
            assert!(!text.contains(TOKEN), "the token is shown: {text}");
            assert!(!text.contains("panicked"), "{text}");
        }
        said
    }
}

/// Puts the target on a host.
pub(crate) fn on_host(clone: &clone::World, host: &str) {
    let path = clone.project.root().join("databricks.yml");
    let yaml = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, with_host(&yaml, host)).unwrap();
}

/// The bundle with the target on a host.
pub(crate) fn with_host(yaml: &str, host: &str) -> String {
    let start = format!("  {TARGET}:\n");
    let (before, after) = yaml.split_once(&start).unwrap();
    let after = after.replacen("profile: mlops-local", &format!("host: {host}"), 1);
    format!("{before}{start}{after}")
}

/// An address at which nothing listens.
fn closed() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
