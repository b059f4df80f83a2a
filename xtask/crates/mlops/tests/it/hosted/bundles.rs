//! Bundles that say in another way which targets there are, and bundles that run code.

use serde_json::Value;
use xtask_testkit::Project;

fn project() -> Project {
    Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"))
}

fn write(project: &Project, name: &str, text: &str) {
    let path = project.root().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn read(project: &Project, name: &str) -> String {
    std::fs::read_to_string(project.root().join(name)).unwrap()
}

fn targets(project: &Project) -> Vec<(String, String)> {
    let said = project.succeed(&["status", "--json"]);
    let facts: Value = serde_json::from_str(&said.stdout).unwrap();
    let environments = facts["environments"].as_array().unwrap();
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    let of = |one| (text(one, "target"), text(one, "place"));
    environments.iter().map(of).collect()
}

#[test]
fn targets_are_those_that_the_cli_sees() {
    let project = project();
    let names = |found: Vec<(String, String)>| -> Vec<String> {
        found.into_iter().map(|(name, _)| name).collect()
    };
    let all = ["sandbox", "check", "preprod", "live"];
    assert_eq!(names(targets(&project)), all);

    // In a file that is included, with merge keys, below another name of the root file.
    let yaml = read(&project, "databricks.yml");
    let (root, targets_of) = yaml.split_once("targets:\n").unwrap();
    write(
        &project,
        "resources/places.yml",
        &format!("targets:\n{targets_of}"),
    );
    std::fs::remove_file(project.root().join("databricks.yml")).unwrap();
    write(&project, "databricks.yaml", root);
    let found = targets(&project);
    assert!(found.iter().all(|(_, place)| place == "local"), "{found:?}");
    assert_eq!(names(found), all);
    let merged = "  base:\n    workspace: &acme\n      profile: nowhere\n  more:\n    workspace:\n      \
                  <<: *acme\n    variables:\n      catalog: x\n";
    write(
        &project,
        "resources/more.yml",
        &format!("targets:\n{merged}"),
    );
    let found = targets(&project);
    assert!(
        found.contains(&("more".to_owned(), "profile nowhere".to_owned())),
        "{found:?}"
    );
    std::fs::remove_file(project.root().join("resources/more.yml")).unwrap();
    let planned = project.succeed(&["deploy", "--target", "check", "--dry-run"]);
    assert!(planned.stderr.contains("create"), "{}", planned.stderr);

    // The profile for all targets; then none at all, which is the CLI's target `default`.
    std::fs::remove_file(project.root().join("resources/places.yml")).unwrap();
    let common = "workspace:\n  profile: mlops-local\n";
    write(&project, "databricks.yaml", &format!("{root}{common}"));
    assert_eq!(
        targets(&project),
        [("default".to_owned(), "local".to_owned())]
    );

    // One that names no workspace goes nowhere, least of all to that of the profile DEFAULT.
    write(
        &project,
        "databricks.yaml",
        &format!("{root}workspace:\n  host:\n"),
    );
    let said = project.run(&["deploy", "--target", "default", "--dry-run"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(
        said.stderr.contains("no workspace configured for target"),
        "{}",
        said.stderr
    );

    // A bundle that cannot be read is valid for no target, and `status` still shows the branch.
    write(&project, "databricks.yaml", "bundle: [x\n");
    let said = project.run(&["ci", "--only", "bundle"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let said = project.succeed(&["status"]);
    assert!(said.stdout.contains("branch"), "{}", said.stdout);
    assert!(
        said.stdout.contains("cannot read the bundle"),
        "{}",
        said.stdout
    );
}

#[test]
fn a_look_runs_no_code_of_the_checkout() {
    let project = project();
    // What the CLI calls to make resources with Python, and what it runs before it reads anything.
    let ran = "open('ran.txt', 'a').write('ran\\n')\nraise SystemExit(1)\n";
    write(&project, "databricks/__init__.py", "");
    write(&project, "databricks/bundles/__init__.py", "");
    write(&project, "databricks/bundles/build.py", ran);
    let yaml = read(&project, "databricks.yml");
    let ran = project.root().join("ran.txt");
    let program = "python:\n  resources:\n    - made_by_python:load\n";
    let script = "experimental:\n  scripts:\n    preinit: echo ran >> ran.txt\n";
    let fifth = "targets:\n  fifth:\n    workspace:\n      profile: mlops-local\n    variables:\n      catalog: fifth\n";
    write(&project, "resources/fifth.yml", fifth);
    for code in [program, script] {
        write(&project, "databricks.yml", &format!("{yaml}\n{code}"));
        let _ = project.succeed(&["workspace", "up"]);
        for args in [
            &["status", "--json", "--drift"][..],
            &["status"],
            &["setup", "--check"],
            &["workspace", "status"],
        ] {
            let said = project.succeed(args);
            assert!(!ran.exists(), "{code}: {args:?} ran it: {}", said.stderr);
        }
        // Which targets there are, and where their deployments keep their state, is known without it.
        let said = project.succeed(&["status", "--json"]);
        let facts: Value = serde_json::from_str(&said.stdout).unwrap();
        let environments = facts["environments"].as_array().unwrap();
        assert!(
            environments.iter().all(|one| one["deployed"] == false),
            "{facts}"
        );
        assert_eq!(environments.len(), 5, "{facts}");
        // A deployment runs it.
        let _ = project.run(&["deploy", "--target", "check", "--yes"]);
        assert!(ran.exists(), "{code}");
        std::fs::remove_file(&ran).unwrap();
        let _ = project.run(&["destroy", "--target", "check", "--yes"]);
        let _ = std::fs::remove_file(&ran);
        let _ = project.run(&["workspace", "reset", "--yes"]);
        let _ = std::fs::remove_file(&ran);
    }
}

#[test]
fn what_the_local_workspace_lacks_is_refused_before_anything_is_made() {
    let project = project();
    let yaml = "resources:\n  jobs:\n    aaa_job:\n      name: a\n      tasks:\n        - task_key: ask\n          \
                sql_task: {warehouse_id: w, query: {query_id: q}}\n  quality_monitors:\n    drift:\n      \
                table_name: a.b.c\n      assets_dir: /x\n      output_schema_name: a.b\n      snapshot: {}\n";
    write(&project, "resources/monitor.yml", yaml);
    for args in [
        &["deploy", "--target", "check", "--dry-run"][..],
        &["deploy", "--target", "check", "--yes"],
    ] {
        let said = project.run(args);
        assert_eq!(said.code, Some(2), "{}", said.stderr);
        for says in [
            "quality_monitors.drift (resources/monitor.yml:",
            "task ask is a sql_task",
            "nothing was deployed",
            "next:",
        ] {
            assert!(said.stderr.contains(says), "{says}: {}", said.stderr);
        }
    }
    let facts = project.succeed(&["status", "--json"]);
    let facts: Value = serde_json::from_str(&facts.stdout).unwrap();
    let environments = facts["environments"].as_array().unwrap();
    assert!(
        environments.iter().all(|one| one["deployed"] == false),
        "{facts}"
    );
}

#[test]
fn a_warning_of_the_cli_is_shown_and_stops_no_deployment() {
    let project = project();
    let path = "resources/loyalty.yml";
    let name = match project.root().join(path).exists() {
        true => path.to_owned(),
        false => {
            let mut files = std::fs::read_dir(project.root().join("resources")).unwrap();
            let first = files.next().unwrap().unwrap().file_name();
            format!("resources/{}", first.to_str().unwrap())
        }
    };
    let text = read(&project, &name);
    write(&project, &name, &format!("{text}\nsomething_new: 1\n"));
    let said = project.run(&["deploy", "--target", "check", "--dry-run"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stderr.contains("unknown field: something_new"),
        "{}",
        said.stderr
    );
    let said = project.succeed(&["ci", "--only", "bundle", "--json"]);
    for says in ["warning: unknown field: something_new", "live; 1 warning"] {
        assert!(said.stderr.contains(says), "{says}: {}", said.stderr);
    }
}
