//! The program is killed (SIGKILL) at each of its requests, before and after their effect, and at each moment between
//! them; typed once more it comes to the same end. Against the local workspace with a real MLflow behind it. What was
//! killed twice, and meets others, is tested in memory: `xtask/crates/promotion/tests`.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;

use serde_json::{Value, json};
use xtask_testkit::{Fault, Passed, Said, Victim, When};

use super::world::{End, Made, TO, Training, World};

/// Where the program is killed.
#[derive(Debug, Clone)]
enum Moment {
    /// At the n-th request to the source.
    Source(usize, When),
    /// At the n-th request to the destination.
    Destination(usize, When),
    /// Between requests: `XTASK_FAIL_AT`.
    Local(String),
}

/// What is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typed {
    Promote,
    Undo,
}

impl World {
    /// Types it and sees to its end; `id` is the promotion that is taken back.
    fn types(&self, typed: Typed, id: &str) -> Said {
        match typed {
            Typed::Promote => self.promote(&["--yes", "--json"]),
            Typed::Undo => Said::of(self.project.xtask(&undo(id))),
        }
    }

    /// Types it and kills it.
    fn is_killed(&self, typed: Typed, id: &str, moment: &Moment) {
        let mut command = match typed {
            Typed::Promote => self.promotion(&["--yes"]),
            Typed::Undo => self.project.xtask(&undo(id)),
        };
        let victim = Victim::default();
        let kill = |when: &When| Fault::Kill(victim.clone(), *when);
        match moment {
            Moment::Source(n, when) => self.from.proxy.at(*n, kill(when)),
            Moment::Destination(n, when) => self.to.proxy.at(*n, kill(when)),
            Moment::Local(name) => {
                command.env("XTASK_FAIL_AT", name);
            }
        }
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        victim.is(child.id());
        let ended = child.wait().unwrap();
        assert_eq!(
            ended.signal(),
            Some(9),
            "{typed:?} was not killed at {moment:?}"
        );
        for end in [&self.from, &self.to] {
            end.proxy.heal();
        }
    }

    /// All that counts about the newest promotion, with what differs each time left out.
    fn outcome(&self, made: &Made, before: u64) -> Value {
        let copies: Vec<u64> = self
            .to
            .versions()
            .into_iter()
            .filter(|number| {
                let source = self.to.tag(*number, "mlops_promotion_source");
                source == Some(format!("{}/{}", self.from.model, made.number))
            })
            .collect();
        assert_eq!(copies.len(), 1, "one copy: {copies:?}");
        let (copy, version) = (copies[0], self.to.version(copies[0]));
        let who = |number: Option<u64>| match number {
            Some(number) if number == copy => "the copy".to_owned(),
            Some(number) if number == before => "the one before".to_owned(),
            other => format!("{other:?}"),
        };
        let tags: BTreeMap<String, String> = version["tags"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tag| {
                let text = |field: &str| tag[field].as_str().unwrap().to_owned();
                told(&text("key"), &text("value"), made, copy, before)
            })
            .collect();
        let journals = self.project.root().join(".xtask/promotions");
        let left: Vec<String> = [journals.join("files"), journals]
            .iter()
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flatten()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name != "files")
            .collect();
        json!({
            "champion": who(self.to.champion()),
            "challenger": who(self.to.aliased("challenger")),
            "status": version["status"],
            "tags": tags,
            "lock": self.to.is_locked(),
            "left": left,
        })
    }

    /// At no moment may inference be without a champion whose files are whole.
    fn has_a_champion(&self, moment: &Moment) {
        let champion = self.to.champion();
        let champion = champion.unwrap_or_else(|| panic!("no champion after {moment:?}"));
        assert_eq!(self.to.version(champion)["status"], "READY", "{moment:?}");
    }
}

impl End {
    fn is_locked(&self) -> bool {
        let folder = self.get("/api/2.0/workspace/list", &[("path", &self.state_path)]);
        let listed = folder["objects"].as_array().unwrap();
        listed
            .iter()
            .any(|object| object["path"].as_str().unwrap().ends_with(".lock"))
    }
}

fn undo(id: &str) -> [&str; 6] {
    ["promote", "--to", TO, "--undo", id, "--yes"]
}

