//! Who may write to a target, whichever command does: one that a branch feeds, and one that everybody deploys to.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::json;
use xtask_remote::databricks::workspace_files;
use xtask_remote::{Credentials, Http, Method, Request, Transport as _};
use xtask_testkit::{Project, Said, Terminal, Workspace};

use crate::deploy::{BRANCH, FREE, TARGET, VOLUME, project, push, without_volume};

const TRAIN: &str = "fit_churn";
/// What of the bundle holds data.
const DATA: [&str; 4] = [
    "experiments.attempts",
    "registered_models.churn_model",
    "schemas.loyalty",
    VOLUME,
];

fn refused(said: &Said, code: i32, because: &str) {
    assert_eq!(said.code, Some(code), "{}", said.stderr);
    assert!(said.stderr.contains(because), "{}", said.stderr);
    assert!(said.stderr.contains("next: "), "{}", said.stderr);
}

/// The command that an error names as the next one.
fn next(said: &Said) -> Vec<String> {
    let line = said
        .stderr
        .lines()
        .find_map(|line| line.split_once("cargo xtask "));
    let (_, command) = line.unwrap_or_else(|| panic!("{}", said.stderr));
    command.split_whitespace().map(str::to_owned).collect()
}

/// What the workspace says of the deployment: the commit, how often it was deployed and when.
fn deployed(project: &Project, target: &str) -> String {
    let folder = format!("/Workspace/Customers/loyalty/{target}/state");
    let line = format!(
        "eval \"$(cargo xtask workspace env)\" && for file in metadata deployment; do curl --silent \
         --fail-with-body --noproxy '*' -H \"Authorization: Bearer $DATABRICKS_TOKEN\" \
         \"$DATABRICKS_HOST/api/2.0/workspace/export?direct_download=true&path={folder}/$file.json\"; done"
    );
    let said = Said::from(project.shell(&line).output().unwrap());
    assert_eq!(said.code, Some(0), "{}{}", said.stderr, said.stdout);
    said.stdout
}

#[test]
fn what_a_branch_feeds_is_written_to_by_that_branch_alone() {
    let project = project();
    let _ = project.succeed(&["deploy", "--target", TARGET, "--yes"]);
    let before = deployed(&project, TARGET);
    project.git(&["switch", "--quiet", "--create", "wild"]);
    project.edit("src/fit.py", "# Fit", "# Fit it wildly");

    // A test deploys whatever is checked out, with generated data.
    for part in ["integration", "all"] {
        let said = project.run(&["test", part, "--target", TARGET]);
        refused(
            &said,
            2,
            &format!("target {TARGET} deploys only commits of {BRANCH}"),
        );
        assert!(!said.stderr.contains("unit tests"), "{}", said.stderr);
        let instead = format!("cargo xtask test --target {FREE}");
        assert!(said.stderr.contains(&instead), "{}", said.stderr);
    }
    let said = project.run(&["data", "upload", "--target", TARGET, "--yes"]);
    refused(&said, 1, "nothing was uploaded");
    let upload = next(&said);
    assert!(upload.ends_with(&["--generated".to_owned(), "--yes".to_owned()]));
    let _ = project.succeed(&upload.iter().map(String::as_str).collect::<Vec<_>>());

    // A run takes what is deployed, whatever is checked out.
    let said = project.succeed(&["run", TRAIN, "--target", TARGET]);
    assert!(!said.stderr.contains("Deploy"), "{}", said.stderr);
    assert_eq!(deployed(&project, TARGET), before);

    // Everything that holds data is named, or the target is typed.
    let said = project.succeed(&["destroy", "--target", TARGET, "--dry-run"]);
    for key in DATA {
        assert!(
            said.stderr.contains(&format!("delete {key}")),
            "{}",
            said.stderr
        );
    }
    assert!(
        said.stderr.contains(", 1 version  deletes its data"),
        "{}",
        said.stderr
    );
    let all: Vec<&str> = DATA.iter().flat_map(|key| ["--delete", key]).collect();
    for more in [&[][..], &["--yes"], &["--yes", "--confirm", TARGET], &all] {
        let said = project.run(&[&["destroy", "--target", TARGET], more].concat());
        refused(&said, 1, "nothing was removed");
        assert!(said.stderr.contains(&DATA.join(", ")), "{}", said.stderr);
    }
    let other = ["destroy", "--target", TARGET, "--confirm", FREE];
    assert_eq!(project.run(&other).code, Some(2));
    let type_it = |word: &str| {
        let mut terminal = Terminal::run(&project.xtask(&["destroy", "--target", TARGET]), 160);
        terminal.answers(&format!("Type {TARGET} to confirm"), &format!("{word}\r"));
        terminal.ends()
    };
    let seen = type_it("yes");
    assert_eq!(seen.code, Some(1), "{}", seen.text);
    assert_eq!(deployed(&project, TARGET), before);
    let seen = type_it(TARGET);
    assert_eq!(seen.code, Some(0), "{}", seen.text);
    let _ = project.succeed(&["destroy", "--target", TARGET, "--dry-run"]);

    // Without a terminal, by the very command that the refusal names, and not without its --yes.
    project.git(&["checkout", "--quiet", "--", "src/fit.py"]);
    let _ = project.succeed(&["deploy", "--target", TARGET, "--yes"]);
    let gone = next(&project.run(&["destroy", "--target", TARGET, "--yes"]));
    let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
    let (yes, unconfirmed) = gone.split_last().unwrap();
    assert_eq!(*yes, "--yes");
    refused(&project.run(unconfirmed), 2, "no terminal to ask on");
    let said = project.succeed(&gone);
    assert!(said.stderr.contains("Destroyed"), "{}", said.stderr);
}

