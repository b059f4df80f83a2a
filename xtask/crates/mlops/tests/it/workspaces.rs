//! Two local workspaces of one clone: the real Databricks CLI deploys a target to each.

use std::process::{Child, Stdio};

use serde_json::{Value, json};
use xtask_testkit::{Project, Said};

use crate::status::environments::{environment, facts};

/// The target on the first workspace, the one on the second, and the second's profile.
const NEAR: &str = "check";
const FAR: &str = "live";
const SECOND: &str = "vault";

fn project() -> Project {
    let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"));
    let first = "profile = \"mlops-local\"";
    project.edit(
        "xtask.toml",
        first,
        &format!("{first}\nothers = [\"{SECOND}\"]"),
    );
    let yaml = std::fs::read_to_string(project.root().join("databricks.yml")).unwrap();
    let start = format!("  {FAR}:\n");
    let (before, after) = yaml.split_once(&start).unwrap();
    let after = after.replacen("mlops-local", SECOND, 1);
    let yaml = format!("{before}{start}{after}");
    std::fs::write(project.root().join("databricks.yml"), yaml).unwrap();
    project
}

/// Runs commands in processes of their own, at once.
fn at_once<const N: usize>(project: &Project, commands: [&[&str]; N]) -> [Said; N] {
    let started: [Child; N] = commands.map(|args| {
        let mut command = project.xtask(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    });
    started.map(|child| {
        let said = Said::from(child.wait_with_output().unwrap());
        assert_eq!(said.code, Some(0), "{}{}", said.stderr, said.stdout);
        said
    })
}

fn parsed(said: &Said) -> Value {
    serde_json::from_str(&said.stdout).unwrap()
}

/// Whether each of the two runs.
fn running(project: &Project) -> [bool; 2] {
    let told = parsed(&project.succeed(&["workspace", "status", "--json"]));
    [0, 1].map(|index| told["workspaces"][index]["running"].as_bool().unwrap())
}

fn sections(project: &Project) -> Vec<String> {
    let text = std::fs::read_to_string(project.root().join(".xtask/databrickscfg")).unwrap();
    let headers = text.lines().filter(|line| line.starts_with('['));
    headers.map(str::to_owned).collect()
}

#[test]
fn two_targets_on_two_workspaces() {
    let project = project();
    let both = [
        ["deploy", "--yes", "--json", "--target", NEAR],
        ["deploy", "--yes", "--json", "--target", FAR],
    ];
    let [near, far] = at_once(&project, [&both[0], &both[1]]).map(|said| parsed(&said));
    assert_ne!(near["host"], far["host"]);
    assert_eq!(far["deployed"]["left"], json!([]));

    // Each has its own state, section, identity of the workspace, and bundle.
    assert_eq!(sections(&project), ["[mlops-local]", "[vault]"]);
    let told = parsed(&project.succeed(&["workspace", "status", "--json"]));
    let [first, second] = [&told["workspaces"][0], &told["workspaces"][1]];
    assert_eq!(
        (&first["url"], &second["url"]),
        (&near["host"], &far["host"])
    );
    assert_ne!(first["workspace_id"], second["workspace_id"]);
    let token = |folder: &str| {
        std::fs::read_to_string(project.root().join(".xtask").join(folder).join("token")).unwrap()
    };
    assert_ne!(token("workspace"), token("workspaces/vault"));
    let seen = facts(&project);
    assert_eq!(environment(&seen, NEAR)["place"], "local");
    let far = environment(&seen, FAR);
    assert_eq!(
        (&far["place"], &far["deployed"]),
        (&json!("local vault"), &json!(true))
    );
    assert_eq!(far["drift"]["changes"], json!({}), "{far}");

    // One that is away is named with what starts it; the other goes on.
    let down = project.succeed(&["workspace", "down", "--profile", SECOND]);
    assert!(
        down.stderr.contains("the local workspace vault"),
        "{}",
        down.stderr
    );
    assert_eq!(running(&project), [true, false]);
    let seen = facts(&project);
    let unknown = &environment(&seen, FAR)["unknown"][0];
    assert_eq!(unknown["next"], "cargo xtask workspace up --profile vault");
    assert_eq!(environment(&seen, NEAR)["deployed"], true);

    // A reset takes no guess, and takes one of them with its deployments alone.
    let guess = project.run(&["workspace", "reset", "--yes"]);
    assert_eq!(guess.code, Some(2), "{}", guess.stderr);
    assert!(
        guess.stderr.contains("mlops-local, vault"),
        "{}",
        guess.stderr
    );
    // It shows what ends, running or not, and without an answer nothing does.
    let shown = ["up", "down"].map(|verb| {
        let _ = project.succeed(&["workspace", verb, "--profile", SECOND]);
        let said = project.run(&["workspace", "reset", "--profile", SECOND]);
        assert_eq!(said.code, Some(2), "{}", said.stderr);
        assert!(
            said.stderr.contains("no terminal to ask on; pass --yes"),
            "{}",
            said.stderr
        );
        said.stderr
    });
    for shown in &shown {
        for says in [
            "what is deployed to target live",
            "volume live.loyalty.desk",
            ".xtask/workspaces/vault, ",
            "cargo xtask workspace reset --profile vault --yes",
        ] {
            assert!(shown.contains(says), "{says}: {shown}");
        }
    }
    assert!(
        shown[0].contains("delete model live.loyalty.months_left_regressor"),
        "{}",
        shown[0]
    );
    let _ = project.succeed(&["workspace", "reset", "--profile", SECOND, "--yes", "--json"]);
    assert!(!project.root().join(".xtask/workspaces/vault").exists());
    let _ = project.succeed(&["workspace", "up", "--profile", SECOND, "--json"]);
    let _ = project.succeed(&["workspace", "env", "--profile", SECOND, "--json"]);
    let opened = project.succeed(&["workspace", "open", "--profile", SECOND, "--json"]);
    assert!(parsed(&opened)["url"].is_string(), "{}", opened.stdout);
    let seen = facts(&project);
    assert_eq!(environment(&seen, FAR)["deployed"], false);
    assert_eq!(environment(&seen, NEAR)["deployed"], true);
    let again = parsed(&project.succeed(&["deploy", "--yes", "--json", "--target", FAR]));
    assert_eq!(again["deployed"]["left"], json!([]));

    // Without a name both end.
    assert_eq!(running(&project), [true, true]);
    let _ = project.succeed(&["workspace", "down", "--json"]);
    assert_eq!(running(&project), [false, false]);
}

#[test]
fn two_starters_write_one_file() {
    let project = project();
    let file = project.root().join(".xtask/databrickscfg");
    for _ in 0..3 {
        let _ = std::fs::remove_file(&file);
        let up: [&[&str]; 3] = [
            &["workspace", "up"],
            &["workspace", "up", "--profile", SECOND],
            &["workspace", "up"],
        ];
        let _ = at_once(&project, up);
        assert_eq!(sections(&project), ["[mlops-local]", "[vault]"]);
    }

    // One that xtask.toml has forgotten meanwhile ends with the others.
    project.edit("xtask.toml", &format!("others = [\"{SECOND}\"]"), "");
    let down = project.succeed(&["workspace", "down"]);
    assert!(
        down.stderr.contains("the local workspace vault"),
        "{}",
        down.stderr
    );
    assert!(
        !project
            .root()
            .join(".xtask/workspaces/vault/server.json")
            .exists()
    );
}

#[test]
fn what_is_no_workspace_is_refused() {
    let project = project();
    let unknown = project.run(&["workspace", "status", "--profile", "valut"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
    assert!(
        unknown.stderr.contains("mlops-local, vault"),
        "{}",
        unknown.stderr
    );

    project.edit("xtask.toml", "[\"vault\"]", "[\"../../vault\"]");
    let hostile = project.run(&["workspace", "up", "--profile", "../../vault"]);
    assert_eq!(hostile.code, Some(2), "{}", hostile.stderr);
    assert!(
        hostile.stderr.contains("invalid profile"),
        "{}",
        hostile.stderr
    );
    project.edit("xtask.toml", "../../vault", "vault");
}
