//! The environments: the real Databricks CLI deploys to a local workspace, and `status` reads what it left.

use serde_json::Value;
use xtask_testkit::{Project, Said};

pub(crate) const TARGET: &str = "check";

#[test]
fn what_is_deployed_which_model_is_in_use_and_what_ran_last() {
    let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"));
    let _ = project.succeed(&["test", "integration"]);
    let facts = facts(&project);
    let check = environment(&facts, TARGET);
    assert_eq!(check["deployed"], true);
    assert_eq!(check["deployment"]["commit"], facts["branch"]["head"]);
    assert_eq!(check["deployment"]["ahead"], 0);
    assert_eq!(check["deployment"]["behind"], 0);
    assert_eq!(check["champion"]["version"], 1);
    assert!(
        check["champion"]["metrics"]
            .as_object()
            .is_some_and(|all| !all.is_empty()),
        "{check}"
    );
    // Metrics that are no number say so, and hide none of the others.
    let metrics = &check["champion"]["metrics"];
    assert!(metrics["fit_r2"].is_f64(), "{check}");
    assert_eq!(metrics["share_of_nothing"], "NaN");
    assert_eq!(metrics["worst"], "Infinity");
    assert_eq!(check["training"]["ok"], true);
    assert_eq!(check["inference"], Value::Null);
    assert_eq!(environment(&facts, "live")["deployed"], false);
    super::schema::holds(&facts);

    // What it links to is there.
    let state = |name: &str| {
        std::fs::read_to_string(project.root().join(".xtask/workspace").join(name)).unwrap()
    };
    let token = state("token");
    for link in [&check["champion"]["url"], &check["training"]["url"]] {
        let answer = std::process::Command::new("curl")
            .args([
                "--silent",
                "--output",
                "/dev/null",
                "--write-out",
                "%{http_code}",
            ])
            .args([
                "--noproxy",
                "*",
                "-H",
                &format!("Authorization: Bearer {}", token.trim()),
            ])
            .arg(link.as_str().unwrap())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&answer.stdout), "200", "{link}");
    }

    // Code that is not deployed yet.
    std::fs::write(project.root().join("NOTES.md"), "more").unwrap();
    let commit = "git add -A && git -c user.name=A -c user.email=a@example.com commit -qm more";
    assert!(project.shell(commit).status().unwrap().success());
    let later = self::facts(&project);
    assert_eq!(environment(&later, TARGET)["deployment"]["behind"], 1);

    // A workspace that hangs: what git knows stands, and it does not take long.
    let server: Value = serde_json::from_str(&state("server.json")).unwrap();
    let pid = server["pid"].to_string();
    let signal = |name: &str| {
        let sent = std::process::Command::new("kill")
            .args([name, &pid])
            .status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    let said = project.run(&["status"]);
    signal("-CONT");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("timed out"), "{}", said.stdout);
    assert!(said.stdout.contains("branch"), "{}", said.stdout);

    // The model's files, whole or not at all.
    let pulled = project.succeed(&["model", "pull"]);
    let folder = project.root().join(pulled.stdout.trim());
    assert!(folder.join("MLmodel").is_file(), "{}", pulled.stdout);
    let _ = project.succeed(&["model", "pull", "--json"]);
    let none = project.run(&["model", "pull", "nobody"]);
    assert_eq!(none.code, Some(2), "{}", none.stderr);
    std::fs::write(folder.join("MLmodel"), "altered").unwrap();
    let altered = project.run(&["model", "pull"]);
    assert_eq!(altered.code, Some(2), "{}", altered.stderr);

    // The same from elsewhere, through the CLI with the user's own credentials.
    through_the_cli(server["url"].as_str().unwrap(), token.trim());
}

/// Another clone whose target has a host: nothing of ours knows the token.
fn through_the_cli(url: &str, token: &str) {
    let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"));
    let yaml = std::fs::read_to_string(project.root().join("databricks.yml")).unwrap();
    let start = format!("  {TARGET}:\n");
    let (before, after) = yaml.split_once(&start).unwrap();
    let after = after.replacen("profile: mlops-local", &format!("host: {url}"), 1);
    std::fs::write(
        project.root().join("databricks.yml"),
        format!("{before}{start}{after}"),
    )
    .unwrap();
    let mut command = project.xtask(&["status", "--json", "--explain"]);
    let said = Said::from(command.env("DATABRICKS_TOKEN", token).output().unwrap());
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(!said.stderr.contains(token), "the token is shown");
    let facts: Value = serde_json::from_str(&said.stdout).unwrap();
    let check = environment(&facts, TARGET);
    assert_eq!(check["place"], url);
    assert_eq!(check["champion"]["version"], 1, "{check}\n{}", said.stderr);
    assert_eq!(check["training"]["ok"], true);
    // Its commits are not in this clone.
    assert_eq!(check["deployment"]["behind"], Value::Null);
    assert_eq!(check["drift"]["checkout_is_deployed"], false, "{check}");
    assert_eq!(check["drift"]["changes"], serde_json::json!({}), "{check}");
    // On the screen a plan over the network is waited for only when it is wanted.
    for (args, words) in [
        (&["status"][..], "of check was not asked"),
        (&["status", "--drift"], "drift none"),
    ] {
        let mut command = project.xtask(args);
        let said = Said::from(command.env("DATABRICKS_TOKEN", token).output().unwrap());
        assert!(
            said.stdout.contains(words),
            "{}{}",
            said.stdout,
            said.stderr
        );
    }
}

pub(crate) fn facts(project: &Project) -> Value {
    let said = project.succeed(&["status", "--json"]);
    serde_json::from_str(&said.stdout).unwrap()
}

pub(crate) fn environment<'f>(facts: &'f Value, target: &str) -> &'f Value {
    let environments = facts["environments"].as_array().unwrap();
    let found = environments.iter().find(|one| one["target"] == target);
    found.unwrap_or_else(|| panic!("no target {target}: {facts}"))
}
