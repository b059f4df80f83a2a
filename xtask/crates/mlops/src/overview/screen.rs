//! The screen: the same facts for every width.

use xtask_remote::Timestamp;

use super::facts::{
    Branch, Check, CheckState, Environment, Facts, GitHub, PullRequest, Training, Unknown, Verdict,
};
use super::rows::Rows;
use super::{drift_screen, environment_screen};
use crate::check_log::FailingPart;
use crate::ui::{Tone, Ui};
use crate::words::{count, length, short};

/// Where checks stand, and what is told about them below.
const CHECK: usize = 5;
const BELOW_CHECK: usize = 14;
/// How many checks that need no look are listed one by one.
const LISTED: usize = 12;

/// Everything, as lines.
pub(super) fn whole(ui: &Ui, columns: Option<usize>, facts: &Facts, now: Timestamp) -> Vec<String> {
    let mut rows = Rows::new(ui, columns);
    branch(&mut rows, &facts.branch);
    github(&mut rows, facts);
    rows.gap();
    environment_screen::some(&mut rows, &facts.environments, facts, now);
    after_environments(&mut rows, facts);
    rows.into_lines()
}

/// What the clone itself tells, alone.
pub(super) fn local(ui: &Ui, columns: usize, facts: &Facts) -> Vec<String> {
    let mut rows = Rows::new(ui, Some(columns));
    branch(&mut rows, &facts.branch);
    rows.into_lines()
}

/// Some environments, with a line of air above.
pub(super) fn environments(
    rows: &mut Rows<'_>,
    environments: &[Environment],
    facts: &Facts,
    now: Timestamp,
) {
    rows.line(0, "");
    environment_screen::some(rows, environments, facts, now);
}

/// What is said below all environments.
pub(super) fn after_environments(rows: &mut Rows<'_>, facts: &Facts) {
    let unknown = facts.unknown.iter();
    for unknown in unknown.filter(|unknown| unknown.what == "environments") {
        rows.gap();
        rows.row("targets", &unknown_items(rows.ui, unknown));
    }
    drift_screen::not_asked(rows, &facts.environments);
}

/// What the clone itself tells.
pub(super) fn branch(rows: &mut Rows<'_>, branch: &Branch) {
    let ui = rows.ui;
    let warn = |text: String| ui.paint(&text, Tone::Warning);
    let name = match &branch.name {
        Some(name) => ui.paint(&crate::ui::safe_line(name), Tone::Accent),
        None => warn("no branch (detached head)".to_owned()),
    };
    let mut items = vec![name];
    items.push(match &branch.head {
        Some(head) => short(head).to_owned(),
        None => warn("no commit yet".to_owned()),
    });
    if branch.changed_files > 0 {
        let files = count(branch.changed_files, "file");
        items.push(warn(format!("{files} not committed")));
    }
    match (branch.pushed, branch.ahead, branch.behind) {
        (Some(true), _, behind) => {
            items.push("pushed".to_owned());
            if let Some(behind) = behind.filter(|behind| *behind > 0) {
                items.push(warn(format!("{} behind its remote", commits(behind))));
            }
        }
        (Some(false), Some(ahead), behind) => {
            items.push(warn(format!("{} not pushed", commits(ahead))));
            if let Some(behind) = behind.filter(|behind| *behind > 0) {
                items.push(warn(format!("{} behind its remote", commits(behind))));
            }
        }
        (Some(false), None, _) => items.push(warn("not pushed".to_owned())),
        (None, ..) => {}
    }
    rows.row("branch", &items);
    let Some(base) = branch
        .base
        .as_ref()
        .filter(|base| branch.name.as_ref() != Some(base))
    else {
        return;
    };
    let relation = match (branch.ahead_of_base, branch.behind_base) {
        (Some(ahead), Some(behind)) => vec![
            format!("{} ahead", commits(ahead)),
            match behind {
                0 => "up to date with it".to_owned(),
                behind => warn(format!("{} behind", commits(behind))),
            },
        ],
        _ if branch.shallow => vec![warn(
            "cannot be compared: this clone is shallow, git fetch --unshallow".to_owned(),
        )],
        _ => vec!["not in this clone".to_owned()],
    };
    let mut items = vec![crate::ui::safe_line(base)];
    items.extend(relation);
    rows.row("base", &items);
}

fn commits(number: u64) -> String {
    count(number, "commit")
}

/// What GitHub tells.
pub(super) fn github(rows: &mut Rows<'_>, facts: &Facts) {
    for unknown in facts
        .unknown
        .iter()
        .filter(|unknown| unknown.what == "github")
    {
        rows.row("github", &unknown_items(rows.ui, unknown));
    }
    let Some(github) = &facts.github else { return };
    match &github.pull_request {
        Some(pull) => pull_request(rows, pull, &facts.branch),
        None => {
            let ui = rows.ui;
            let next = format!("next: {}", ui.paint("cargo xtask open-pr", Tone::Strong));
            rows.row("pull request", &["none for this branch".to_owned(), next]);
        }
    }
    checks(rows, github, facts.verdict);
}

