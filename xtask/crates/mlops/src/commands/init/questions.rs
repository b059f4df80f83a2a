//! The questions of `init`, each with a sentence that says what the answer changes.

use super::answers::{Answers, Given, GivenTarget, ModelKind, Sample, Target};
use super::edits::Defaults;
use super::names::{self, Checked, LOCAL};
use super::template::Template;
use crate::error::Failure;
use crate::git::Git;
use crate::ui::Ui;

/// Options that answer questions.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Name of the project and its bundle [default: the folder's name].
    #[arg(long)]
    name: Option<String>,
    /// Name of the Python package [default: the project's name].
    #[arg(long)]
    package: Option<String>,
    /// What the model predicts [default: regression].
    #[arg(long, value_enum)]
    kind: Option<ModelKind>,
    /// Include scoring of tables with Spark.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    spark: Option<bool>,
    /// Keep a sample project in place of neutral data.
    #[arg(long, value_enum)]
    example: Option<Sample>,
    /// Catalog of a target [default: the target's name]; repeatable.
    #[arg(long, value_name = "TARGET=NAME")]
    catalog: Vec<String>,
    /// Schema of all targets or of one [default: the package's name]; repeatable.
    #[arg(long, value_name = "[TARGET=]NAME")]
    schema: Vec<String>,
    /// Workspace of a target: `local` or its address [default: local]; repeatable.
    #[arg(long, value_name = "TARGET=WHERE")]
    workspace: Vec<String>,
    /// Branch that is deployed to a target; repeatable.
    #[arg(long, value_name = "TARGET=NAME")]
    branch: Vec<String>,
    /// GitHub repository, for the remote `origin`.
    #[arg(long, value_name = "OWNER/NAME")]
    github: Option<String>,
}

impl Options {
    /// Puts the options over the answers of a file.
    pub(super) fn over(&self, mut file: Given, defaults: &Defaults) -> anyhow::Result<Given> {
        let set = |over: &Option<String>, under: &mut Option<String>| {
            if over.is_some() {
                under.clone_from(over);
            }
        };
        set(&self.name, &mut file.name);
        set(&self.package, &mut file.package);
        set(&self.github, &mut file.github);
        file.kind = self.kind.or(file.kind);
        file.spark = self.spark.or(file.spark);
        file.example = self.example.or(file.example);
        let fields: [(&str, &[String], Field); 4] = [
            ("catalog", &self.catalog, |target| &mut target.catalog),
            ("schema", &self.schema, |target| &mut target.schema),
            ("workspace", &self.workspace, |target| &mut target.workspace),
            ("branch", &self.branch, |target| &mut target.branch),
        ];
        for (option, values, field) in fields {
            for value in values {
                match value.split_once('=') {
                    Some((target, value)) => {
                        let target = file.targets.entry(target.to_owned()).or_default();
                        *field(target) = Some(value.to_owned());
                    }
                    None if option == "schema" => {
                        for name in defaults.keys() {
                            let target = file.targets.entry(name.clone()).or_default();
                            target.schema = Some(value.clone());
                        }
                    }
                    None => return refuse(format!("--{option} {value}: write TARGET=VALUE")),
                }
            }
        }
        for (name, target) in &file.targets {
            match defaults.get(name) {
                None => {
                    let known: Vec<&str> = defaults.keys().map(String::as_str).collect();
                    return refuse(format!(
                        "no target {name:?}: there are {}",
                        known.join(", ")
                    ));
                }
                Some(known) if known.branch.is_none() && target.branch.is_some() => {
                    return refuse(format!("no branch is deployed to {name}"));
                }
                Some(_) => {}
            }
        }
        Ok(file)
    }
}

type Field = fn(&mut GivenTarget) -> &mut Option<String>;

fn refuse<T>(rule: String) -> anyhow::Result<T> {
    Failure::usage(rule).err()
}

/// Asks for the project's name; by default it is called as its folder.
pub(super) fn name(ui: &Ui, given: Option<&str>, folder: Option<&str>) -> anyhow::Result<String> {
    if given.or(folder).is_none() && !ui.can_ask() {
        return Failure::usage("the project needs a name")
            .next("cargo xtask init DIR --name NAME")
            .err();
    }
    let hint = "The name of the bundle; jobs, experiment and docs are called by it.";
    let default = folder.unwrap_or("churn");
    ask(ui, given, hint, "Project name", default, names::project)
}

/// Asks for everything that was not given.
pub(super) fn all(
    ui: &Ui,
    git: &Git,
    name: String,
    given: &Given,
    template: &Template<'_>,
    defaults: &Defaults,
) -> anyhow::Result<Answers> {
    let installed = template.installed()?;
    let package = ask(
        ui,
        given.package.as_deref(),
        "The Python package: notebooks/PACKAGE has the code that notebooks import; model and volume are called by it.",
        "Python package",
        &name.replace('-', "_"),
        |name| names::package(name, &installed),
    )?;
    let kind = kind(ui, given)?;
    let spark = match given.spark {
        Some(spark) => spark,
        None => {
            ui.hint("With Spark the project has tests that score a Delta table; they need Java 17 on a laptop.");
            !ui.assumes_yes() && ui.confirm("Score tables with Spark?", false)?
        }
    };
    let targets = targets(ui, git, &package, given, defaults)?;
    let github = ask(
        ui,
        given.github.as_deref(),
        "The repository on GitHub becomes the remote `origin`; `open-pr` and the workflows work there. It may be made later.",
        "GitHub repository (OWNER/NAME)",
        "none",
        |name| {
            if name == "none" {
                Ok(String::new())
            } else {
                names::repository(name)
            }
        },
    )?;
    Ok(Answers {
        name,
        package,
        kind,
        spark,
        example: given.example,
        github: (!github.is_empty()).then_some(github),
        targets,
    })
}