#[test]
fn a_test_ends_no_data_and_judges_no_other_code() {
    let project = project();
    let _ = project.succeed(&["test", "integration"]);

    // What left the bundle is not deleted by the way.
    let settings = project.root().join("resources/churn.yml");
    let before = std::fs::read_to_string(&settings).unwrap();
    without_volume(&project);
    let said = project.run(&["test", "integration"]);
    refused(
        &said,
        1,
        &format!("this would delete resources with data: {VOLUME}"),
    );
    let flag = format!("cargo xtask deploy --target {FREE} --delete {VOLUME}");
    assert!(said.stderr.contains(&flag), "{}", said.stderr);
    std::fs::write(&settings, before).unwrap();

    // While the job runs, another deployment brings other code.
    let go_on = project.home().join("go-on");
    let waits = format!(
        "import os, time\nwhile not os.path.exists({:?}):\n    time.sleep(0.1)\n\nfrom loyalty import churn",
        go_on.display().to_string()
    );
    project.edit("src/fit.py", "from loyalty import churn", &waits);
    let mut test = project
        .xtask(&["test", "integration", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(test.stderr.take().unwrap()).lines();
    let started = lines
        .by_ref()
        .map(Result::unwrap)
        .any(|line| line.contains("Job run"));
    assert!(started, "the job did not start");
    project.edit("src/fit.py", "# Fit", "# Fit otherwise");
    let _ = project.succeed(&["deploy", "--target", FREE, "--yes"]);
    std::fs::write(&go_on, "").unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let said = Said::from(test.wait_with_output().unwrap());
    let rest = rest.join("\n");
    assert_eq!(said.code, Some(1), "{rest}");
    assert!(
        rest.contains("was deployed again while the job ran"),
        "{rest}"
    );
    let told: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(told["verdict"], "failed");
    assert_eq!(told["integration"]["job_run"]["result"], "SUCCESS");
    assert!(
        !project
            .succeed(&["test", "integration"])
            .stderr
            .contains("Unchanged")
    );

    // Versions of a model that leaves the bundle go with it, once its name is said.
    let said = project.succeed(&["destroy", "--target", FREE, "--yes"]);
    assert!(
        said.stderr.contains("delete schemas.loyalty"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_deployment_that_holds_the_lock_is_waited_for() {
    let workspace = Workspace::start();
    let project = project();
    project.at(".xtask/workspace", workspace.url(), workspace.token());
    let _ = project.succeed(&["deploy", "--target", TARGET, "--yes"]);
    let token = Credentials::bearer(workspace.token());
    let http = Http::new(workspace.url(), token).unwrap();
    let lock = format!("/Workspace/Customers/loyalty/{TARGET}/state/deploy.lock");
    let held = json!({
        "ID": "6a19e9ee-0000-4000-8000-000000000000",
        "AcquisitionTime": "2026-01-02T03:04:05Z",
        "IsForced": false,
        "User": "colleague@example.com",
    });
    http.send(&workspace_files::create(&lock, &held)).unwrap();
    std::fs::write(project.root().join("src/loyalty/news.py"), "# new\n").unwrap();
    let _ = crate::deploy::commit(&project, "Another file");
    push(&project);
    let mut deploy = project
        .xtask(&["deploy", "--target", TARGET, "--yes"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(deploy.stderr.take().unwrap()).lines();
    let waits = "for the deployment of colleague@example.com to end, 10 minutes at most";
    let waited = lines
        .by_ref()
        .map(Result::unwrap)
        .any(|line| line.contains(waits));
    assert!(waited, "it did not wait");
    http.send(&workspace_files::delete(&lock)).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(
        deploy.wait().unwrap().code(),
        Some(0),
        "{}",
        rest.join("\n")
    );

    // What is there already and is no part of this deployment is told as such.
    let schema = json!({"name": "loyalty", "catalog_name": FREE});
    let create = Request::new(Method::Post, "/api/2.1/unity-catalog/schemas").json(&schema);
    http.send(&create).unwrap();
    let said = project.run(&["deploy", "--target", FREE, "--yes"]);
    refused(&said, 1, "a resource that it would create already exists");
    assert!(
        said.stderr.contains("workspace.root_path"),
        "{}",
        said.stderr
    );

    // The lock of one that was killed is taken over.
    http.send(&workspace_files::create(&lock, &held)).unwrap();
    let _ = project.succeed(&["deploy", "--target", TARGET, "--yes", "--force-lock"]);
}