fn pull_request(rows: &mut Rows<'_>, pull: &PullRequest, branch: &Branch) {
    let ui = rows.ui;
    let warn = |text: String| ui.paint(&text, Tone::Warning);
    let number = ui.linked(
        &ui.paint(&format!("#{}", pull.number), Tone::Accent),
        &pull.url,
    );
    let state = match (pull.state.as_str(), pull.draft) {
        ("open", true) => "draft".to_owned(),
        ("open", false) => ui.paint("open", Tone::Good),
        ("merged", _) => ui.paint("merged", Tone::Accent),
        (state, _) => warn(state.to_owned()),
    };
    let fork = if pull.from_fork { "from a fork" } else { "" };
    let base = format!("into {}", pull.base);
    rows.row(
        "pull request",
        &[
            format!("{number} {}", pull.title),
            state,
            base,
            fork.to_owned(),
        ],
    );
    if !ui.has_links() {
        rows.row("", &[&pull.url]);
    }
    if pull.state != "open" {
        return;
    }
    if branch
        .head
        .as_ref()
        .is_some_and(|head| *head != pull.head_sha)
    {
        let text = format!(
            "its newest commit is {}, not the one checked out",
            short(&pull.head_sha)
        );
        rows.row("", &[warn(text)]);
    }
    rows.row("review", &review(ui, pull));
    rows.row("merge", &merge(ui, pull));
}

fn review(ui: &Ui, pull: &PullRequest) -> Vec<String> {
    let by = |state: &str| {
        let who: Vec<&str> = pull
            .reviews
            .iter()
            .filter(|(_, said)| said.as_str() == state)
            .map(|(who, _)| who.as_str())
            .collect();
        match who.is_empty() {
            true => String::new(),
            false => format!(" by {}", who.join(", ")),
        }
    };
    let mut items = vec![match pull.review.as_deref() {
        Some("approved") => ui.paint(&format!("approved{}", by("approved")), Tone::Good),
        Some("changes_requested") => {
            let text = format!("changes requested{}", by("changes_requested"));
            ui.paint(&text, Tone::Bad)
        }
        Some("review_required") => ui.paint("not yet approved", Tone::Warning),
        Some(other) => other.replace('_', " "),
        None if pull.reviews.is_empty() => "none asked for".to_owned(),
        None => format!("approved{}", by("approved")),
    }];
    if pull.review.is_none() && !pull.reviews.values().any(|state| state == "approved") {
        items[0] = "none asked for".to_owned();
    }
    if !pull.requested.is_empty() {
        items.push(format!("waiting for {}", pull.requested.join(", ")));
    }
    if pull.unresolved_threads > 0 {
        let open = count(pull.unresolved_threads, "open conversation");
        items.push(ui.paint(&open, Tone::Warning));
    }
    items
}

fn merge(ui: &Ui, pull: &PullRequest) -> Vec<String> {
    let mut items = vec![match pull.mergeable.as_str() {
        "conflicting" => ui.paint("conflicts with its base", Tone::Bad),
        "mergeable" => "no conflicts".to_owned(),
        _ => "GitHub is working out whether it conflicts".to_owned(),
    }];
    items.push(match pull.merge_state.as_str() {
        "clean" | "has_hooks" => ui.paint("may be merged", Tone::Good),
        "blocked" => "blocked by the branch's rules".to_owned(),
        "behind" => ui.paint("behind its base", Tone::Warning),
        "unstable" => "may be merged; a check that is not required failed".to_owned(),
        _ => String::new(),
    });
    if let Some(method) = &pull.auto_merge {
        items.push(format!("merges itself when it may ({method})"));
    }
    if let Some(position) = pull.queue_position {
        items.push(format!("number {position} in the merge queue"));
    }
    items
}

/// The checks: a summary, those that need a look one by one, the others as far as there is room.
fn checks(rows: &mut Rows<'_>, github: &GitHub, verdict: Verdict) {
    let ui = rows.ui;
    let number = |state: CheckState| {
        github
            .checks
            .iter()
            .filter(|check| check.state == state)
            .count()
    };
    let counted = [
        (CheckState::Failed, "failed", Tone::Bad),
        (CheckState::Pending, "pending", Tone::Warning),
        (CheckState::Passed, "passed", Tone::Good),
        (CheckState::Skipped, "skipped", Tone::Dim),
    ];
    let mut items: Vec<String> = counted
        .iter()
        .filter(|(state, ..)| number(*state) > 0)
        .map(|(state, word, tone)| ui.paint(&format!("{} {word}", number(*state)), *tone))
        .collect();
    if !github.missing.is_empty() {
        let text = format!("not there yet: {}", github.missing.join(", "));
        items.push(ui.paint(&text, Tone::Warning));
    }
    if items.is_empty() {
        items.push("none".to_owned());
    }
    if let Some(sha) = &github.sha {
        items.push(format!("of {}", short(sha)));
    }
    let only_others = verdict == Verdict::Passed && number(CheckState::Failed) > 0;
    if only_others {
        items.push("the required ones passed".to_owned());
    }
    rows.row("checks", &items);
    let quiet = number(CheckState::Passed) + number(CheckState::Skipped);
    for one in &github.checks {
        let needs_a_look = matches!(one.state, CheckState::Failed | CheckState::Pending);
        if needs_a_look || quiet <= LISTED {
            check(rows, one);
        }
    }
}

