//! A target on Databricks, whose calls the real Databricks CLI carries.

use xtask_testkit::{Answer, Fault, FaultProxy, Passed, Project, Rule, Said, When, Workspace};

use super::world::TARGET;

const TOKEN: &str = "dapiCANARYthroughTheCli";

/// A call that the CLI makes for xtask.
fn is_for_xtask(passed: &Passed) -> bool {
    passed.client().contains("cmd/api_")
}

fn far_url(proxy: &FaultProxy) -> String {
    proxy.url().replace("127.0.0.1", "localhost")
}

struct Far {
    workspace: Workspace,
    proxy: FaultProxy,
    project: Project,
}

impl Far {
    /// The target is said to be on Databricks: at the proxy's address, with a token of the user's.
    fn new() -> Far {
        let workspace = Workspace::start();
        let proxy = FaultProxy::before(workspace.url());
        let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"));
        let yaml = std::fs::read_to_string(project.root().join("databricks.yml")).unwrap();
        let (before, after) = yaml.split_once(&format!("  {TARGET}:\n")).unwrap();
        // By a name that is not that of a local workspace.
        let host = format!("host: {}", far_url(&proxy));
        let after = after.replacen("profile: mlops-local", &host, 1);
        let yaml = format!("{before}  {TARGET}:\n{after}");
        std::fs::write(project.root().join("databricks.yml"), yaml).unwrap();
        Far {
            workspace,
            proxy,
            project,
        }
    }

    fn run(&self, args: &[&str]) -> Said {
        let mut command = self.project.xtask(args);
        command.env("DATABRICKS_TOKEN", self.workspace.token());
        Said::of(command)
    }
}

#[test]
fn answers_keep_their_meaning_on_their_way_through_the_cli() {
    let far = Far::new();
    let deployed = far.run(&["deploy", "--target", TARGET, "--yes"]);
    assert_eq!(deployed.code, Some(0), "{}", deployed.stderr);
    let said = far.run(&["model", "pull", "a&b=c d", "--target", TARGET]);
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    let refusal = "400 INVALID_PARAMETER_VALUE: Invalid alias name: 'a&b=c d'";
    assert!(said.stderr.contains(refusal), "{}", said.stderr);
    let record = far.proxy.record();
    let asked: Vec<_> = record
        .iter()
        .filter(|passed| is_for_xtask(passed))
        .collect();
    assert!(
        asked
            .iter()
            .any(|passed| passed.path.ends_with("&alias=a%26b%3Dc%20d")),
        "{asked:#?}"
    );

    let pull = ["model", "pull", "--target", TARGET];
    let answer = |status, code, message| Answer::error(status, code, message);
    for (answer, code, says) in [
        (
            answer(401, "UNAUTHENTICATED", "the token has expired"),
            6,
            "the token has expired",
        ),
        (
            answer(403, "403", "Invalid access token. [ReqId: 1]"),
            6,
            "Invalid access token",
        ),
        (
            answer(403, "PERMISSION_DENIED", "you may not"),
            4,
            "403 PERMISSION_DENIED: you may not",
        ),
        (
            answer(500, "INTERNAL_ERROR", "on fire"),
            4,
            "500 INTERNAL_ERROR: on fire",
        ),
        (
            answer(404, "RESOURCE_DOES_NOT_EXIST", "gone"),
            2,
            "has no version with the alias",
        ),
        (Answer::page(), 4, "HTML"),
    ] {
        far.proxy.heal();
        let fault = Fault::Answer(answer, When::Before);
        far.proxy.add(Rule::new(fault).matching(is_for_xtask));
        let said = far.run(&pull);
        assert_eq!(said.code, Some(code), "{says}: {}", said.stderr);
        assert!(said.stderr.contains(says), "{says}: {}", said.stderr);
        if code == 6 {
            let next = format!("databricks auth login --host {}", far_url(&far.proxy));
            assert!(said.stderr.contains(&next), "{}", said.stderr);
        }
        assert!(
            !said.stderr.contains(far.workspace.token()),
            "{}",
            said.stderr
        );
    }
    // Nothing of the calls stays.
    let calls = far.project.root().join(".xtask/cache/calls");
    assert_eq!(std::fs::read_dir(calls).unwrap().count(), 0);
}

#[test]
fn who_is_not_signed_in_is_told_so() {
    let far = Far::new();
    let deployed = far.run(&["deploy", "--target", TARGET, "--yes"]);
    assert_eq!(deployed.code, Some(0), "{}", deployed.stderr);
    let pull = || far.project.xtask(&["model", "pull", "--target", TARGET]);
    let wrong = Said::from(pull().env("DATABRICKS_TOKEN", TOKEN).output().unwrap());
    let none = Said::from(pull().output().unwrap());
    for said in [wrong, none] {
        assert_eq!(said.code, Some(6), "{}", said.stderr);
        assert!(
            said.stderr.contains("next: databricks auth login --host"),
            "{}",
            said.stderr
        );
        assert!(!said.stderr.contains(TOKEN), "{}", said.stderr);
    }
}
