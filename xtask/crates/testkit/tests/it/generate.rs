//! Sequences of calls, as a seed decides. Most make sense, some do not.

use std::fmt;

use serde_json::{Value, json};
use xtask_remote::{Body, Method, Request};
use xtask_testkit::Dice;

/// Stands in names for what tells one sequence from another.
const NAME: &str = "NAME";
const LONGEST: usize = 11;

const UC: &str = "/api/2.0/mlflow/unity-catalog";
const CLASSIC: &str = "/api/2.0/mlflow";

/// One call, or one call a page.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Call(Request),
    Pages(Request),
}

impl Step {
    /// The step with the names of one sequence.
    pub(crate) fn named(&self, name: &str) -> Step {
        let put = |text: &str| text.replace(NAME, name);
        let named = |request: &Request| {
            let mut request = request.clone();
            request.path = put(&request.path);
            for (_, value) in &mut request.query {
                *value = put(value);
            }
            if let Body::Json(value) = &request.body {
                request.body = Body::Json(serde_json::from_str(&put(&value.to_string())).unwrap());
            }
            request
        };
        match self {
            Step::Call(request) => Step::Call(named(request)),
            Step::Pages(request) => Step::Pages(named(request)),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Step::Call(request) | Step::Pages(request)) = self;
        f.write_str(&request.call())?;
        if let Body::Json(body) = &request.body {
            write!(f, " {body}")?;
        }
        match self {
            Step::Pages(_) => f.write_str(" (all pages)"),
            Step::Call(_) => Ok(()),
        }
    }
}

/// The sequence of a seed.
pub(crate) fn steps(seed: u64) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    let about = dice.below(20);
    let (mut steps, one): (Vec<Step>, fn(&mut Dice) -> Step) = match about {
        0..=11 => (catalog_begins(&mut dice), catalog),
        12..=16 => (classic_begins(&mut dice), classic),
        _ => (Vec::new(), workspace_file),
    };
    while steps.len() < LONGEST {
        steps.push(one(&mut dice));
    }
    steps
}

fn call(method: Method, path: &str, body: Value) -> Step {
    let request = Request::new(method, path);
    Step::Call(match (method, body) {
        (Method::Get, Value::Object(fields)) => {
            fields.iter().fold(request, |request, (name, value)| {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                request.query(name, text)
            })
        }
        (_, Value::Null) => request,
        (_, body) => request.json(&body),
    })
}

/// Mostly the first of these, now and then another.
fn mostly<'t>(dice: &mut Dice, usual: &'t str, others: &[&'t str]) -> &'t str {
    if dice.chance(8, 10) {
        usual
    } else {
        dice.one_of(others)
    }
}

fn model(dice: &mut Dice) -> &'static str {
    mostly(
        dice,
        "dev.ml.aNAME",
        &[
            "prod.ml.bNAME",
            "Prod.ML.bNAME",
            "dev.ml.noneNAME",
            "two.levelsNAME",
            "a.b.c d",
            "",
        ],
    )
}

fn version(dice: &mut Dice) -> &'static str {
    let usual = dice.one_of(&["1", "2"]);
    mostly(dice, usual, &["1", "2", "3", "9", "0", "-1", "x", ""])
}

fn alias(dice: &mut Dice) -> &'static str {
    mostly(
        dice,
        "champion",
        &[
            "challenger",
            "Champion",
            "latest",
            "v1",
            "no good",
            "",
            "what-is_it",
        ],
    )
}

fn key(dice: &mut Dice) -> &'static str {
    mostly(
        dice,
        "mlops_promotion_source",
        &[
            "mlops_artifact_digest",
            "mlops_event_0a1b2c3d",
            "a b",
            "a/b",
            "/a",
            "a//b",
            "ü",
            "a,b",
            "",
            "xtask.origin",
        ],
    )
}

fn text(dice: &mut Dice) -> &'static str {
    dice.one_of(&[
        "",
        "passed",
        "dev.ml.taxi/3",
        "{\"a\": \"b\"}",
        "zwölf\nZeilen",
        "'quoted'",
    ])
}

fn tags(dice: &mut Dice) -> Value {
    let count = dice.below(3);
    (0..count)
        .map(|_| json!({"key": if dice.chance(9, 10) { dice.one_of(&["mlops_promotion_id", "mlops_artifact_digest"]) } else { key(dice) }, "value": text(dice)}))
        .collect()
}

