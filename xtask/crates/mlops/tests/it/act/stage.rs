//! What the workflows act on: a clone with a bare repository as its remote, and a workspace for each environment.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use xtask_testkit::{Project, Said, Workspace, hermetic, repository};

use super::issuer::{self, Issuer};

/// The application id of CI's service principal, the same in all workspaces as in those of one account.
pub(super) const CLIENT: &str = "5d2f2a3e-6b0c-4b7e-9a53-0c1d2e3f4a5b";

/// The clone, its remote, and the workspaces.
pub(super) struct Stage {
    pub(super) clone: Project,
    pub(super) staging: Place,
    pub(super) prod: Place,
    issuer: Arc<Issuer>,
    tokens: String,
    remote: String,
}

/// A workspace.
pub(super) struct Place {
    workspace: Workspace,
    home: TempDir,
}

/// What a run of act printed, and whether all jobs went well.
pub(super) struct Acted {
    pub(super) text: String,
    code: Option<i32>,
}

impl Stage {
    /// This repository with `staging` and `prod` on workspaces of their own, pushed to `main`.
    pub(super) fn set() -> Stage {
        let clone = Project::of_this_repository(env!("CARGO_BIN_EXE_xtask-mlops"));
        let (issuer, tokens) = Issuer::start();
        let staging = Place::open(&issuer, &["staging", "prod"]);
        let prod = Place::open(&issuer, &["prod"]);
        let remote = clone.home().join("origin.git");
        let remote = remote.to_str().unwrap();
        clone.git(&["init", "--quiet", "--bare", remote]);
        clone.git(&[
            "--git-dir",
            remote,
            "config",
            "uploadpack.allowAnySHA1InWant",
            "true",
        ]);
        // As an address, so that a shallow fetch is one.
        let remote = format!("file://{remote}");
        clone.git(&["remote", "add", "origin", &remote]);
        for (target, place) in [("staging", &staging), ("prod", &prod)] {
            let path = clone.root().join("databricks.yml");
            let text = std::fs::read_to_string(&path).unwrap();
            let (before, after) = text.split_once(&format!("\n  {target}:\n")).unwrap();
            let after =
                after.replacen("profile: mlops-local", &format!("host: {}", place.url()), 1);
            std::fs::write(&path, format!("{before}\n  {target}:\n{after}")).unwrap();
        }
        clone.edit(
            "databricks.yml",
            "user_name: ${workspace.current_user.userName}",
            &format!("service_principal_name: {CLIENT}"),
        );
        clone.git(&[
            "commit",
            "--quiet",
            "--all",
            "--message",
            "Point the targets at workspaces",
        ]);
        clone.git(&["push", "--quiet", "origin", "main"]);
        Stage {
            clone,
            staging,
            prod,
            issuer,
            tokens,
            remote,
        }
    }

    /// The event of a push of what is checked out.
    pub(super) fn push(&self, branch: &str) -> Value {
        let sha = self.clone.git(&["rev-parse", "HEAD"]);
        json!({"ref": format!("refs/heads/{branch}"), "after": sha, "repository": {"full_name": "acme/taxi"}})
    }

    /// Runs a workflow of the clone for an event.
    pub(super) fn act(&self, workflow: &str, event: &str, payload: &Value) -> Acted {
        let environment = match workflow {
            "deploy-staging.yml" => "staging",
            _ => "prod",
        };
        self.act_as(environment, workflow, event, payload)
    }

    /// The same, with its jobs signed in as those of an environment: act knows nothing of environments.
    pub(super) fn act_as(
        &self,
        environment: &str,
        workflow: &str,
        event: &str,
        payload: &Value,
    ) -> Acted {
        self.issuer.environment(environment);
        let file = self.clone.home().join("event.json");
        std::fs::write(&file, payload.to_string()).unwrap();
        let actions = repository().join("xtask/crates/mlops/tests/fixtures/actions");
        let mut line = format!(
            "\"$XTASK_TEST_ACT\" {event} --eventpath {} --workflows .github/workflows/{workflow} \
             --platform ubuntu-latest=-self-hosted --no-skip-checkout --no-cache-server --use-new-action-cache \
             --var DATABRICKS_CLIENT_ID={CLIENT}",
            file.display()
        );
        for action in uses() {
            let name = action.split(['/', '@']).nth(1).unwrap();
            line.push_str(&format!(
                " --local-repository {action}={}",
                actions.join(name).display()
            ));
        }
        let output = self
            .clone
            .shell(&format!("{line} 2>&1"))
            .env(
                "XTASK_TEST_ACT",
                std::env::var_os("XTASK_TEST_ACT").expect("the program act"),
            )
            .env("XTASK_TEST_REMOTE", &self.remote)
            .env("XTASK_TEST_TOOLS_OF", repository())
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", &self.tokens)
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", issuer::REQUEST_TOKEN)
            // Whatever would leave this machine fails.
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("XTASK_OFFLINE", "1")
            .envs(
                ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"]
                    .map(|name| (name, "http://127.0.0.1:9")),
            )
            .output()
            .unwrap();
        let said = Said::from(output);
        Acted {
            text: said.stdout,
            code: said.code,
        }
    }
}

