//! Whether a pull request may be merged, and what is missing for it. Everything is about one commit: the
//! newest one that GitHub shows.

use std::time::Duration;

use xtask_remote::github::checks::{Check, State};
use xtask_remote::github::merging::{self, MergeFacts};
use xtask_remote::github::pulls::Pull;
use xtask_remote::github::repositories::Name;

use crate::context::Context;
use crate::github::Connection;
use crate::ui::{Tone, safe_line};
use crate::words::count;

/// How often GitHub is asked again whether there are conflicts: it finds out when it is asked first.
const LOOKS: usize = 8;
/// Between two of these looks.
const PAUSE: Duration = Duration::from_secs(1);

/// A pull request, and the way to it.
pub(crate) struct PullRequest {
    pub(crate) connection: Connection,
    pub(crate) into: Name,
    pub(crate) pull: Pull,
}

/// Whether a pull request may be merged.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    /// What is as it should be.
    pub(crate) passed: Vec<String>,
    pub(crate) missing: Vec<String>,
    /// What to do about it.
    pub(crate) next: Vec<String>,
    /// What else is worth a word.
    pub(crate) notes: Vec<String>,
    /// Whether all that is missing may still come by itself: checks that run, a review.
    pub(crate) may_come: bool,
}

impl Readiness {
    /// What has happened already: nothing is left to be done then.
    pub(crate) fn done(&self, facts: &MergeFacts) -> Option<&'static str> {
        match () {
            () if facts.state == "MERGED" => Some("merged"),
            () if facts.queue_position.is_some() => Some("queued"),
            () => None,
        }
    }
}

/// Reads it, and waits until GitHub knows about conflicts.
pub(crate) fn read(context: &Context, request: &PullRequest) -> anyhow::Result<MergeFacts> {
    let PullRequest {
        connection,
        into,
        pull,
    } = request;
    let mut looks = 1;
    loop {
        let facts = merging::facts(&connection.github, into, pull.number, &pull.base.branch)?;
        if facts.state != "OPEN" || facts.mergeable != "UNKNOWN" || looks == LOOKS {
            return Ok(facts);
        }
        looks += 1;
        context.interrupt.sleep(PAUSE);
        context.interrupt.check()?;
    }
}

/// Judges it by the repository's rules and xtask.toml's.
pub(crate) fn judge(context: &Context, request: &PullRequest, facts: &MergeFacts) -> Readiness {
    let mut readiness = Readiness {
        may_come: true,
        ..Readiness::default()
    };
    match facts.state.as_str() {
        "MERGED" => {
            readiness.notes.push("it is merged already".to_owned());
            return readiness;
        }
        "CLOSED" => {
            readiness.lacks_for_good("it is closed", &format!("reopen it at {}", facts.url));
            return readiness;
        }
        _ => {}
    }
    if let Some(place) = facts.queue_position {
        readiness.notes.push(format!(
            "it is in the merge queue already, at place {place}"
        ));
        return readiness;
    }
    if !facts.may_merge {
        let what = format!("you may not merge into {}", request.into);
        readiness.lacks_for_good(&what, "ask a maintainer with write access");
    }
    if facts.draft {
        readiness.lacks_for_good("it is a draft", "cargo xtask open-pr --ready");
    }
    conflicts(facts, &mut readiness);
    let configured = context.config.target_of(&facts.base);
    let configured = configured.map(|(_, target)| target.checks.as_slice());
    checks(facts, configured.unwrap_or_default(), &mut readiness);
    reviews(facts, context.config.github.approvals, &mut readiness);
    by_github(facts, &mut readiness);
    if facts.auto_merge {
        let note = "auto-merge is on: GitHub merges it as soon as its rules allow";
        readiness.notes.push(note.to_owned());
    }
    readiness
}

impl Readiness {
    /// Adds a way out.
    pub(crate) fn suggest(&mut self, next: String) {
        self.next.push(next);
    }

    fn lacks(&mut self, what: &str, next: &str) {
        self.missing.push(what.to_owned());
        if !next.is_empty() && !self.next.iter().any(|known| known == next) {
            self.next.push(next.to_owned());
        }
    }

    /// Something that does not come by itself.
    pub(crate) fn lacks_for_good(&mut self, what: &str, next: &str) {
        self.lacks(what, next);
        self.may_come = false;
    }
}

/// Shows what a pull request has passed, and what is missing.
pub(crate) fn show(context: &Context, facts: &MergeFacts, readiness: &Readiness) {
    let ui = &context.ui;
    let link = ui.link(&facts.url, &facts.url);
    let title = safe_line(&facts.title);
    ui.status("Request", &format!("{} {title} {link}", facts.number));
    for passed in &readiness.passed {
        ui.status("Passed", &safe_line(passed));
    }
    for missing in &readiness.missing {
        ui.status_toned("Missing", &safe_line(missing), Tone::Warning);
    }
    for note in &readiness.notes {
        ui.status_toned("Note", &safe_line(note), Tone::Accent);
    }
}

