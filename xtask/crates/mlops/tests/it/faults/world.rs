//! A project that reaches its workspace through a proxy, with a champion there.

use std::time::{Duration, Instant};

use serde_json::json;
use xtask_remote::databricks::files;
use xtask_remote::{Credentials, Http, Method, Request, Transport as _};
use xtask_testkit::{Fault, FaultProxy, Passed, Project, Rule, Said, Workspace};

/// The target that the champion is on, and its model.
pub(super) const TARGET: &str = "check";
const MODEL: &str = "check.loyalty.months_left_regressor";

/// Useless responses of a service.
pub(super) const NONSENSE: &[&str] = &["", "null", "[]", "{}", "\"x\"", "17", "{\"a\": ", "\u{0}"];

pub(super) struct World {
    pub(super) workspace: Workspace,
    pub(super) proxy: FaultProxy,
    pub(super) project: Project,
}

impl World {
    /// The bundle is deployed, and version 1 of its model is the champion: two files.
    pub(super) fn new() -> World {
        let workspace = Workspace::start();
        let proxy = FaultProxy::before(workspace.url());
        let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"));
        project.at(".xtask/workspace", &proxy.url(), workspace.token());
        let deployed = project.succeed(&["deploy", "--target", TARGET, "--yes"]);
        assert!(
            !deployed.stderr.contains("Restarting"),
            "{}",
            deployed.stderr
        );
        let world = World {
            workspace,
            proxy,
            project,
        };
        world.register();
        world.proxy.clear();
        world
    }

    fn register(&self) {
        let http = Http::new(
            self.workspace.url(),
            Credentials::bearer(self.workspace.token()),
        );
        let http = http.unwrap();
        let post = |path: &str, body: serde_json::Value| {
            let path = format!("/api/2.0/mlflow/unity-catalog/{path}");
            let request = Request::new(Method::Post, path).json(&body);
            // MLflow is only starting.
            http.send(&request.within(Duration::from_secs(120)))
                .unwrap();
        };
        post(
            "model-versions/create",
            json!({"name": MODEL, "source": "dbfs:/nowhere"}),
        );
        let folder = tempfile::tempdir().unwrap();
        let root = format!("/Models/{}/1", MODEL.replace('.', "/"));
        for (name, length) in [("MLmodel", 300), ("data/model.bin", 3_000_000)] {
            let file = folder.path().join("file");
            std::fs::write(&file, vec![b'm'; length]).unwrap();
            files::upload(&http, &file, &format!("{root}/{name}")).unwrap();
        }
        post(
            "model-versions/finalize",
            json!({"name": MODEL, "version": "1"}),
        );
        post(
            "registered-models/alias",
            json!({"name": MODEL, "alias": "champion", "version": "1"}),
        );
    }

    /// Fetches the champion, and says how that ended. What an earlier call fetched is gone, unless it is kept.
    pub(super) fn pull(&self, keep: bool) -> Said {
        let models = self.project.root().join(".xtask/models");
        if !keep {
            let _ = std::fs::remove_dir_all(models);
        }
        self.said(&["model", "pull", "--target", TARGET])
    }

    /// What a command says: never a panic, never a token, and soon.
    pub(super) fn said(&self, args: &[&str]) -> Said {
        let begun = Instant::now();
        let said = self.project.run(args);
        let everything = format!("{}{}", said.stdout, said.stderr);
        assert!(!everything.contains("panicked"), "{everything}");
        assert!(!everything.contains(self.workspace.token()), "{everything}");
        assert!(begun.elapsed() < Duration::from_secs(60), "{everything}");
        said
    }

    /// Has this happen at the `n`-th of the calls that matter.
    pub(super) fn at(&self, n: usize, fault: Fault) {
        self.proxy.heal();
        self.proxy.add(Rule::new(fault).matching(matters).nth(n));
    }

    /// Has this happen at all calls that matter.
    pub(super) fn always(&self, fault: Fault) {
        self.proxy.heal();
        self.proxy.add(Rule::new(fault).matching(matters).always());
    }
}

/// Whether a call is made by xtask itself and is more than a health check: after a failed health check xtask
/// starts a workspace.
pub(super) fn matters(passed: &Passed) -> bool {
    passed.client().starts_with("xtask/") && !passed.path.starts_with("/local/v1/status")
}
