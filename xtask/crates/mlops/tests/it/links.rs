//! The five links of a registered model: the real Databricks CLI deploys, MLflow's own client reads, changes and
//! breaks them, `status` tells, `deploy` mends.

use std::process::Command;

use serde_json::{Value, json};
use xtask_testkit::{Project, Said};

use crate::status::environments::{environment, facts};

const TARGET: &str = "check";
const WORKFLOW: &str = "release-model.yml";
const LINKS: [&str; 5] = [
    "versions",
    "repository",
    "training_job",
    "deployment_workflow",
    "inference_job",
];

/// The second bundle, cloned from a GitHub Enterprise Server.
fn project() -> Project {
    let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"));
    let text = std::fs::read_to_string(project.root().join("xtask.toml")).unwrap();
    let github =
        format!("\n[github]\nhost = \"ghe.acme.test\"\ndeploy-model-workflow = \"{WORKFLOW}\"\n");
    std::fs::write(project.root().join("xtask.toml"), text + &github).unwrap();
    project.git(&["commit", "--quiet", "--all", "--message", "Name a workflow"]);
    let remote = "ssh://git@ghe.acme.test:2222/ml/loyalty.git";
    project.git(&["remote", "add", "origin", remote]);
    project
}

fn deploy(project: &Project, more: &[&str]) -> Value {
    let said =
        project.succeed(&[&["deploy", "--target", TARGET, "--json", "--yes"], more].concat());
    serde_json::from_str(&said.stdout).unwrap()
}

/// State of each link, in an answer's list.
fn states(links: &Value) -> Vec<(&str, &str)> {
    let list = links
        .as_array()
        .unwrap_or_else(|| panic!("no list: {links}"));
    let words = |one: &'_ Value, field: &str| one[field].as_str().unwrap().to_owned();
    assert_eq!(
        list.iter()
            .map(|one| words(one, "link"))
            .collect::<Vec<_>>(),
        LINKS
    );
    let pair = |one| -> (&str, &str) {
        let one: &Value = one;
        (
            one["link"].as_str().unwrap(),
            one["state"].as_str().unwrap(),
        )
    };
    list.iter().map(pair).collect()
}

/// Those that are not right.
fn bad(links: &Value) -> Vec<(&str, &str)> {
    let all = states(links).into_iter();
    all.filter(|(_, state)| *state != "right").collect()
}

fn address<'a>(links: &'a Value, link: &str) -> &'a str {
    let mut list = links.as_array().unwrap().iter();
    let one = list.find(|one| one["link"] == link).unwrap();
    one["url"].as_str().unwrap()
}

/// Runs a few lines with MLflow's client, `client`, and the model's name, `name`; returns what they print.
fn mlflow(project: &Project, model: &str, lines: &str) -> String {
    let script = format!(
        "from mlflow import MlflowClient\nclient = MlflowClient()\nname = '{model}'\n{lines}\n"
    );
    std::fs::write(project.root().join(".xtask/lines.py"), script).unwrap();
    let line = "eval \"$(cargo xtask workspace env)\" && .venv/bin/python .xtask/lines.py";
    let said = Said::from(project.shell(line).output().unwrap());
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    said.stdout
}

fn tags(project: &Project, model: &str) -> Value {
    let lines = "import json\nprint(json.dumps(client.get_registered_model(name).tags))";
    serde_json::from_str(&mlflow(project, model, lines)).unwrap()
}

struct Workspace {
    url: String,
    token: String,
}

impl Workspace {
    fn of(project: &Project) -> Workspace {
        let file = |name: &str| {
            std::fs::read_to_string(project.root().join(".xtask/workspace").join(name)).unwrap()
        };
        let server: Value = serde_json::from_str(&file("server.json")).unwrap();
        Workspace {
            url: server["url"].as_str().unwrap().to_owned(),
            token: file("token").trim().to_owned(),
        }
    }

    /// A page, or a call when there is a body.
    fn asks(&self, url: &str, body: Option<&Value>) -> String {
        let mut command = Command::new("curl");
        command.args(["--silent", "--fail-with-body", "--noproxy", "*", "-H"]);
        command.arg(format!("Authorization: Bearer {}", self.token));
        if let Some(body) = body {
            command.args(["--data", &body.to_string()]);
        }
        let output = command.arg(url).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{url}: {text}");
        text
    }
}

