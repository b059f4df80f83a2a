//! What must hold for every workflow, beyond what actionlint and zizmor know: who may do what, what waits for
//! what, and that the branch which starts a deployment is the one that xtask.toml has for its target.

use std::collections::{BTreeMap, BTreeSet};

use xtask_testkit::repository;
use yaml_rust2::{Yaml, YamlLoader};

/// What a job may be granted at most.
const GRANTS: &[(&str, &str)] = &[
    ("contents", "read"),
    ("checks", "read"),
    ("pull-requests", "read"),
    ("id-token", "write"),
];
/// What people outside can start.
const BY_STRANGERS: &[&str] = &[
    "pull_request",
    "pull_request_target",
    "workflow_run",
    "issue_comment",
    "issues",
];

/// The workflows, by file name.
fn workflows() -> BTreeMap<String, String> {
    let folder = repository().join(".github/workflows");
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// The branches that feed targets, by the target.
fn branches() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(repository().join("xtask.toml")).unwrap();
    let config: toml::Table = toml::from_str(&text).unwrap();
    let targets = config["targets"].as_table().unwrap();
    let fed = |(name, target): (&String, &toml::Value)| {
        let branch = target.get("branch")?.as_str().unwrap();
        Some((name.clone(), branch.to_owned()))
    };
    targets.iter().filter_map(fed).collect()
}

fn parse(text: &str) -> Yaml {
    YamlLoader::load_from_str(text).unwrap().remove(0)
}

fn keys(map: &Yaml) -> Vec<&str> {
    let pairs = map.as_hash().into_iter().flatten();
    pairs.filter_map(|(key, _)| key.as_str()).collect()
}

/// What was found, and where.
#[derive(Default)]
struct Objections {
    place: String,
    found: Vec<String>,
}

impl Objections {
    fn unless(&mut self, holds: bool, objection: &str) {
        if !holds {
            self.found.push(format!("{}{objection}", self.place));
        }
    }
}

/// What is wrong with a workflow.
fn objections(text: &str, branches: &BTreeMap<String, String>) -> Vec<String> {
    let workflow = parse(text);
    let mut see = Objections::default();
    let granted = workflow["permissions"].as_hash();
    let nothing = granted.is_some_and(|granted| granted.is_empty());
    see.unless(nothing, "a job without permissions of its own has some");
    let group = group(&workflow);
    see.unless(!group.is_empty(), "it has no concurrency group");
    see.unless(
        !by_strangers(&workflow) || group.ends_with("-${{ github.ref }}"),
        "pull requests wait for each other",
    );
    for (name, job) in workflow["jobs"].as_hash().unwrap() {
        see.place = format!("job {}: ", name.as_str().unwrap());
        judge_job(&workflow, job, &mut see);
        for step in job["steps"].as_vec().into_iter().flatten() {
            judge_action(text, step, signs_in(job), &mut see);
            judge_command(&workflow, job, step, branches, &mut see);
        }
    }
    see.found
}

fn group(workflow: &Yaml) -> &str {
    let group = workflow["concurrency"]["group"].as_str();
    group.unwrap_or_default()
}

fn by_strangers(workflow: &Yaml) -> bool {
    let events = keys(&workflow["on"]);
    events.iter().any(|event| BY_STRANGERS.contains(event))
}

/// Whether the job can get a token of its own that others believe.
fn signs_in(job: &Yaml) -> bool {
    keys(&job["permissions"]).contains(&"id-token")
}

/// Its rights, its time, and what may start or end it.
fn judge_job(workflow: &Yaml, job: &Yaml, see: &mut Objections) {
    let minutes = job["timeout-minutes"].as_i64();
    see.unless(minutes.is_some_and(|m| m <= 60), "it may run for hours");
    let permissions = &job["permissions"];
    see.unless(permissions.as_hash().is_some(), "no rights are said");
    for right in keys(permissions) {
        let level = permissions[right].as_str().unwrap_or_default();
        let granted = GRANTS.contains(&(right, level));
        see.unless(granted, &format!("it may {level} {right}"));
    }
    if signs_in(job) {
        see.unless(!by_strangers(workflow), "strangers start what signs in");
        let environment = !job["environment"].is_badvalue();
        see.unless(environment, "it signs in without an environment");
        let cancels = workflow["concurrency"]["cancel-in-progress"].as_bool();
        see.unless(cancels == Some(false), "it can be cancelled in the midst");
    }
}