fn kind(ui: &Ui, given: &Given) -> anyhow::Result<ModelKind> {
    match (given.kind, given.example) {
        (Some(ModelKind::Classification), Some(Sample::Taxi)) => {
            refuse("the sample taxi is a regression: leave out `--kind classification`".to_owned())
        }
        (_, Some(Sample::Taxi)) => Ok(ModelKind::Regression),
        (Some(kind), None) => Ok(kind),
        (None, None) => {
            ui.hint("The kind chooses example data, metrics, thresholds and tests. docs/ says how to put your table there.");
            let kinds = ["regression: a number", "classification: one of two classes"];
            let chosen = ui.choose("What does the model predict?", &kinds)?;
            Ok([ModelKind::Regression, ModelKind::Classification][chosen.min(1)])
        }
    }
}

fn targets(
    ui: &Ui,
    git: &Git,
    package: &str,
    given: &Given,
    defaults: &Defaults,
) -> anyhow::Result<Defaults> {
    let none = GivenTarget::default();
    let given = |name: &str| given.targets.get(name).unwrap_or(&none);
    let schemas = defaults
        .keys()
        .filter_map(|name| given(name).schema.as_deref());
    let schema = match schemas.count() == defaults.len() {
        true => package.to_owned(),
        false => ask(
            ui,
            None,
            "The schema of Unity Catalog for model and data, in each target's catalog. The bundle creates it.",
            "Schema",
            package,
            names::schema,
        )?,
    };
    let nothing_said = defaults.keys().all(|name| given(name).workspace.is_none());
    if nothing_said {
        ui.hint("A target on the local workspace needs no account. databricks.yml says how to move it to Databricks later.");
    }
    let all_local =
        nothing_said && ui.confirm("Keep all targets on the local workspace for now?", true)?;
    let mut targets = Defaults::new();
    for (name, default) in defaults {
        let given = given(name);
        let workspace = match (&given.workspace, all_local) {
            (None, true) => LOCAL.to_owned(),
            (said, _) => {
                let hint =
                    format!("`local`, or the address of the workspace that {name} is deployed to.");
                ask(
                    ui,
                    said.as_deref(),
                    &hint,
                    &format!("Workspace of {name}"),
                    LOCAL,
                    names::workspace,
                )?
            }
        };
        let hint = format!(
            "The catalog of Unity Catalog for {name}. It must exist before the first deployment."
        );
        let question = format!("Catalog of {name}");
        let catalog = ask(
            ui,
            given.catalog.as_deref(),
            &hint,
            &question,
            &default.catalog,
            names::catalog,
        )?;
        let branch = default.branch.as_deref().map(|branch| {
            let hint = format!("Pushes to this branch are deployed to {name}.");
            ask(
                ui,
                given.branch.as_deref(),
                &hint,
                &format!("Branch of {name}"),
                branch,
                |name| names::branch(name, git.is_branch_name(name)),
            )
        });
        let schema = given
            .schema
            .as_deref()
            .map_or(Ok(schema.clone()), names::schema);
        let target = Target {
            catalog,
            schema: schema.or_else(refuse)?,
            workspace,
            branch: branch.transpose()?,
        };
        targets.insert(name.clone(), target);
    }
    distinct(&targets)?;
    Ok(targets)
}

/// Refuses branches that cannot be told apart, or that git cannot have at once.
fn distinct(targets: &Defaults) -> anyhow::Result<()> {
    let branches: Vec<&String> = targets
        .values()
        .filter_map(|target| target.branch.as_ref())
        .collect();
    for (at, one) in branches.iter().enumerate() {
        for other in &branches[at + 1..] {
            let below =
                |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
            if one == other || below(one, other) || below(other, one) {
                return refuse(format!(
                    "the branches {one} and {other} cannot exist side by side: choose another"
                ));
            }
        }
    }
    Ok(())
}

/// Takes what was given, or asks until the answer is a name that is accepted.
fn ask(
    ui: &Ui,
    given: Option<&str>,
    hint: &str,
    question: &str,
    default: &str,
    check: impl Fn(&str) -> Checked,
) -> anyhow::Result<String> {
    if let Some(given) = given {
        return check(given).or_else(refuse);
    }
    ui.hint(hint);
    loop {
        match check(&ui.input(question, default)?) {
            Ok(answer) => return Ok(answer),
            Err(rule) if ui.can_ask() => ui.warn(&rule),
            Err(rule) => return refuse(rule),
        }
    }
}