impl Stage {
    /// Trains a first version in `staging`, as an admin there does.
    pub(super) fn train(&self) {
        for args in [
            &[
                "data",
                "upload",
                "--target",
                "staging",
                "--generated",
                "--yes",
            ][..],
            &["run", "model_training_job", "--target", "staging"],
        ] {
            let mut command = self.clone.xtask(args);
            command
                .env("DATABRICKS_HOST", self.staging.url())
                .env("DATABRICKS_TOKEN", self.staging.workspace.token());
            let said = Said::of(command);
            assert_eq!(said.code, Some(0), "{}", said.stderr);
        }
    }

    /// Has `cargo` note its arguments in a file, and do nothing.
    pub(super) fn record_cargo(&self) -> PathBuf {
        let calls = self.clone.home().join("calls");
        let script = format!("#!/bin/sh\necho \"$@\" >> '{}'\n", calls.display());
        std::fs::write(self.clone.programs().join("cargo"), script).unwrap();
        calls
    }
}

impl Acted {
    /// Expects that all went well, this command among it.
    pub(super) fn succeeded(&self, command: &str) {
        assert_eq!(self.code, Some(0), "{}", self.text);
        assert!(
            self.text.contains(&format!("Success - Main {command}")),
            "{}",
            self.text
        );
    }

    /// Expects that a job failed with these words.
    pub(super) fn failed(&self, because: &str) {
        assert_eq!(self.code, Some(1), "{}", self.text);
        assert!(self.text.contains(because), "{}", self.text);
    }
}

/// All actions that the workflows use, as they name them.
fn uses() -> BTreeSet<String> {
    let files = std::fs::read_dir(repository().join(".github/workflows")).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let mut found = BTreeSet::new();
    for text in texts {
        let uses = text.lines().filter_map(|line| line.split_once("uses: "));
        found.extend(uses.map(|(_, rest)| rest.split(' ').next().unwrap_or_default().to_owned()));
    }
    found
}

impl Place {
    /// A workspace that lets CI in: set up as docs/ci.md says.
    fn open(issuer: &Issuer, environments: &[&str]) -> Place {
        let place = Place {
            workspace: Workspace::start(),
            home: tempfile::tempdir().unwrap(),
        };
        let principal = json!({"applicationId": CLIENT, "displayName": "ci"});
        let made = place.cli(&[
            "service-principals",
            "create",
            "--json",
            &principal.to_string(),
        ]);
        let id = made["id"].as_str().unwrap();
        for environment in environments {
            // Databricks fetches the keys itself; the local workspace wants them said.
            let policy = json!({"oidc_policy": {"issuer": issuer::NAME, "subject": issuer::subject(environment),
                "jwks_json": issuer.keys().to_string()}});
            let path = format!("/api/2.0/accounts/any/servicePrincipals/{id}/federationPolicies");
            place.cli(&["api", "post", &path, "--json", &policy.to_string()]);
        }
        let folder = "/Workspace/Deployments/mlops_stacks";
        place.cli(&["workspace", "mkdirs", folder]);
        let folder = place.cli(&["workspace", "get-status", folder]);
        let access = json!({"access_control_list": [{"service_principal_name": CLIENT, "permission_level": "CAN_MANAGE"}]});
        let path = format!("/api/2.0/permissions/directories/{}", folder["object_id"]);
        place.cli(&["api", "patch", &path, "--json", &access.to_string()]);
        place
    }

    fn url(&self) -> &str {
        self.workspace.url()
    }

    /// What the Databricks CLI answers the workspace's admin.
    pub(super) fn cli(&self, args: &[&str]) -> Value {
        let said = self.try_cli(args);
        assert_eq!(said.code, Some(0), "databricks {args:?}: {}", said.stderr);
        serde_json::from_str(&said.stdout).unwrap_or_default()
    }

    fn try_cli(&self, args: &[&str]) -> Said {
        let mut command = Command::new(std::env::var_os("DATABRICKS_CLI").expect("the CLI"));
        hermetic(&mut command, self.home.path());
        command
            .args(args)
            .args(["--output", "json"])
            .current_dir(self.home.path())
            .env("DATABRICKS_HOST", self.url())
            .env("DATABRICKS_TOKEN", self.workspace.token());
        Said::of(command)
    }

    /// The champion that a target has here.
    pub(super) fn champion(&self, target: &str) -> Option<Value> {
        let name = format!("{target}.mlops_stacks.mlops_stacks-model");
        let path = format!(
            "/api/2.0/mlflow/unity-catalog/registered-models/alias?name={name}&alias=champion"
        );
        let found: Value =
            serde_json::from_str(&self.try_cli(&["api", "get", &path]).stdout).ok()?;
        found.get("model_version").cloned()
    }

    /// The commit that the bundle's deployment to a target recorded here.
    pub(super) fn deployed(&self, target: &str) -> Option<String> {
        let file = format!("/Workspace/Deployments/mlops_stacks/{target}/state/metadata.json");
        let path = format!("/api/2.0/workspace/export?path={file}&direct_download=true");
        let metadata: Value =
            serde_json::from_str(&self.try_cli(&["api", "get", &path]).stdout).ok()?;
        let commit = metadata["config"]["bundle"]["git"]["commit"].as_str();
        commit.map(str::to_owned)
    }
}

/// Commits a new file; gives the commit.
pub(super) fn commit(clone: &Project, file: &str) -> String {
    std::fs::write(clone.root().join(file), "new\n").unwrap();
    clone.git(&["add", "--all"]);
    clone.git(&["commit", "--quiet", "--message", file]);
    clone.git(&["rev-parse", "HEAD"])
}
