//! A staging and a production workspace in memory, and what of them counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Value, json};
use xtask_remote::records::artifact_digest;
use xtask_remote::{Method, Request, Transport as _};
use xtask_testkit::{KeptVersion, MemoryWorkspace};

pub(crate) const STAGING: &str = "staging.ml.taxi";
pub(crate) const PROD: &str = "prod.ml.taxi";
/// Where the lock of [`PROD`] stands.
pub(crate) const STATE: &str =
    "/Workspace/Users/ml.developer@workspace.local/.bundle/taxi/prod/state";

/// Two workspaces, each with a deployment and a registered model. A clone goes its own way.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) staging: MemoryWorkspace,
    pub(crate) prod: MemoryWorkspace,
}

/// What production has before anything is promoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// No version.
    Nothing,
    /// A champion that a job trained there.
    Champion,
    /// The same, and a challenger.
    Challenger,
}

/// The content of the files of a version.
fn files(content: &str) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("MLmodel", b"flavors: {}\n".to_vec()),
        ("data/model.bin", content.as_bytes().to_vec()),
    ]
}

/// Their digest. It is the same for the same content, so it is worked out once.
fn digest(content: &str) -> String {
    static KNOWN: LazyLock<std::sync::Mutex<BTreeMap<String, String>>> =
        LazyLock::new(Default::default);
    let mut known = KNOWN.lock().unwrap();
    let digest = known.entry(content.to_owned()).or_insert_with(|| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        for (name, content) in files(content) {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        artifact_digest(folder.path()).unwrap()
    });
    digest.clone()
}

/// Adds a version that was trained and found good there, as a training job leaves it behind; answers its number.
pub(crate) fn train(workspace: &MemoryWorkspace, model: &str, content: &str) -> u64 {
    let number = workspace.versions(model).keys().max().unwrap_or(&0) + 1;
    let champion = workspace.alias(model, "champion");
    let champion = champion.map_or_else(|| "none".to_owned(), |number| number.to_string());
    let (digest, named) = (digest(content), format!("{model}/{number}"));
    let files = files(content);
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, content)| (*name, content.as_slice()))
        .collect();
    let made = workspace.add_version(
        model,
        &format!("run{number}"),
        &files,
        &[
            ("mlops_verdict", "passed"),
            ("mlops_verdict_for", &named),
            ("mlops_verdict_reason", "every rule was kept"),
            ("mlops_artifact_digest", &digest),
            (
                "mlops_git_commit",
                "0123456789abcdef0123456789abcdef01234567",
            ),
            ("mlops_previous_champion", &champion),
        ],
    );
    assert_eq!(made, number);
    number
}

impl World {
    /// Staging has one good version, its champion.
    pub(crate) fn new(before: Before) -> World {
        let world = World {
            staging: MemoryWorkspace::new(),
            prod: MemoryWorkspace::new(),
        };
        world.staging.create_model(STAGING);
        world.prod.create_model(PROD);
        world.deploy();
        if before != Before::Nothing {
            let number = train(&world.prod, PROD, "of production");
            world.prod.set_alias(PROD, "champion", Some(number));
        }
        if before == Before::Challenger {
            let number = train(&world.prod, PROD, "next of production");
            world.prod.set_alias(PROD, "challenger", Some(number));
        }
        let number = train(&world.staging, STAGING, "of staging");
        world.staging.set_alias(STAGING, "champion", Some(number));
        world
    }

    fn deploy(&self) {
        let request = Request::new(Method::Post, "/api/2.0/workspace/mkdirs");
        let request = request.json(&json!({"path": STATE}));
        self.prod.send(&request).unwrap();
    }

    pub(crate) fn champion(&self) -> Option<u64> {
        self.prod.alias(PROD, "champion")
    }

    /// The versions of production that are copies of a version of staging.
    pub(crate) fn copies(&self) -> BTreeMap<u64, KeptVersion> {
        let mut versions = self.prod.versions(PROD);
        versions.retain(|_, version| version.tags.contains_key("mlops_promotion_source"));
        versions
    }