/// Leaves a field out now and then.
fn perhaps_less(dice: &mut Dice, mut body: Value) -> Value {
    if dice.chance(1, 15)
        && let Some(fields) = body.as_object_mut()
        && let Some(name) = fields.keys().nth(dice.below(fields.len())).cloned()
    {
        fields.remove(&name);
    }
    body
}

fn new_model(root: &str, name: &str) -> Step {
    call(
        Method::Post,
        &format!("{root}/registered-models/create"),
        json!({"name": name}),
    )
}

fn catalog_begins(dice: &mut Dice) -> Vec<Step> {
    let mut steps = Vec::new();
    if dice.chance(19, 20) {
        steps.push(new_model(UC, "dev.ml.aNAME"));
    }
    if dice.chance(1, 2) {
        steps.push(new_model(UC, "prod.ml.bNAME"));
    }
    for number in 1..=dice.below(3) {
        let body = json!({"name": "dev.ml.aNAME", "source": "dbfs:/elsewhere", "run_id": "r1", "tags": tags(dice)});
        steps.push(call(
            Method::Post,
            &format!("{UC}/model-versions/create"),
            body,
        ));
        if dice.chance(3, 4) {
            let body = json!({"name": "dev.ml.aNAME", "version": number.to_string()});
            steps.push(call(
                Method::Post,
                &format!("{UC}/model-versions/finalize"),
                body,
            ));
        }
    }
    steps
}

fn catalog(dice: &mut Dice) -> Step {
    match dice.below(10) {
        0..=5 => of_mlflow(dice, UC, model),
        6 => of_catalog(dice),
        _ => model_file(dice),
    }
}

/// A call of MLflow's protocol that both registries have.
fn of_mlflow(dice: &mut Dice, root: &str, model: fn(&mut Dice) -> &'static str) -> Step {
    let name = model(dice);
    let (method, route, body) = match dice.below(18) {
        0 => (Method::Get, "registered-models/get", json!({"name": name})),
        1 => (
            Method::Patch,
            "registered-models/update",
            json!({"name": name, "description": text(dice)}),
        ),
        2 => (
            Method::Post,
            "registered-models/set-tag",
            json!({"name": name, "key": key(dice), "value": text(dice)}),
        ),
        3 => (
            Method::Delete,
            "registered-models/delete-tag",
            json!({"name": name, "key": key(dice)}),
        ),
        4 | 5 => (
            Method::Post,
            "registered-models/alias",
            json!({"name": name, "alias": alias(dice), "version": version(dice)}),
        ),
        6 => (
            Method::Delete,
            "registered-models/alias",
            json!({"name": name, "alias": alias(dice)}),
        ),
        7 | 8 => (
            Method::Get,
            "registered-models/alias",
            json!({"name": name, "alias": alias(dice)}),
        ),
        9 | 10 => return new_version(dice, root, name),
        11 => (
            Method::Get,
            "model-versions/get",
            json!({"name": name, "version": version(dice)}),
        ),
        12 => return search(dice, root, name),
        13 => (
            Method::Post,
            "model-versions/set-tag",
            json!({"name": name, "version": version(dice), "key": key(dice), "value": text(dice)}),
        ),
        14 => (
            Method::Delete,
            "model-versions/delete-tag",
            json!({"name": name, "version": version(dice), "key": key(dice)}),
        ),
        15 => (
            Method::Patch,
            "model-versions/update",
            json!({"name": name, "version": version(dice), "description": text(dice)}),
        ),
        16 if dice.chance(1, 2) => (
            Method::Delete,
            "model-versions/delete",
            json!({"name": name, "version": version(dice)}),
        ),
        _ if root == UC => (
            Method::Post,
            "model-versions/finalize",
            json!({"name": name, "version": version(dice)}),
        ),
        _ => (
            Method::Post,
            "model-versions/transition-stage",
            json!({"name": name, "version": version(dice),
                "stage": mostly(dice, "Production", &["Staging", "staging", "None", "Archived", "Live", ""]),
                "archive_existing_versions": dice.chance(1, 2)}),
        ),
    };
    let body = perhaps_less(dice, body);
    call(method, &format!("{root}/{route}"), body)
}

