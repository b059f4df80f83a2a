//! The fixtures are the Python reader's too: `notebooks/tests/test_records.py`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::transport::{Request, Response};

fn fixture<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let path = root.join("notebooks/tests/fixtures").join(name);
    serde_json::from_slice(&fs::read(&path).expect("the fixture")).expect("valid JSON")
}

#[derive(Deserialize)]
struct Records {
    versions: Vec<VersionCase>,
    runs: Vec<RunCase>,
}

#[derive(Deserialize)]
struct VersionCase {
    name: String,
    model: String,
    version: u64,
    tags: BTreeMap<String, String>,
    expected: Value,
}

#[derive(Deserialize)]
struct RunCase {
    name: String,
    tags: BTreeMap<String, String>,
    expected: Value,
}

fn tags(tags: &BTreeMap<String, String>) -> Value {
    let pairs = tags
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}));
    Value::Array(pairs.collect())
}

fn origin(origin: &Origin) -> Value {
    json!({
        "git_commit": origin.git_commit,
        "git_branch": origin.git_branch,
        "git_origin": origin.git_origin,
        "git_edits": origin.git_edits,
        "job_id": origin.job_id,
        "job_run_id": origin.job_run_id,
    })
}

#[test]
fn where_a_copy_was_trained_its_tags_say_before_its_run_id() {
    let tag = |value: &str| {
        vec![KeyValue {
            key: "mlops_trained_in".to_owned(),
            value: value.to_owned(),
        }]
    };
    let trained = |host: &str, run_id: &str| {
        Some(TrainedIn {
            host: host.to_owned(),
            run_id: run_id.to_owned(),
        })
    };
    let of = |run_id: &str, tags: &[KeyValue]| TrainedIn::of_version("https://here/", run_id, tags);
    assert_eq!(
        of("stranger", &tag("https://there ours")),
        trained("https://there", "ours")
    );
    assert_eq!(
        of("", &tag("https://there ours")),
        trained("https://there", "ours")
    );
    assert_eq!(of("own", &[]), trained("https://here", "own"));
    assert_eq!(of("own", &tag("nonsense")), trained("https://here", "own"));
    assert_eq!(of("", &[]), None);
}

fn champion(champion: Option<Champion>) -> Value {
    match champion {
        None => Value::Null,
        Some(Champion::Nobody) => json!("none"),
        Some(Champion::Version(number)) => json!(number.to_string()),
    }
}

fn version(record: &VersionRecord) -> Value {
    let judgement = record.judgement.as_ref().map(|judgement| {
        json!({
            "verdict": judgement.verdict.as_str(),
            "reason": judgement.reason,
            "champion_at_validation": champion(judgement.champion_at_validation),
        })
    });
    json!({
        "origin": origin(&record.origin),
        "training_digest": record.training_digest,
        "test_digest": record.test_digest,
        "artifact_digest": record.artifact_digest,
        "validation_run_id": record.validation_run_id,
        "judgement": judgement,
        "previous_champion": champion(record.previous_champion),
    })
}

fn run(record: &RunRecord) -> Value {
    let named = record.model_version.as_ref();
    let watched = record.monitoring.as_ref().map(|found| {
        let state = ["within_limits", "beyond_limits"][usize::from(found.beyond_limits)];
        json!({"state": state, "reason": found.reason})
    });
    json!({
        "origin": origin(&record.origin),
        "training_digest": record.training_digest,
        "test_digest": record.test_digest,
        "input_digest": record.input_digest,
        "model_version": named.map(|at| json!({"model": at.model, "version": at.version})),
        "champion_at_validation": champion(record.champion_at_validation),
        "verdict": record.verdict.map(Verdict::as_str),
        "monitoring": watched,
    })
}

#[test]
fn versions_read_as_the_fixture_says() {
    let cases = fixture::<Records>("records.json").versions;
    assert!(cases.len() >= 10);
    for case in cases {
        let tags: Vec<KeyValue> = serde_json::from_value(tags(&case.tags)).expect("tags");
        let record = VersionRecord::read(&case.model, case.version, &tags);
        assert_eq!(version(&record), case.expected, "{}", case.name);
        let verdict = &case.expected["judgement"]["verdict"];
        assert_eq!(record.has_passed(), verdict == "passed", "{}", case.name);
    }
}

#[test]
fn runs_read_as_the_fixture_says() {
    let cases = fixture::<Records>("records.json").runs;
    assert!(cases.len() >= 4);
    for case in cases {
        let reply = json!({"info": {"run_id": "1", "experiment_id": "2"}, "data": {"tags": tags(&case.tags)}});
        let found: Run = serde_json::from_value(reply).expect("a run");
        assert_eq!(
            run(&RunRecord::read(&found)),
            case.expected,
            "{}",
            case.name
        );
    }
}

/// Answers with a fixture's tags, and keeps what it was asked.
struct Catalog {
    tags: Value,
    asked: Mutex<Vec<String>>,
}

impl Transport for Catalog {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        self.asked.lock().expect("no panic").push(request.call());
        let reply = json!({"model_version": {"version": "7", "tags": self.tags}});
        Ok(Response {
            status: 200,
            headers: crate::Headers::default(),
            body: reply.to_string().into_bytes(),
        })
    }
}

#[test]
fn a_version_is_asked_for_by_name_and_number() {
    let case = fixture::<Records>("records.json").versions.remove(0);
    let catalog = Catalog {
        tags: tags(&case.tags),
        asked: Mutex::default(),
    };
    let record = of_version(
        &catalog,
        RegistryKind::UnityCatalog,
        &case.model,
        case.version,
    )
    .expect("a record");
    assert_eq!(version(&record), case.expected);
    let expected = format!(
        "GET /api/2.0/mlflow/unity-catalog/model-versions/get?name={}&version=7",
        case.model
    );
    assert_eq!(*catalog.asked.lock().expect("no panic"), [expected]);
}

#[test]
fn digests_are_those_of_the_fixture() {
    #[derive(Deserialize)]
    struct Case {
        name: String,
        files: BTreeMap<String, String>,
        digest: String,
    }
    for case in fixture::<Vec<Case>>("artifact-digests.json") {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in &case.files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, text).expect("a file");
        }
        let found = artifact_digest(folder.path()).expect("a digest");
        assert_eq!(found, case.digest, "{}", case.name);
    }
}

#[cfg(unix)]
#[test]
fn links_to_files_count_and_links_to_folders_do_not() {
    use std::os::unix::fs::symlink;

    let (plain, linked) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(plain.path().join("MLmodel"), "x").unwrap();
    let before = artifact_digest(plain.path()).unwrap();
    symlink(plain.path().join("MLmodel"), linked.path().join("MLmodel")).unwrap();
    symlink(plain.path(), linked.path().join("folder")).unwrap();
    assert_eq!(artifact_digest(linked.path()).unwrap(), before);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = artifact_digest(std::path::Path::new("/nowhere/at/all")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}
