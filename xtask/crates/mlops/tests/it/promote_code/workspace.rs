//! With a workspace that runs: what is deployed where is evidence, and the plan is that of the very commit.

use serde_json::json;

use super::world::{Place, STABLE, number};

fn deploy(place: &Place, branch: &str, target: &str) {
    let world = &place.world;
    world.git_as(&world.owner, &["fetch", "--quiet", "origin"]);
    world.git(&["switch", "--quiet", "--detach", &format!("origin/{branch}")]);
    let _ = world
        .project
        .succeed(&["deploy", "--target", target, "--yes"]);
}

#[test]
fn evidence_plan_and_read_back_come_from_the_targets_themselves() {
    let place = Place::new();
    deploy(&place, "main", "preprod");
    let main = place.head("main").unwrap();
    let first = place.promote(&[]);
    assert_eq!(
        first["evidence"]["from"]["commit"],
        main.as_str(),
        "{first}"
    );
    assert_eq!(first["evidence"]["to"]["commit"], json!(null), "{first}");
    let changes = first["bundle_plan"]["changes"].as_array().unwrap();
    assert!(changes.contains(&json!("create jobs.fit_churn")), "{first}");
    let body = place.pulls()[0]["body"].as_str().unwrap().to_owned();
    assert!(
        body.contains("- `preprod` has this very commit deployed"),
        "{body}"
    );
    assert!(body.contains("- `create jobs.fit_churn`"), "{body}");
    let merged = place.merge(number(&first));
    deploy(&place, STABLE, "live");
    let said = place.run(&["--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stderr
            .contains(&format!("live has commit {}", &merged[..7])),
        "{}",
        said.stderr
    );

    // What is checked out is the release; the plan is that of main, where the job has another name.
    let settings = std::fs::read_to_string(place.world.project.root().join("resources/churn.yml"));
    let settings = settings.unwrap().replace("Weekly fit", "Daily fit");
    let number = place.land("Fit daily", "resources/churn.yml", &settings);
    let said = place.run(&["--dry-run", "--json"]);
    let next: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(
        next["bundle_plan"]["changes"],
        json!(["update jobs.fit_churn"]),
        "{next}"
    );
    assert_eq!(next["contents"]["pulls"][0]["number"], number);
    assert!(
        said.stderr.contains(&format!(
            "preprod has {} deployed, not the newest commit of main",
            &main[..7]
        )),
        "{}",
        said.stderr
    );
    // That blocks a merge, whatever the approvals.
    let opened = place.promote(&[]);
    place.approve(super::world::number(&opened));
    let said = place.fails(1, &["--merge"]);
    assert!(said.contains("not the newest commit of main"), "{said}");
    // Nothing of all this is left in the project's folder.
    assert_eq!(place.world.git(&["status", "--porcelain"]), "");
    let cache = place.world.project.root().join(".xtask/cache");
    let left = std::fs::read_dir(cache)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left
        .filter(|name| name.to_string_lossy().starts_with("release-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    runs_no_code(&place);
}

/// Neither what the checkout names in its bundle runs for a look, nor what the promoted commit does.
fn runs_no_code(place: &Place) {
    let world = &place.world;
    let ran = world.project.home().join("ran.txt");
    let bundle = world.project.root().join("databricks.yml");
    let script = format!(
        "\nexperimental:\n  scripts:\n    preinit: echo ran >> {}\n",
        ran.display()
    );
    let plain = std::fs::read_to_string(&bundle).unwrap();
    let scripted = plain.clone() + &script;
    place.land("Run a script first", "databricks.yml", &scripted);
    for text in [plain, scripted] {
        std::fs::write(&bundle, text).unwrap();
        let said = place.run(&["--dry-run", "--json"]);
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        let next: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        let why = next["bundle_plan"]["unknown"].as_str().unwrap_or_default();
        assert!(
            why.contains("runs a script before it can be read"),
            "{next}"
        );
        assert_eq!(next["evidence"]["from"]["unknown"], json!(null), "{next}");
        assert!(!ran.exists(), "{}", said.stderr);
    }
}
