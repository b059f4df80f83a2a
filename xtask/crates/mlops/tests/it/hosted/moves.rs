//! A target that moves from the local workspace to a host, and hosts that only a profile or a variable names.

use serde_json::Value;
use xtask_testkit::{FaultProxy, Project, Said, Workspace};

use super::world::{TARGET, with_host};

fn project() -> Project {
    let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"));
    let commit = "git remote add origin https://github.com/acme/loyalty.git && git add -A";
    assert!(project.shell(commit).status().unwrap().success());
    project
}

fn place(project: &Project, workspace: &str) {
    let path = project.root().join("databricks.yml");
    let yaml = std::fs::read_to_string(&path).unwrap();
    let yaml = with_host(&yaml, "HOST").replace("host: HOST", workspace);
    std::fs::write(path, yaml).unwrap();
    let commit = "git add -A && git -c user.name=A -c user.email=a@example.com commit -qm move";
    assert!(project.shell(commit).status().unwrap().success());
}

fn answer(said: &Said) -> Value {
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    serde_json::from_str(&said.stdout).unwrap()
}

#[test]
fn a_target_is_not_taken_for_what_it_was_on_another_workspace() {
    let workspace = Workspace::start();
    // By a name that is not that of a local workspace.
    let proxy = FaultProxy::before(workspace.url());
    let far = proxy.url().replace("127.0.0.1", "localhost");
    let signed_in = |project: &Project, args: &[&str]| {
        let mut command = project.xtask(args);
        command.env("DATABRICKS_TOKEN", workspace.token());
        Said::of(command)
    };
    // CI has deployed it to the host; here it was deployed to the local workspace.
    let ci = project();
    place(&ci, &format!("host: {far}"));
    let deploy = ["deploy", "--target", TARGET, "--yes", "--json"];
    let there = answer(&signed_in(&ci, &deploy));
    assert_eq!(there["host"], far);
    let here = project();
    let local = answer(&here.run(&deploy));
    assert_ne!(local["host"], far);
    place(&here, &format!("host: {far}"));
    let planned = answer(&signed_in(
        &here,
        &["deploy", "--target", TARGET, "--dry-run", "--json"],
    ));
    for link in planned["links"].as_array().unwrap() {
        for page in ["url", "expected"].map(|name| link[name].as_str().unwrap_or_default()) {
            let of_local = local["host"].as_str().unwrap();
            assert!(!page.starts_with(of_local), "{planned}");
        }
    }
    let moved = answer(&signed_in(&here, &deploy));
    assert_eq!(moved["deployed"]["left"], serde_json::json!([]), "{moved}");
    let links = |deployed: &Value| -> Vec<(String, String)> {
        let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let all = deployed["links"].as_array().unwrap();
        all.iter()
            .map(|one| (text(one, "link"), text(one, "url")))
            .collect()
    };

    // The same host by a profile, beside others; and by a variable alone.
    let port = far.rsplit(':').next().unwrap();
    let home = here.home().join(".databrickscfg");
    let others = std::fs::read_to_string(&home).unwrap();
    let profile = format!(
        "[far]\nhost = http://localhost:{port}/\ntoken = {}\n",
        workspace.token()
    );
    std::fs::write(&home, format!("{others}\n{profile}")).unwrap();
    let path = here.root().join("databricks.yml");
    let literal = std::fs::read_to_string(&path).unwrap();
    let commit = "git add -A && git -c user.name=A -c user.email=a@example.com commit -qm profile";
    std::fs::write(
        &path,
        literal.replace(&format!("host: {far}"), "profile: far"),
    )
    .unwrap();
    assert!(here.shell(commit).status().unwrap().success());
    let by_profile = answer(&here.run(&deploy));
    assert_eq!(by_profile["host"], far);
    // Pages of the workspace are those that the clone with the literal host writes.
    let of_workspace = |found: Vec<(String, String)>| -> Vec<(String, String)> {
        found
            .into_iter()
            .filter(|(_, url)| url.contains("localhost"))
            .collect()
    };
    assert_eq!(of_workspace(links(&by_profile)).len(), 3, "{by_profile}");
    assert_eq!(
        of_workspace(links(&by_profile)),
        of_workspace(links(&moved))
    );
    let status = here.succeed(&["status", "--json"]);
    let facts: Value = serde_json::from_str(&status.stdout).unwrap();
    let environments = facts["environments"].as_array().unwrap();
    let found = environments
        .iter()
        .find(|one| one["target"] == TARGET)
        .unwrap();
    assert_eq!(found["deployed"], true, "{facts}");
    for link in found["links"].as_array().unwrap() {
        let url = link["url"].as_str().unwrap_or("http");
        assert!(url.starts_with("http"), "a link without a host: {link}");
        assert_ne!(link["state"], "wrong", "{link}");
    }

    std::fs::write(
        &path,
        literal
            .replace(&format!("host: {far}"), "{}")
            .replace("workspace:\n      {}\n", "workspace:\n"),
    )
    .unwrap();
    assert!(here.shell(commit).status().unwrap().success());
    let mut command = here.xtask(&["deploy", "--target", TARGET, "--dry-run", "--json"]);
    command.env("DATABRICKS_HOST", format!("HTTP://LOCALHOST:{port}/"));
    command.env("DATABRICKS_TOKEN", workspace.token());
    let by_variable = answer(&Said::of(command));
    assert_eq!(by_variable["host"], far);
}