fn new_version(dice: &mut Dice, root: &str, name: &str) -> Step {
    let own = if root == UC {
        "models:/dev.ml.aNAME/1"
    } else {
        "models:/dev-aNAME/1"
    };
    let source = mostly(
        dice,
        own,
        &[
            "models:/nowhere/3",
            "models:/dev.ml.aNAME/2",
            "models:/dev-aNAME/2",
            "dbfs:/x/y",
            "somewhere",
            "",
        ],
    );
    let mut body = json!({"name": name, "source": source, "tags": tags(dice)});
    if dice.chance(1, 2) {
        body["run_id"] = (dice.one_of(&["r1", "r2", ""])).into();
    }
    if dice.chance(1, 3) {
        body["description"] = text(dice).into();
    }
    call(
        Method::Post,
        &format!("{root}/model-versions/create"),
        perhaps_less(dice, body),
    )
}

fn search(dice: &mut Dice, root: &str, name: &str) -> Step {
    if dice.chance(1, 4) {
        let filter = format!("name='{name}'");
        return call(
            Method::Get,
            &format!("{root}/registered-models/search"),
            json!({"filter": filter}),
        );
    }
    let filter = match dice.below(8) {
        0 => "nonsense".to_owned(),
        1 => format!("version='{name}'"),
        2 => format!("name = '{name}'"),
        _ => format!("name='{name}'"),
    };
    let size = dice.one_of(&["1", "2", "100", "0", "x"]);
    let mut request =
        Request::new(Method::Get, format!("{root}/model-versions/search")).query("filter", filter);
    if dice.chance(3, 4) {
        request = request.query("max_results", size);
    }
    if root == CLASSIC && dice.chance(1, 4) {
        request = request.query(
            "order_by",
            dice.one_of(&["version_number DESC", "version_number ASC"]),
        );
    }
    match dice.chance(1, 10) {
        true => Step::Call(request.query("page_token", "nonsense")),
        false => Step::Pages(request),
    }
}

/// Unity Catalog's own API.
fn of_catalog(dice: &mut Dice) -> Step {
    let name = mostly(
        dice,
        "dev.ml.aNAME",
        &[
            "prod.ml.bNAME",
            "Dev.ml.aNAME",
            "dev.ml.noneNAME",
            "two.levelsNAME",
        ],
    );
    let root = format!("/api/2.1/unity-catalog/models/{name}");
    let number = mostly(dice, "1", &["2", "3", "x"]);
    let alias = mostly(dice, "champion", &["challenger", "latest", "v1"]);
    let comment = json!({"comment": text(dice)});
    match dice.below(9) {
        0 => call(
            Method::Get,
            &root,
            json!({"include_aliases": "true", "include_browse": "true"}),
        ),
        1 => call(
            Method::Patch,
            &root,
            if dice.chance(1, 6) {
                json!({})
            } else {
                comment
            },
        ),
        2 => {
            let request = Request::new(Method::Get, format!("{root}/versions"));
            Step::Pages(request.query("max_results", dice.one_of(&["1", "2", "50"])))
        }
        3 => call(
            Method::Get,
            &format!("{root}/versions/{number}"),
            Value::Null,
        ),
        4 => call(Method::Patch, &format!("{root}/versions/{number}"), comment),
        5 if dice.chance(1, 3) => call(
            Method::Delete,
            &format!("{root}/versions/{number}"),
            Value::Null,
        ),
        5 | 6 => call(Method::Get, &format!("{root}/aliases/{alias}"), Value::Null),
        7 => {
            let body = if dice.chance(1, 8) {
                json!({})
            } else {
                json!({"version_num": dice.below(4)})
            };
            call(Method::Put, &format!("{root}/aliases/{alias}"), body)
        }
        _ => call(
            Method::Delete,
            &format!("{root}/aliases/{alias}"),
            Value::Null,
        ),
    }
}