/// A tag without what differs each time.
fn told(key: &str, value: &str, made: &Made, copy: u64, before: u64) -> (String, String) {
    let mut value = value.to_owned();
    for (from, to) in [
        (&made.digest, "DIGEST"),
        (&made.run, "RUN"),
        (&made.validation, "VALIDATION"),
    ] {
        value = value.replace(from.as_str(), to);
    }
    match key {
        "mlops_promotion_id" => (key.to_owned(), "ID".to_owned()),
        "mlops_promotion_source" | "mlops_verdict_for" => {
            let (model, number) = value.rsplit_once('/').unwrap();
            assert!(
                [made.number, copy]
                    .map(|n| n.to_string())
                    .contains(&number.to_owned())
            );
            (key.to_owned(), model.to_owned())
        }
        "mlops_verdict_reason" => (
            key.to_owned(),
            value.replace(&format!("version {}", made.number), "version N"),
        ),
        "mlops_previous_champion" => {
            assert_eq!(value, before.to_string());
            (key.to_owned(), "the one before".to_owned())
        }
        key if key.starts_with("mlops_event_") => {
            let event: Value = serde_json::from_str(&value).unwrap();
            assert_eq!(event["was"], before, "{event}");
            let known = |field: &str| !event[field].is_null();
            let what = json!({"state": event["state"], "by": event["by"], "commit": event["commit"],
                "waits": event["waits"], "at": known("at"), "undone_by": event["undone_by"], "undone_at": known("undone_at")});
            ("mlops_event".to_owned(), what.to_string())
        }
        key => (key.to_owned(), value),
    }
}

/// A new version in the source and, for undoing, its promotion; the id of that.
fn prepare(world: &World, typed: Typed, start: &mut f64) -> (Made, u64, String) {
    *start += 0.25;
    let made = world.train(&Training {
        start: *start,
        ..Training::default()
    });
    let before = world.to.champion().unwrap();
    let id = match typed {
        Typed::Promote => String::new(),
        Typed::Undo => promoted(world),
    };
    (made, before, id)
}

/// Promotes without a kill; the id.
fn promoted(world: &World) -> String {
    let said = world.types(Typed::Promote, "");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let told: Value = serde_json::from_str(&said.stdout).unwrap();
    told["id"].as_str().unwrap().to_owned()
}

/// The moments of what a run has asked: before and after each call that writes, and before each that reads (what is
/// after a read is before the next call). Of the reads between two writes, which all see the same, the first and the
/// last; `XTASK_KILLS=all` takes every one.
fn moments(asked: &[Passed], moment: impl Fn(usize, When) -> Moment) -> Vec<Moment> {
    let all = std::env::var("XTASK_KILLS").is_ok_and(|which| which == "all");
    let asked = asked.iter().filter(|asked| !asked.is_of_the_cli());
    let writes: Vec<bool> = asked
        .map(|asked| asked.method != "GET" && asked.method != "HEAD")
        .collect();
    let writes_at = |index: usize| writes.get(index).copied().unwrap_or(true);
    let mut moments = Vec::new();
    for (index, write) in writes.iter().enumerate() {
        let is_at_an_edge = index == 0 || writes_at(index - 1) || writes_at(index + 1);
        if *write || all || is_at_an_edge {
            moments.push(moment(index + 1, When::Before));
        }
        if *write {
            moments.push(moment(index + 1, When::After));
        }
    }
    moments
}

fn kill_everywhere(typed: Typed, local: &[&str]) {
    let world = World::alone();
    let mut start = 1.0;
    let _ = world.train(&Training::default());
    let _ = promoted(&world);

    let (made, before, id) = prepare(&world, typed, &mut start);
    for end in [&world.from, &world.to] {
        end.proxy.clear();
    }
    let said = world.types(typed, &id);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let expected = world.outcome(&made, before);
    let mut all = moments(&world.from.proxy.record(), Moment::Source);
    all.extend(moments(&world.to.proxy.record(), Moment::Destination));
    all.extend(local.iter().map(|name| Moment::Local((*name).to_owned())));
    assert!(all.len() > 20, "{all:?}");
    for moment in &all {
        let (made, before, id) = prepare(&world, typed, &mut start);
        world.is_killed(typed, &id, moment);
        world.has_a_champion(moment);
        let said = world.types(typed, &id);
        assert_eq!(said.code, Some(0), "after {moment:?}: {}", said.stderr);
        assert_eq!(world.outcome(&made, before), expected, "after {moment:?}");
    }
}

#[test]
fn a_promotion_that_is_killed_anywhere_ends_as_one_that_is_not() {
    let steps = [
        "lock",
        "create",
        "upload",
        "ready",
        "verify",
        "tags",
        "challenger",
        "smoke",
        "champion",
        "settle",
    ];
    let mut local: Vec<String> = steps.iter().map(|step| format!("before {step}")).collect();
    local.extend(["journal's end", "files' end"].map(str::to_owned));
    let local: Vec<&str> = local.iter().map(String::as_str).collect();
    kill_everywhere(Typed::Promote, &local);
}

#[test]
fn an_undoing_that_is_killed_anywhere_ends_as_one_that_is_not() {
    kill_everywhere(
        Typed::Undo,
        &["before lock", "before champion", "journal's end"],
    );
}