fn check(rows: &mut Rows<'_>, check: &Check) {
    let ui = rows.ui;
    let (word, tone) = match check.state {
        CheckState::Failed => ("failed", Tone::Bad),
        CheckState::Pending => ("pending", Tone::Warning),
        CheckState::Passed => ("passed", Tone::Good),
        CheckState::Skipped => ("skipped", Tone::Dim),
    };
    let name = ui.linked(&check.label, check.url.as_deref().unwrap_or_default());
    let mut text = format!("{}  {name}", ui.paint(&format!("{word:<7}"), tone));
    // GitHub's word where it says more than ours: cancelled, timed out, queued.
    let known = [
        "failure",
        "error",
        "success",
        "skipped",
        "pending",
        "in_progress",
    ];
    if !known.contains(&check.word.as_str()) {
        text.push_str(&format!("  {}", check.word.replace('_', " ")));
    }
    if let Some(seconds) = check.seconds {
        text.push_str(&ui.paint(&format!("  {}", length(seconds)), Tone::Dim));
    }
    if check.required == Some(true) {
        text.push_str(&ui.paint("  required", Tone::Dim));
    }
    rows.line(CHECK, &text);
    if check.state != CheckState::Failed {
        return;
    }
    if let Some(training) = &check.training {
        followed(rows, training);
    }
    match (&check.failure, &check.no_log, &check.summary) {
        (Some(part), ..) => failing_part(rows, part),
        (None, Some(why), _) => rows.line(BELOW_CHECK, &ui.paint(why, Tone::Dim)),
        (None, None, Some(summary)) => {
            for line in summary.lines().take(5) {
                rows.line(BELOW_CHECK, line);
            }
        }
        (None, None, None) => {}
    }
    if check.job_id.is_some() {
        let name = check.label.replace('\'', r"'\''");
        let next = format!(
            "{} cargo xtask logs 'check:{name}'",
            ui.paint("next:", Tone::Good)
        );
        rows.line(BELOW_CHECK, &next);
    } else if let Some(url) = check.url.as_ref().filter(|_| !ui.has_links()) {
        rows.line(BELOW_CHECK, url);
    }
}

fn failing_part(rows: &mut Rows<'_>, part: &FailingPart) {
    let ui = rows.ui;
    if let Some(step) = &part.step {
        rows.line(BELOW_CHECK, &ui.paint(step, Tone::Dim));
    }
    for finding in &part.findings {
        let mut head = ui.paint(&finding.tool, Tone::Strong);
        for text in [&finding.name, &finding.place].into_iter().flatten() {
            head.push_str(&format!("  {text}"));
        }
        rows.line(BELOW_CHECK, &head);
        // What is wrong stands in the lines already, as a rule.
        if !finding
            .lines
            .iter()
            .any(|line| line.contains(finding.what.as_str()))
        {
            rows.line(BELOW_CHECK + 2, &ui.paint(&finding.what, Tone::Bad));
        }
        for line in &finding.lines {
            let bad = line.contains(finding.what.as_str());
            let line = if bad {
                ui.paint(line, Tone::Bad)
            } else {
                line.clone()
            };
            rows.line(BELOW_CHECK + 2, &line);
        }
    }
    if part.more > 0 {
        rows.line(
            BELOW_CHECK,
            &ui.paint(&format!("and {} more", part.more), Tone::Dim),
        );
    }
}

/// The chain from the check to what its training job made.
fn followed(rows: &mut Rows<'_>, training: &Training) {
    let ui = rows.ui;
    let target = training.target.as_deref().unwrap_or("a target");
    let mut items = Vec::new();
    if let Some(run) = &training.job_run {
        let run_id = ui.linked(&format!("job run {}", run.run_id), &run.url);
        items.push(format!("{run_id} on {target} {}", run.result));
    }
    if let Some(task) = &training.failed_task {
        items.push(format!("task {task}"));
    }
    if let Some(run) = &training.mlflow_run {
        items.push(ui.linked(&format!("MLflow run {}", short(&run.run_id)), &run.url));
    }
    if let Some(model) = &training.model {
        items.push(ui.linked(
            &format!("{} version {}", model.name, model.version),
            &model.url,
        ));
    }
    if !items.is_empty() {
        rows.line(BELOW_CHECK, &items.join(" → "));
    }
}

/// Something that is not known, as items of a row.
pub(super) fn unknown_items(ui: &Ui, unknown: &Unknown) -> Vec<String> {
    let text = format!("unknown ({})", unknown.reason);
    let mut items = vec![ui.paint(&text, Tone::Warning)];
    if let Some(next) = &unknown.next {
        items.push(format!("next: {}", ui.paint(next, Tone::Strong)));
    }
    items
}