    /// Refuses two copies of one version with the same files.
    pub(crate) fn assert_no_copy_is_there_twice(&self) {
        let mut seen = BTreeMap::new();
        for (number, copy) in self.copies() {
            let what = (
                copy.tags["mlops_promotion_source"].clone(),
                copy.tags["mlops_artifact_digest"].clone(),
            );
            if let Some(other) = seen.insert(what.clone(), number) {
                panic!("versions {other} and {number} are copies of the same {what:?}");
            }
        }
    }

    /// What two ways to the same end have in common: everything but times, and the ids of promotions, which stand
    /// for what they are the ids of.
    pub(crate) fn outcome(&self) -> Value {
        let mut prod = self.prod.content();
        for model in prod["models"].as_array_mut().unwrap() {
            for version in model["versions"].as_array_mut().unwrap() {
                let tags = version["tags"].as_object_mut().unwrap();
                let told: Vec<(String, String)> = tags
                    .iter()
                    .map(|(key, value)| told(key, value.as_str().unwrap()))
                    .collect();
                version["tags"] = told
                    .into_iter()
                    .collect::<BTreeMap<String, String>>()
                    .into_iter()
                    .map(|(k, v)| (k, Value::from(v)))
                    .collect::<serde_json::Map<String, Value>>()
                    .into();
            }
        }
        json!({"prod": prod, "staging": self.staging.content()})
    }
}

/// A tag without what is different each time.
fn told(key: &str, value: &str) -> (String, String) {
    if key == "mlops_promotion_id" {
        return (key.to_owned(), "an id".to_owned());
    }
    if !key.starts_with("mlops_event_") {
        return (key.to_owned(), value.to_owned());
    }
    let mut event: Value = serde_json::from_str(value).unwrap();
    for field in ["id", "at", "undone_at"] {
        if event.get(field).is_some() {
            event[field] = "…".into();
        }
    }
    (
        format!("mlops_event number {}", event["n"]),
        event.to_string(),
    )
}

impl World {
    /// Who is champion and challenger in production.
    pub(crate) fn places(&self) -> [Option<u64>; 2] {
        ["champion", "challenger"].map(|alias| self.prod.alias(PROD, alias))
    }

    /// The id of the promotion that made the champion.
    pub(crate) fn champions_promotion(&self) -> String {
        let champion = &self.prod.versions(PROD)[&self.champion().unwrap()];
        let newest = champion
            .tags
            .iter()
            .filter(|(key, _)| key.starts_with("mlops_event_"))
            .map(|(_, value)| serde_json::from_str::<Value>(value).unwrap())
            .max_by_key(|event| event["n"].as_u64());
        newest.unwrap()["id"].as_str().unwrap().to_owned()
    }
}

/// Where two values differ, and how.
pub(crate) fn differences(at: &str, expected: &Value, found: &Value) -> Vec<String> {
    let below = |key: String| {
        let pointer = format!("/{key}");
        let (one, other) = (expected.pointer(&pointer), found.pointer(&pointer));
        let none = Value::Null;
        differences(
            &format!("{at}{pointer}"),
            one.unwrap_or(&none),
            other.unwrap_or(&none),
        )
    };
    let keys: BTreeSet<String> = match (expected, found) {
        _ if expected == found => BTreeSet::new(),
        (Value::Object(one), Value::Object(other)) => {
            let keys = one.keys().chain(other.keys());
            keys.map(|key| key.replace('~', "~0").replace('/', "~1"))
                .collect()
        }
        (Value::Array(one), Value::Array(other)) => (0..one.len().max(other.len()))
            .map(|index| index.to_string())
            .collect(),
        _ => return vec![format!("{at}: expected {expected}, found {found}")],
    };
    keys.into_iter().flat_map(below).collect()
}
