//! Tokens: where they are looked for, in which order, and that they are seen nowhere else.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;
use xtask_testkit::Said;

use super::world::World;

#[test]
fn tokens_are_found_in_order_and_sent_to_their_own_host_alone() {
    let world = World::new();
    let run = |names: &[(&str, &str)]| {
        let mut command = world.project.xtask(&[
            "open-pr",
            "--yes",
            "--no-wait",
            "--no-test",
            "--dry-run",
            "--json",
        ]);
        for (name, value) in names {
            command.env(name, value);
        }
        world.forge.clear_requests();
        let said = Said::of(command);
        assert!(said.code.is_some());
        let asked = world.forge.requests();
        let calls = asked.iter().filter(|asked| asked.path.starts_with("/api/"));
        (said, calls.filter_map(|asked| asked.login.clone()).next())
    };
    let token = world.owner.token.as_str();
    // git itself gets in by a way of its own, which is no answer to a question for credentials.
    let header = format!("Authorization: Basic {}", encoded(&format!("x:{token}")));
    world.git(&["config", "http.extraHeader", &header]);
    let url = world.forge.url();
    // Tokens for github.com stay away from other servers.
    let (said, login) = run(&[("GH_TOKEN", token), ("GITHUB_TOKEN", token)]);
    assert_eq!(login, None, "{}", said.stderr);
    assert!(
        said.stderr.contains("no token for 127.0.0.1"),
        "{}",
        said.stderr
    );
    // In GitHub Actions the job's token belongs to the server that runs it.
    let (_, login) = run(&[("GITHUB_TOKEN", token), ("GITHUB_SERVER_URL", url)]);
    assert_eq!(login.as_deref(), Some("ann"));
    let (_, login) = run(&[
        ("GITHUB_TOKEN", token),
        ("GITHUB_SERVER_URL", "https://github.com"),
    ]);
    assert_eq!(login, None);
    let (_, login) = run(&[("GITHUB_ENTERPRISE_TOKEN", token)]);
    assert_eq!(login.as_deref(), Some("ann"));
    // git's credential helper comes last.
    let bob = world.forge.user("bob");
    let helper = format!(
        "!f() {{ echo username=x; echo password={}; }}; f",
        bob.token
    );
    world.git(&["config", "credential.helper", &helper]);
    let (_, login) = run(&[]);
    assert_eq!(login.as_deref(), Some("bob"));
    let (_, login) = run(&[("GH_ENTERPRISE_TOKEN", token)]);
    assert_eq!(login.as_deref(), Some("ann"));
}

#[test]
fn a_token_is_seen_nowhere() {
    let world = World::new();
    let canary = &world.owner.token;
    let decoys = ["dapi00CANARY11", "ghp_CANARY22"];
    let base64 = encoded(&format!("x-access-token:{canary}"));
    // A git that writes down its arguments, and its environment but where credential helpers may need a token.
    let calls = world.project.home().join("calls");
    let real = String::from_utf8(
        std::process::Command::new("sh")
            .args(["-c", "command -v git"])
            .output()
            .unwrap()
            .stdout,
    )
    .unwrap();
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> '{0}'\ncase \" $* \" in *' credential '*) ;; *) env >> '{0}' ;; esac\nexec {1} \"$@\"\n",
        calls.display(),
        real.trim()
    );
    let shim = world.project.programs().join("git");
    fs::write(&shim, script).unwrap();
    executable(&shim);
    // git's hooks, which are the repository's code, write down theirs and what they find in the file that it names.
    for hook in ["pre-push", "reference-transaction", "pre-auto-gc"] {
        let path = world.project.root().join(".git/hooks").join(hook);
        let script = format!(
            "#!/bin/sh\n{{ echo 'hook {hook}'; env; cat \"$XTASK_GIT_CREDENTIAL\"; }} >> '{}' 2>&1\nexit 0\n",
            calls.display()
        );
        fs::write(&path, script).unwrap();
        executable(&path);
    }

    let echo = json!({"message": format!("you sent {canary}?")}).to_string();
    let faults = [
        json!(null),
        json!({"path": "*/repos/ann/churn", "status": 401, "body": "{\"message\": \"Bad credentials\"}"}),
        json!({"path": "*/repos/ann/churn", "status": 500, "body": "oops"}),
        json!({"method": "POST", "path": "*/pulls", "status": 422, "body": "{\"message\": \"no\"}"}),
        json!({"path": "*/git-receive-pack", "status": 403}),
        json!({"path": "*/info/refs", "status": 401}),
    ];
    let mut said = String::new();
    for fault in faults {
        if !fault.is_null() {
            world.forge.fault(&fault);
        }
        for extra in [
            &["--explain"][..],
            &["--json"],
            &["--dry-run", "--explain", "--json"],
        ] {
            let mut command =
                world.xtask(&[&["open-pr", "--yes", "--no-wait", "--no-test"], extra].concat());
            command.env("RUST_BACKTRACE", "full");
            command
                .env("DATABRICKS_TOKEN", decoys[0])
                .env("GH_TOKEN", decoys[1]);
            let run = Said::of(command);
            said.push_str(&run.stdout);
            said.push_str(&run.stderr);
            let merge = Said::from(
                world
                    .xtask(&["merge", "--yes", "--explain"])
                    .output()
                    .unwrap(),
            );
            said.push_str(&merge.stdout);
            said.push_str(&merge.stderr);
        }
        world.forge.clear_faults();
    }
    drop(echo);
    said.push_str(&fs::read_to_string(&calls).unwrap());
    said.push_str(&everything_below(
        &world.project.root().join(".xtask/open-pr"),
    ));
    said.push_str(&everything_below(&world.project.root().join(".git")));
    assert!(said.contains("Opened pull request"), "{said}");
    assert!(said.contains("hook pre-push"), "{said}");
    for secret in [canary.as_str(), base64.as_str(), decoys[0], decoys[1]] {
        let at = said.find(secret);
        let around = at.map(|at| &said[at.saturating_sub(200)..at]);
        assert_eq!(around, None, "a secret is seen after this");
    }
}

#[test]
fn a_password_in_a_remotes_address_is_not_shown() {
    let world = World::new();
    let url = world
        .repository
        .clone_url
        .replace("://", &format!("://x:{}@", world.owner.token));
    world.git(&["remote", "set-url", "origin", &url]);
    world
        .forge
        .fault(&json!({"path": "*/info/refs", "status": 403, "body": "no"}));
    for args in [&["--explain"][..], &["--json"]] {
        let said = world.run(&[&["open-pr", "--yes", "--no-wait"], args].concat());
        assert_ne!(said.code, Some(0));
        assert!(!said.stderr.contains(&world.owner.token), "{}", said.stderr);
        assert!(!said.stdout.contains(&world.owner.token), "{}", said.stdout);
    }
}

fn executable(file: &Path) {
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

fn everything_below(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => text.push_str(&everything_below(&path)),
            false => text.push_str(&String::from_utf8_lossy(
                &fs::read(&path).unwrap_or_default(),
            )),
        }
    }
    text
}

fn encoded(text: &str) -> String {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "printf '%s' \"$1\" | base64 -w0", "sh", text]);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}