/// A step with a third-party action.
fn judge_action(text: &str, step: &Yaml, signs_in: bool, see: &mut Objections) {
    let Some(uses) = step["uses"].as_str() else {
        return;
    };
    let (action, at) = uses.split_once('@').unwrap_or((uses, ""));
    let pinned = at.len() == 40 && at.bytes().all(|c| c.is_ascii_hexdigit());
    see.unless(pinned, &format!("{action} is not pinned"));
    let version = format!("{uses} # v");
    let named = text.lines().any(|line| line.contains(&version));
    see.unless(named, &format!("which version {action} is, is not said"));
    let kept = step["with"]["persist-credentials"].as_bool() != Some(false);
    see.unless(
        action != "actions/checkout" || !kept,
        "the job's token stays in the checkout",
    );
    see.unless(
        !signs_in || action != "actions/cache",
        "what signs in runs what another job has built",
    );
}

/// A step that is a command.
fn judge_command(
    workflow: &Yaml,
    job: &Yaml,
    step: &Yaml,
    branches: &BTreeMap<String, String>,
    see: &mut Objections,
) {
    let run = step["run"].as_str().unwrap_or_default();
    see.unless(!run.contains("${{"), "an expression stands in a command");
    let Some((_, rest)) = run.split_once("cargo xtask deploy --target ") else {
        return;
    };
    let target = rest.split_whitespace().next().unwrap_or_default();
    let branch = branches.get(target).map(String::as_str);
    let on = workflow["on"]["push"]["branches"].as_vec();
    let on: Vec<_> = on.into_iter().flatten().filter_map(Yaml::as_str).collect();
    see.unless(
        keys(&workflow["on"]) == ["push"] && on == Vec::from_iter(branch),
        &format!("{on:?} starts the deployment of what {branch:?} feeds"),
    );
    let environment = job["environment"].as_str() == Some(target);
    see.unless(environment, "it deploys to another environment");
}

#[test]
fn workflows_have_minimal_permissions_and_their_own_concurrency_groups() {
    let (workflows, branches) = (workflows(), branches());
    assert!(workflows.len() >= 5 && branches.len() >= 2);
    let mut groups = BTreeMap::new();
    for (name, text) in &workflows {
        assert_eq!(objections(text, &branches), Vec::<String>::new(), "{name}");
        let workflow = parse(text);
        let group = workflow["concurrency"]["group"].as_str().unwrap();
        let stem = group.split("-${{").next().unwrap().to_owned();
        if let Some(other) = groups.insert(stem, name) {
            panic!("{name} and {other} wait for each other");
        }
    }
    // Each target that a branch feeds is deployed by one of them.
    for target in branches.keys() {
        let deploys = format!("cargo xtask deploy --target {target} ");
        let count = workflows.values().filter(|t| t.contains(&deploys)).count();
        assert_eq!(count, 1, "{target}");
    }
}

/// The checks that xtask.toml requires for targets that a branch feeds.
fn required_checks() -> BTreeSet<String> {
    let text = std::fs::read_to_string(repository().join("xtask.toml")).unwrap();
    let config: toml::Table = toml::from_str(&text).unwrap();
    let targets = config["targets"].as_table().unwrap();
    let checks = targets.values().filter_map(|target| target.get("checks"));
    checks
        .flat_map(|checks| checks.as_array().unwrap())
        .map(|check| check.as_str().unwrap().to_owned())
        .collect()
}

/// What keeps a workflow from reporting its checks wherever they are required.
fn unreported(workflow: &Yaml) -> Vec<String> {
    let on = &workflow["on"];
    let mut see = Objections::default();
    for event in ["pull_request", "merge_group"] {
        see.unless(
            keys(on).contains(&event),
            &format!("{event} starts nothing"),
        );
        for filter in [
            "paths",
            "paths-ignore",
            "branches",
            "branches-ignore",
            "types",
        ] {
            let filtered = keys(&on[event]).contains(&filter);
            see.unless(!filtered, &format!("{event} is filtered by {filter}"));
        }
    }
    see.found
}

