//! Drift: the real Databricks CLI plans what a deployment would change, and `status` says where it comes from.

use serde_json::{Value, json};
use xtask_testkit::{Project, Said};

use super::environments::{TARGET, environment, facts};

#[test]
fn changes_in_the_workspace_and_of_a_deployment() {
    let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"));
    let deploy = ["deploy", "--target", TARGET, "--yes"];
    let _ = project.succeed(&deploy);
    let as_deployed = facts(&project);
    let drift = &environment(&as_deployed, TARGET)["drift"];
    assert_eq!(drift["checkout_is_deployed"], true, "{as_deployed}");
    assert_eq!(drift["changes"], json!({}));
    let screen = project.succeed(&["status"]).stdout;
    assert!(screen.contains("drift none"), "{screen}");
    let looks = project.root().join(".xtask/cache/looks");
    let left = std::fs::read_dir(looks).map_or(0, Iterator::count);
    assert_eq!(left, 0, "folders of looks that are over");
    keeps_away_from_a_deployment(&project);
    // Where nothing is deployed nothing is asked, and nothing appears.
    let live = environment(&as_deployed, "live");
    assert_eq!(
        (&live["drift"], &live["unknown"]),
        (&Value::Null, &json!([]))
    );
    let folders = rest(&project, "/api/2.0/workspace/list?path=/Workspace", None);
    assert!(!folders.to_string().contains("Customers"), "{folders}");

    // A job is changed in the UI.
    let job = job(&project, "Weekly fit (check)");
    let update = json!({"job_id": job, "new_settings": {"timeout_seconds": 7200}});
    let _ = rest(&project, "/api/2.2/jobs/update", Some(&update));
    let changed = facts(&project);
    let drift = &environment(&changed, TARGET)["drift"];
    assert_eq!(drift["checkout_is_deployed"], true);
    let expected = json!({"jobs.fit_churn": {
        "action": "update", "origin": "workspace",
        "workspace_fields": ["timeout_seconds"], "checkout_fields": [],
    }});
    assert_eq!(drift["changes"], expected);
    super::schema::holds(&changed);
    shows(
        &project,
        &[
            "drift 1 change · update jobs.fit_churn (timeout_seconds)",
            "changed in the workspace since the deployment",
            "the checkout is the deployed commit",
            "next: cargo xtask deploy --target check --dry-run",
        ],
    );

    // And the branch goes on as well.
    project.edit(
        "resources/churn.yml",
        "name: Weekly scores",
        "max_concurrent_runs: 3\n      name: Weekly scores",
    );
    let commit = "git add -A && git -c user.name=A -c user.email=a@example.com commit -qm more";
    assert!(project.shell(commit).status().unwrap().success());
    let both = facts(&project);
    let drift = &environment(&both, TARGET)["drift"];
    assert_eq!(drift["checkout_is_deployed"], false);
    let scores = &drift["changes"]["jobs.score_churn"];
    assert_eq!(scores["origin"], "checkout", "{drift}");
    assert_eq!(
        scores["checkout_fields"][0], "max_concurrent_runs",
        "{drift}"
    );
    shows(
        &project,
        &[
            "drift 2 changes · update jobs.fit_churn (timeout_seconds)",
            "changed in the workspace and in this checkout",
            "the checkout is not the deployed commit",
        ],
    );

    // A deployment puts both right.
    let _ = project.succeed(&deploy);
    shows(&project, &["drift none"]);
    // What was deleted in the workspace would come back.
    let _ = rest(
        &project,
        "/api/2.2/jobs/delete",
        Some(&json!({"job_id": job})),
    );
    let deleted = facts(&project);
    let fit = &environment(&deleted, TARGET)["drift"]["changes"]["jobs.fit_churn"];
    assert_eq!(
        (&fit["action"], &fit["origin"]),
        (&"create".into(), &"workspace".into())
    );

    a_plan_that_does_not_end(&project);
    nothing_is_built(&project);
}

/// A deployment from the same clone writes beside its state what it has begun; a plan in the bundle's own folder would
/// take that away from it.
fn keeps_away_from_a_deployment(project: &Project) {
    let state = project
        .root()
        .join(".xtask/bundle/local-mlops-local")
        .join(TARGET);
    assert!(state.join("resources.json").is_file());
    let begun = state.join("resources.json.wal");
    std::fs::write(&begun, "begun").unwrap();
    shows(project, &["drift none"]);
    assert_eq!(std::fs::read_to_string(&begun).unwrap(), "begun");
    std::fs::remove_file(begun).unwrap();
}

/// It is ended at the deadline, with what it has started, and the rest stands.
fn a_plan_that_does_not_end(project: &Project) {
    let pids = project.root().join(".xtask/pids");
    let hanging = project.root().join(".xtask/hanging");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo 'Databricks CLI v1.10.0' && exit\n\
         sleep 600 &\necho $$ $! > '{}'\nwait\n",
        pids.display()
    );
    std::fs::write(&hanging, script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hanging, executable).unwrap();
    let mut command = project.xtask(&["status"]);
    let said = Said::from(
        command
            .env("XTASK_DATABRICKS_CLI", &hanging)
            .output()
            .unwrap(),
    );
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let words = "drift: unknown (timed out)";
    assert!(
        said.stdout.contains(words),
        "{}{}",
        said.stdout,
        said.stderr
    );
    assert!(said.stdout.contains("no champion yet"), "{}", said.stdout);
    let pids = std::fs::read_to_string(pids).unwrap();
    for pid in pids.split_whitespace() {
        // A killed process may stay a zombie until its new parent reaps it.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "{stat}");
    }
}

/// The CLI builds a bundle's artifacts before it plans: that is not asked for by looking.
fn nothing_is_built(project: &Project) {
    let file = project.root().join("databricks.yml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("\nartifacts:\n  thing: {type: whl, path: ., build: touch built}\n");
    std::fs::write(&file, text).unwrap();
    shows(
        project,
        &["drift: unknown (a plan would first build, run or fetch what the bundle asks for)"],
    );
    assert!(!project.root().join("built").exists());
}

fn shows(project: &Project, words: &[&str]) {
    let screen = project.succeed(&["status"]).stdout;
    for words in words {
        assert!(screen.contains(words), "no {words:?} in\n{screen}");
    }
}

/// The id of a job by its name.
fn job(project: &Project, name: &str) -> i64 {
    let jobs = rest(project, "/api/2.2/jobs/list", None);
    let jobs = jobs["jobs"].as_array().unwrap();
    let found = jobs.iter().find(|job| job["settings"]["name"] == name);
    found.unwrap()["job_id"].as_i64().unwrap()
}

/// A call to the local workspace, as one of its other users.
fn rest(project: &Project, path: &str, body: Option<&Value>) -> Value {
    let state = |name: &str| {
        std::fs::read_to_string(project.root().join(".xtask/workspace").join(name)).unwrap()
    };
    let server: Value = serde_json::from_str(&state("server.json")).unwrap();
    let mut curl = std::process::Command::new("curl");
    curl.args([
        "--silent",
        "--show-error",
        "--fail-with-body",
        "--noproxy",
        "*",
    ]);
    let header = format!("Authorization: Bearer {}", state("token").trim());
    curl.args(["-H", &header]);
    if let Some(body) = body {
        curl.args(["--json", &body.to_string()]);
    }
    curl.arg(format!("{}{path}", server["url"].as_str().unwrap()));
    let answer = curl.output().unwrap();
    let text = String::from_utf8_lossy(&answer.stdout);
    assert!(answer.status.success(), "{path}: {text}");
    serde_json::from_str(&text).unwrap_or_default()
}