fn model_file(dice: &mut Dice) -> Step {
    let version = mostly(
        dice,
        "dev/ml/aNAME/1",
        &["dev/ml/aNAME/2", "Dev/ML/aNAME/1", "dev/ml/xNAME"],
    );
    let file = dice.one_of(&[
        "MLmodel",
        "data/model.bin",
        "data/feature%20spec.txt",
        "data",
        "",
        "MLmodel/below",
        "a%5Cb",
    ]);
    let slash = if file.is_empty() { "" } else { "/" };
    let path = format!("/api/2.0/fs/files/Models/{version}{slash}{file}");
    let folder = format!("/api/2.0/fs/directories/Models/{version}{slash}{file}");
    match dice.below(12) {
        0..=4 => {
            let request =
                Request::new(Method::Put, path).json(&json!({"content": dice.below(1000)}));
            Step::Call(match dice.below(3) {
                0 => request,
                1 => request.query("overwrite", "false"),
                _ => request.query("overwrite", "true"),
            })
        }
        5 | 6 => call(Method::Get, &path, Value::Null),
        7 => call(Method::Head, &path, Value::Null),
        8 => call(Method::Head, &folder, Value::Null),
        9 => call(Method::Put, &folder, Value::Null),
        _ => Step::Pages(
            Request::new(Method::Get, folder).query("page_size", dice.one_of(&["1", "2", "50"])),
        ),
    }
}

fn classic_model(dice: &mut Dice) -> &'static str {
    mostly(
        dice,
        "dev-aNAME",
        &["prod-bNAME", "noneNAME", "a/b", "a:b", ""],
    )
}

fn classic_begins(dice: &mut Dice) -> Vec<Step> {
    let mut steps = Vec::new();
    if dice.chance(19, 20) {
        steps.push(new_model(CLASSIC, "dev-aNAME"));
    }
    if dice.chance(1, 2) {
        steps.push(new_model(CLASSIC, "prod-bNAME"));
    }
    for _ in 0..dice.below(3) {
        let body = json!({"name": "dev-aNAME", "source": "dbfs:/elsewhere", "run_id": "r1", "tags": tags(dice)});
        steps.push(call(
            Method::Post,
            &format!("{CLASSIC}/model-versions/create"),
            body,
        ));
    }
    steps
}

fn classic(dice: &mut Dice) -> Step {
    if dice.chance(1, 8) {
        let stages: &[&str] = match dice.below(4) {
            0 => &[],
            1 => &["Production"],
            2 => &["staging", "None"],
            _ => &["Live"],
        };
        let body = json!({"name": classic_model(dice), "stages": stages});
        return call(
            Method::Post,
            &format!("{CLASSIC}/registered-models/get-latest-versions"),
            body,
        );
    }
    of_mlflow(dice, CLASSIC, classic_model)
}

/// A file of the workspace tree, as a lock is.
fn workspace_file(dice: &mut Dice) -> Step {
    let mount = mostly(
        dice,
        "/Workspace/Shared/xNAME",
        &[
            "/Shared/xNAME",
            "/Workspace/Shared/xNAME/below",
            "/Workspace/Shared/yNAME",
        ],
    );
    let file = dice.one_of(&[
        "/lock.json",
        "/lock.json",
        "/lock.json",
        "",
        "/other",
        "/lock.json/deeper",
        "/a%5Cb",
    ]);
    let path = format!("{mount}{file}");
    let escaped = path.replace('/', "%2F");
    match dice.below(12) {
        0..=3 => {
            let request = Request::new(
                Method::Post,
                format!("/api/2.0/workspace-files/import-file/{escaped}"),
            );
            let request = request.query("overwrite", dice.one_of(&["false", "false", "true"]));
            Step::Call(request.json(&json!({"owner": dice.below(1000)})))
        }
        4 | 5 => call(
            Method::Post,
            "/api/2.0/workspace/mkdirs",
            json!({"path": mount}),
        ),
        6 => call(
            Method::Get,
            "/api/2.0/workspace/get-status",
            json!({"path": path}),
        ),
        7 | 8 => call(
            Method::Get,
            "/api/2.0/workspace/export",
            json!({"path": path, "direct_download": "true"}),
        ),
        9 => call(
            Method::Get,
            &format!("/api/2.0/workspace-files/{escaped}"),
            Value::Null,
        ),
        10 => call(
            Method::Get,
            "/api/2.0/workspace/list",
            json!({"path": mount}),
        ),
        _ => call(
            Method::Post,
            "/api/2.0/workspace/delete",
            json!({"path": path, "recursive": dice.chance(1, 3)}),
        ),
    }
}
