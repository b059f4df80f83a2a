//! A workflow that somebody asks for: its run, who must agree, and what GitHub refuses.

use serde_json::{Value, json};
use xtask_testkit::{Account, Forge, Repository};

const FILE: &str = ".github/workflows/promote.yml";
const WORKFLOW: &str = "name: promote\nrun-name: Version ${{ inputs.version }} to ${{ inputs.to }} (${{ inputs.id || github.run_id }})\non:\n  workflow_dispatch:\n    inputs:\n      version:\n        required: true\n      to:\n        default: prod\n      id:\n        default: ''\njobs: {}\n";

fn forge() -> (Forge, Account, Account, Repository) {
    let forge = Forge::start();
    let (ada, bob) = (forge.user("ada"), forge.user("bob"));
    let repo = forge.repository(&ada, "taxi");
    forge.permit(&repo, &bob, "write");
    let _ = forge.commit(&repo, &ada, "main", FILE, WORKFLOW, "Promote");
    (forge, ada, bob, repo)
}

fn dispatch(forge: &Forge, by: &Account, body: &Value) -> (u16, Value) {
    let path = "/repos/ada/taxi/actions/workflows/promote.yml/dispatches";
    forge.rest(by, "POST", path, body)
}

#[test]
fn a_run_begins_waits_for_its_environment_and_goes_on_when_somebody_agrees() {
    let (forge, ada, bob, repo) = forge();
    let prod = forge.environment(&repo, "prod", &[&ada, &bob]);
    let asked =
        json!({"ref": "main", "inputs": {"version": "7", "id": "abc"}, "return_run_details": true});
    let (status, told) = dispatch(&forge, &bob, &asked);
    assert_eq!(status, 200, "{told}");
    let number = told["workflow_run_id"].as_i64().unwrap();
    let get = |path: &str| {
        forge
            .rest(&bob, "GET", &format!("/repos/ada/taxi{path}"), &Value::Null)
            .1
    };
    let run = || get(&format!("/actions/runs/{number}"));
    assert_eq!(run()["display_title"], "Version 7 to prod (abc)");
    assert_eq!(
        (&run()["status"], &run()["event"]),
        (&json!("queued"), &json!("workflow_dispatch"))
    );
    assert_eq!(run()["html_url"], told["html_url"]);
    let listed = get("/actions/workflows/promote.yml/runs?event=workflow_dispatch&branch=main");
    assert_eq!(listed["workflow_runs"][0]["id"], number);

    let waiting = json!([{"name": "Promote", "status": "waiting", "environment": "prod"}]);
    let job = forge.jobs(&repo, number, &waiting).jobs[0];
    assert_eq!(run()["status"], "waiting");
    let pending = get(&format!("/actions/runs/{number}/pending_deployments"));
    assert_eq!(pending[0]["environment"]["name"], "prod");
    assert_eq!(pending[0]["reviewers"][1]["reviewer"]["login"], "bob");
    // Who asked for it does not agree to it.
    assert_eq!(pending[0]["current_user_can_approve"], false);
    forge.decide(&repo, number, prod, &ada, "approved");
    assert_eq!(run()["status"], "queued");
    forge.job(&repo, job, &json!({"conclusion": "success"}));
    assert_eq!(
        (&run()["status"], &run()["conclusion"]),
        (&json!("completed"), &json!("success"))
    );
}

#[test]
fn what_the_file_does_not_have_is_refused() {
    let (forge, ada, bob, repo) = forge();
    let refused = |body: Value, because: &str| {
        let (status, told) = dispatch(&forge, &bob, &body);
        assert_eq!(status, 422, "{told}");
        assert!(
            told["message"].as_str().unwrap().contains(because),
            "{told}"
        );
    };
    refused(
        json!({"ref": "main"}),
        "Required input 'version' not provided",
    );
    let unknown = json!({"version": "7", "vresion": "7"});
    refused(
        json!({"ref": "main", "inputs": unknown}),
        "Unexpected inputs provided: [\"vresion\"]",
    );
    refused(
        json!({"ref": "release", "inputs": {"version": "7"}}),
        "No ref found for: release",
    );
    let _ = forge.commit(
        &repo,
        &ada,
        "quiet",
        FILE,
        "name: promote\non: push\n",
        "Do not listen",
    );
    let inputs = json!({"version": "7"});
    refused(
        json!({"ref": "quiet", "inputs": inputs}),
        "does not have 'workflow_dispatch' trigger",
    );
    // Without being asked for details GitHub tells nothing of the run.
    let (status, told) = dispatch(&forge, &bob, &json!({"ref": "main", "inputs": inputs}));
    assert_eq!((status, told), (204, Value::Null));
}