#[test]
fn a_required_check_is_reported_for_every_pull_request_and_to_a_merge_queue() {
    let all: Vec<Yaml> = workflows().values().map(|text| parse(text)).collect();
    let checks = required_checks();
    assert!(!checks.is_empty());
    for check in &checks {
        let reports = |workflow: &&Yaml| {
            let jobs = workflow["jobs"].as_hash().unwrap();
            jobs.values().any(|job| job["name"].as_str() == Some(check))
        };
        let found: Vec<&Yaml> = all.iter().filter(reports).collect();
        assert_eq!(found.len(), 1, "{check}");
        assert_eq!(unreported(found[0]), Vec::<String>::new(), "{check}");
    }
    let tests = &workflows()["mlops_stacks-run-tests.yml"];
    let without_queue = parse(&tests.replace("  merge_group:\n", ""));
    assert_eq!(unreported(&without_queue).len(), 1);
    let filtered = tests.replace(
        "  pull_request:\n",
        "  pull_request:\n    paths: [src/**]\n",
    );
    assert_eq!(unreported(&parse(&filtered)).len(), 1);
}

#[test]
fn a_team_that_edits_its_pages_and_settings_does_not_run_the_tools_whole_ci() {
    let workflow = parse(&workflows()["xtask.yml"]);
    let paths = workflow["on"]["pull_request"]["paths"].as_vec().unwrap();
    for path in paths.iter().map(|path| path.as_str().unwrap()) {
        let of_the_team = ["README.md", "docs", "notebooks", "resources", "xtask.toml"];
        assert!(
            !of_the_team.iter().any(|own| path.starts_with(own)),
            "{path}"
        );
    }
}

#[test]
fn what_can_be_dispatched_can_be_called_with_the_same_inputs() {
    let workflow = parse(&workflows()["mlops_stacks-deploy-model.yml"]);
    let inputs = |event: &str| workflow["on"][event]["inputs"].clone();
    assert_eq!(inputs("workflow_dispatch"), inputs("workflow_call"));
    let job = &workflow["jobs"]["promote"];
    // The approval asked for is that of the target which is written to.
    assert_eq!(job["environment"].as_str(), Some("${{ inputs.to }}"));
    let step = job["steps"].as_vec().unwrap().last().unwrap();
    assert_eq!(step["env"]["TO"].as_str(), Some("${{ inputs.to }}"));
}

#[test]
fn each_weakness_is_seen() {
    let branches = branches();
    let deploy = &workflows()["deploy-staging.yml"];
    let tests = &workflows()["mlops_stacks-run-tests.yml"];
    let pin = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0";
    for (text, from, to, objection) in [
        (
            deploy,
            "permissions: {}",
            "permissions: read-all",
            "has some",
        ),
        (
            deploy,
            "      contents: read",
            "      contents: write",
            "it may write contents",
        ),
        (
            deploy,
            "cancel-in-progress: false",
            "cancel-in-progress: true",
            "cancelled",
        ),
        (deploy, "  push:", "  pull_request:\n  push:", "strangers"),
        (
            deploy,
            "    environment: staging\n",
            "",
            "without an environment",
        ),
        (
            deploy,
            "environment: staging",
            "environment: prod",
            "another environment",
        ),
        (
            deploy,
            "branches: [main]",
            "branches: [release]",
            "starts the deployment",
        ),
        (deploy, "    timeout-minutes: 60\n", "", "hours"),
        (deploy, pin, "actions/checkout@v5 # v5", "not pinned"),
        (deploy, " # v5.0.0", "", "which version"),
        (
            deploy,
            "persist-credentials: false",
            "persist-credentials: true",
            "token stays",
        ),
        (
            deploy,
            "--target staging",
            "--target staging ${{ github.ref }}",
            "expression",
        ),
        (
            deploy,
            "actions/setup-python@",
            "actions/cache@",
            "another job has built",
        ),
        (
            tests,
            "run-tests-${{ github.ref }}",
            "run-tests",
            "wait for each other",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let found = objections(&text.replace(from, to), &branches);
        let seen = found.iter().any(|found| found.contains(objection));
        assert!(seen, "{to}: {found:?}");
    }
}