fn conflicts(facts: &MergeFacts, readiness: &mut Readiness) {
    let next = "cargo xtask open-pr, after git fetch and git rebase";
    match facts.mergeable.as_str() {
        "CONFLICTING" => {
            let what = format!("it conflicts with {}", facts.base);
            readiness.lacks_for_good(&what, next);
        }
        "MERGEABLE" => {}
        _ => readiness.lacks(
            "GitHub does not know yet whether there are conflicts",
            "try again in a moment",
        ),
    }
    if facts.merge_state == "BEHIND" {
        let what = format!(
            "it is behind {}, whose rules ask for its newest state",
            facts.base
        );
        readiness.lacks_for_good(&what, next);
    }
}

/// Required checks by GitHub's rules and by xtask.toml; where neither requires one, all that ran.
fn checks(facts: &MergeFacts, configured: &[String], readiness: &mut Readiness) {
    let by_name = |name: &String| facts.required.contains(name) || configured.contains(name);
    let required: Vec<&Check> = facts
        .checks
        .iter()
        .filter(|one| one.required == Some(true) || by_name(&one.name))
        .collect();
    let is_reported = |name: &String| facts.checks.iter().any(|one| one.name == *name);
    for name in facts.required.iter().filter(|name| !is_reported(name)) {
        readiness.lacks(
            &format!("the required check {name} has not started: no workflow has reported it"),
            "cargo xtask status   # is there a workflow that reports it, and did it start?",
        );
    }
    let ours = |name: &&String| !facts.required.contains(name) && !is_reported(name);
    for name in configured.iter().filter(ours) {
        readiness.lacks(
            &format!("the check {name}, which xtask.toml requires, has not started"),
            "",
        );
    }
    let none_required = required.is_empty() && configured.is_empty() && facts.required.is_empty();
    let (counted, word) = match none_required {
        true => (facts.checks.iter().collect(), "check"),
        false => (required, "required check"),
    };
    let with = |state: State| -> Vec<&str> {
        let found = counted.iter().filter(|one| one.state == state);
        found.map(|one| one.label.as_str()).collect()
    };
    let (failed, pending) = (with(State::Failed), with(State::Pending));
    if !failed.is_empty() {
        readiness.lacks_for_good(
            &format!("failed: {}", failed.join(", ")),
            "fix it, commit, and run `cargo xtask open-pr`",
        );
    }
    if !pending.is_empty() {
        readiness.lacks(&format!("still running: {}", pending.join(", ")), "");
    }
    let good = counted.len() - failed.len() - pending.len();
    match (good, counted.is_empty()) {
        (_, true) if none_required => readiness
            .notes
            .push("no check ran for its newest commit, and none is required".to_owned()),
        (0, _) => {}
        (good, _) => readiness.passed.push(count(good, word)),
    }
}

/// Approvals count for the commit that they were given for.
fn reviews(facts: &MergeFacts, wanted: usize, readiness: &mut Readiness) {
    let by = |state: &str| -> Vec<&str> {
        let found = facts.reviews.iter().filter(|review| review.state == state);
        found.map(|review| review.author.as_str()).collect()
    };
    let objections = by("CHANGES_REQUESTED");
    if !objections.is_empty() {
        readiness.lacks(
            &format!("{} asked for changes", objections.join(", ")),
            "push the changes, then request another review",
        );
    }
    let (current, earlier): (Vec<_>, Vec<_>) = facts
        .reviews
        .iter()
        .filter(|review| review.state == "APPROVED" && review.author != facts.author)
        .partition(|review| review.sha.as_deref() == Some(facts.head_sha.as_str()));
    if !current.is_empty() {
        let names: Vec<&str> = current
            .iter()
            .map(|review| review.author.as_str())
            .collect();
        readiness
            .passed
            .push(format!("approved by {}", names.join(", ")));
    }
    if current.len() < wanted {
        let more = wanted - current.len();
        let what = match earlier.first() {
            Some(review) => format!(
                "{more} approval of its newest commit ({} approved an earlier one)",
                review.author
            ),
            None => format!("{more} approval of its newest commit"),
        };
        readiness.lacks(
            &what,
            "request a review: cargo xtask open-pr --reviewer WHO",
        );
    } else if facts.decision.as_deref() == Some("REVIEW_REQUIRED") {
        readiness.lacks(
            &format!("a review that the rules of {} ask for", facts.base),
            "request a review: cargo xtask open-pr --reviewer WHO",
        );
    }
}

/// What GitHub's own verdict adds.
fn by_github(facts: &MergeFacts, readiness: &mut Readiness) {
    if facts.unresolved > 0 {
        let conversations = match facts.unresolved {
            1 => "1 conversation is".to_owned(),
            several => format!("{several} conversations are"),
        };
        readiness
            .notes
            .push(format!("{conversations} not resolved"));
    }
    // Its word for everything that we do not know by name.
    if readiness.missing.is_empty() && facts.merge_state == "BLOCKED" && !facts.has_queue {
        let open = match facts.unresolved {
            0 => format!("the rules of {} do not let it in yet", facts.base),
            _ => format!(
                "the rules of {} do not let it in yet; they may ask for all conversations to be resolved",
                facts.base
            ),
        };
        readiness.lacks(&open, &format!("the page says why: {}", facts.url));
    }
}