#[test]
fn they_are_written_broken_seen_and_mended_and_the_plan_stays_empty() {
    let project = project();
    // Before the first deployment: what can be known is told, nothing is written.
    let planned = deploy(&project, &["--dry-run"]);
    let expected = [
        ("versions", "unknown"),
        ("repository", "missing"),
        ("training_job", "unknown"),
        ("deployment_workflow", "missing"),
        ("inference_job", "unknown"),
    ];
    assert_eq!(states(&planned["links"]), expected);

    let told = deploy(&project, &[]);
    let links = &told["links"];
    assert_eq!(bad(links), [], "{told}");
    assert_eq!(told["deployed"]["left"], json!([]), "the links drift");
    let head = project.git(&["rev-parse", "HEAD"]);
    let repository = "https://ghe.acme.test/ml/loyalty";
    assert_eq!(
        address(links, "repository"),
        format!("{repository}/tree/{head}")
    );
    let workflow = format!("{repository}/actions/workflows/{WORKFLOW}");
    assert_eq!(address(links, "deployment_workflow"), workflow);

    // MLflow's own client has them, the model's page shows them, and what they lead to in the workspace is there.
    let told_by_status = facts(&project);
    crate::status::schema::holds(&told_by_status);
    let check = environment(&told_by_status, TARGET);
    let model = check["model"].as_str().unwrap();
    let workspace = Workspace::of(&project);
    let page = workspace.asks(address(links, "versions"), None);
    let found = tags(&project, model);
    for link in LINKS {
        assert_eq!(found[format!("mlops_link_{link}")], address(links, link));
        let href = format!("href=\"{}\"", address(links, link));
        assert!(page.contains(&href), "{link}: {page}");
    }
    for (link, name) in [
        ("training_job", "Weekly fit"),
        ("inference_job", "Weekly scores"),
    ] {
        let page = workspace.asks(address(links, link), None);
        assert!(page.contains(name), "{page}");
    }

    // A person writes beside them, and breaks two.
    let lines = "client.set_registered_model_tag(name, 'asked_by', 'the desk')\n\
                 client.set_registered_model_tag(name, 'mlops_link_training_job', 'https://your-workspace.test/jobs/1')\n\
                 client.delete_registered_model_tag(name, 'mlops_link_repository')";
    mlflow(&project, model, lines);
    let broken = facts(&project);
    let check = environment(&broken, TARGET);
    let expected = [("repository", "missing"), ("training_job", "wrong")];
    assert_eq!(bad(&check["links"]), expected, "{check}");
    assert_eq!(check["drift"]["changes"], json!({}));
    let screen = project.succeed(&["status"]).stdout;
    for words in [
        "links 3 of 5 right",
        "training job wrong",
        "next: cargo xtask deploy --target check",
    ] {
        assert!(screen.contains(words), "{screen}");
    }
    let planned = deploy(&project, &["--dry-run"]);
    assert_eq!(bad(&planned["links"]), expected);
    let said = project.succeed(&["deploy", "--target", TARGET, "--yes"]);
    let written = "5 of the model's 5 links are right, 2 written now";
    assert!(said.stderr.contains(written), "{}", said.stderr);
    let mended = tags(&project, model);
    let mut wanted = found.clone();
    wanted["asked_by"] = json!("the desk");
    assert_eq!(mended, wanted);

    // Once more: nothing is written, and nothing has drifted.
    let said = project.succeed(&["deploy", "--target", TARGET, "--explain", "--yes"]);
    assert!(!said.stderr.contains("set-tag"), "{}", said.stderr);
    let after = facts(&project);
    let check = environment(&after, TARGET);
    assert_eq!(
        (bad(&check["links"]), &check["drift"]["changes"]),
        (vec![], &json!({}))
    );

    through_the_cli(&workspace);
    gone(&project, &workspace);
}

/// Another clone, whose remote is on github.com, and whose target has a host: only the CLI has the credentials.
fn through_the_cli(workspace: &Workspace) {
    let project = project();
    let yaml = std::fs::read_to_string(project.root().join("databricks.yml")).unwrap();
    let host = format!("host: {}", workspace.url);
    let yaml = yaml.replace("profile: mlops-local", &host);
    std::fs::write(project.root().join("databricks.yml"), yaml).unwrap();
    project.git(&["commit", "--quiet", "--all", "--message", "Elsewhere"]);
    let remote = "https://ann:secret@github.com/acme/loyalty";
    project.git(&["remote", "set-url", "origin", remote]);
    let mut command = project.xtask(&["deploy", "--target", TARGET, "--json", "--yes"]);
    command.env("DATABRICKS_TOKEN", &workspace.token);
    let said = Said::of(command);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(!said.stderr.contains(&workspace.token), "{}", said.stderr);
    let told: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(bad(&told["links"]), [], "{}", said.stderr);
    let head = project.git(&["rev-parse", "HEAD"]);
    let page = format!("https://github.com/acme/loyalty/tree/{head}");
    assert_eq!(address(&told["links"], "repository"), page);
}

/// A deleted job: its link is dead until a deployment has recreated the job.
fn gone(project: &Project, workspace: &Workspace) {
    let told = deploy(project, &[]);
    let job = address(&told["links"], "inference_job").to_owned();
    let id: u64 = job.rsplit('/').next().unwrap().parse().unwrap();
    let call = format!("{}/api/2.2/jobs/delete", workspace.url);
    workspace.asks(&call, Some(&json!({"job_id": id})));
    let dead = facts(project);
    let check = environment(&dead, TARGET);
    assert_eq!(bad(&check["links"]), [("inference_job", "dead")], "{check}");
    let screen = project.succeed(&["status"]).stdout;
    assert!(
        screen.contains("inference job dead: the workspace has no such job"),
        "{screen}"
    );
    let told = deploy(project, &[]);
    assert_eq!(bad(&told["links"]), [], "{told}");
    assert_ne!(address(&told["links"], "inference_job"), job);
}

#[test]
fn without_a_remote_the_rest_is_written_and_the_reason_told() {
    let project = project();
    project.git(&["remote", "remove", "origin"]);
    let told = deploy(&project, &[]);
    let expected = [
        ("repository", "unknown"),
        ("deployment_workflow", "unknown"),
    ];
    assert_eq!(bad(&told["links"]), expected);
    let said = project.succeed(&["status"]);
    let words = "repository, deployment workflow unknown (the deployment records no remote)";
    assert!(said.stdout.contains(words), "{}", said.stdout);
    assert!(
        !said.stdout.contains("next: cargo xtask deploy"),
        "{}",
        said.stdout
    );
}
