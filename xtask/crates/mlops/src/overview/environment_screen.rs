//! The environments on the screen: what is deployed, which model is in use, what ran last.

use xtask_remote::Timestamp;

use super::drift_screen;
use super::facts::{Deployment, Environment, Facts, LastRun, Monitoring, Unknown, Version};
use super::links_screen;
use super::rows::Rows;
use super::screen::unknown_items;
use crate::ui::{Tone, Ui, safe_line};
use crate::words::{ago, chart, count, short};

/// Some of them. Those of which nothing is known for one and the same reason share a row.
pub(super) fn some(
    rows: &mut Rows<'_>,
    environments: &[Environment],
    facts: &Facts,
    now: Timestamp,
) {
    let mut told: Vec<&Unknown> = Vec::new();
    for environment in environments {
        let Some(unknown) = nothing_known(environment) else {
            rows.gap();
            one(rows, environment, facts, now);
            continue;
        };
        let same =
            |other: &Unknown| (&other.reason, &other.next) == (&unknown.reason, &unknown.next);
        if told.iter().any(|other| same(other)) {
            continue;
        }
        told.push(unknown);
        let names: Vec<&str> = environments
            .iter()
            .filter(|other| nothing_known(other).is_some_and(same))
            .map(|other| other.target.as_str())
            .collect();
        rows.gap();
        let mut items = vec![names.join(", ")];
        items.extend(unknown_items(rows.ui, unknown));
        rows.row("targets", &items);
    }
}

fn nothing_known(environment: &Environment) -> Option<&Unknown> {
    environment
        .unknown
        .first()
        .filter(|_| environment.deployed.is_none())
}

/// One environment.
pub(super) fn one(rows: &mut Rows<'_>, environment: &Environment, facts: &Facts, now: Timestamp) {
    let ui = rows.ui;
    let Some(deployment) = &environment.deployment else {
        let text = ui.paint("not deployed", Tone::Dim);
        rows.row(&environment.target, &[text]);
        return;
    };
    rows.row(&environment.target, &deployed(ui, deployment, now));
    let metric = environment.metric.as_deref();
    for (name, version, tone) in [
        ("champion", &environment.champion, Tone::Good),
        ("challenger", &environment.challenger, Tone::Accent),
    ] {
        if let Some(version) = version {
            let mut items = model(ui, name, tone, version, metric, now);
            if let Some(trend) = environment.trend.as_ref().filter(|_| name == "champion") {
                items.push(ui.paint(&chart(&trend.values), Tone::Accent));
            }
            rows.row("", &items);
        }
    }
    if environment.champion.is_none() && !is_unknown(environment, "champion") {
        rows.row("", &[ui.paint("no champion yet", Tone::Dim)]);
    }
    let runs = [
        ("training", &environment.training),
        ("inference", &environment.inference),
    ];
    let runs: Vec<String> = runs
        .into_iter()
        .filter_map(|(name, run)| Some(last_run(ui, name, run.as_ref()?, now)))
        .collect();
    rows.row("", &runs);
    if let Some(found) = &environment.monitoring {
        monitoring(rows, found, now);
    }
    if let Some(links) = &environment.links {
        links_screen::rows(rows, &environment.target, links);
    }
    if let Some(drift) = &environment.drift {
        let changed_files = facts.branch.changed_files;
        drift_screen::rows(rows, &environment.target, drift, changed_files);
    }
    trained_by_a_check(rows, environment, facts);
    for unknown in &environment.unknown {
        let mut items = unknown_items(ui, unknown);
        items[0] = format!("{}: {}", unknown.what, items[0]);
        rows.row("", &items);
    }
    if let Some(champion) = environment.champion.as_ref().filter(|_| !ui.has_links()) {
        rows.row("", &[&champion.url]);
    }
}

fn is_unknown(environment: &Environment, what: &str) -> bool {
    environment
        .unknown
        .iter()
        .any(|unknown| unknown.what == what)
}

fn deployed(ui: &Ui, deployment: &Deployment, now: Timestamp) -> Vec<String> {
    let commit = match &deployment.commit {
        Some(commit) => short(&safe_line(commit)).to_owned(),
        None => ui.paint("a commit that is not known", Tone::Warning),
    };
    let edits = deployment.edits.as_deref().map(safe_line);
    let commit = match &edits {
        Some(edits) => format!(
            "{commit} {}",
            ui.paint(&format!("+ {edits}"), Tone::Warning)
        ),
        None => commit,
    };
    let branch = deployment
        .branch
        .as_deref()
        .map(safe_line)
        .unwrap_or_default();
    let at = deployment
        .at
        .as_deref()
        .map(|at| ago(at, now))
        .unwrap_or_default();
    let with = deployment
        .compared_with
        .as_deref()
        .map(safe_line)
        .unwrap_or_default();
    let commits = |number| count(number, "commit");
    let relation = match (deployment.ahead, deployment.behind) {
        (Some(0), Some(0)) if edits.is_some() => format!("is {with} with edits"),
        (Some(0), Some(0)) => ui.paint(&format!("is {with}"), Tone::Good),
        (Some(0), Some(behind)) => {
            ui.paint(&format!("{} behind {with}", commits(behind)), Tone::Warning)
        }
        (Some(ahead), Some(0)) => format!("{} ahead of {with}", commits(ahead)),
        (Some(ahead), Some(behind)) => ui.paint(
            &format!(
                "{} ahead of {with}, {} behind",
                commits(ahead),
                commits(behind)
            ),
            Tone::Warning,
        ),
        _ if deployment.commit.is_some() => {
            ui.paint("not in this clone; next: git fetch", Tone::Warning)
        }
        _ => String::new(),
    };
    vec![commit, branch, at, relation]
}

fn model(
    ui: &Ui,
    name: &str,
    tone: Tone,
    version: &Version,
    metric: Option<&str>,
    now: Timestamp,
) -> Vec<String> {
    let number = format!("{} version {}", ui.paint(name, tone), version.version);
    let metric = metric
        .and_then(|metric| Some((metric, version.metrics.get(metric)?)))
        .map(|(name, value)| format!("{} {value}", safe_line(name)))
        .unwrap_or_default();
    let verdict = match version.verdict.as_deref() {
        Some("rejected") => {
            let why = version.reason.as_deref().map(safe_line).unwrap_or_default();
            ui.paint(&format!("rejected: {why}"), Tone::Bad)
        }
        Some(verdict) => verdict.to_owned(),
        None => ui.paint("no verdict here", Tone::Warning),
    };
    let age = version
        .created_at
        .as_deref()
        .map(|at| ago(at, now))
        .unwrap_or_default();
    vec![ui.linked(&number, &version.url), metric, verdict, age]
}

fn last_run(ui: &Ui, name: &str, run: &LastRun, now: Timestamp) -> String {
    let tone = match run.ok {
        Some(true) => Tone::Good,
        Some(false) => Tone::Bad,
        None => Tone::Warning,
    };
    let result = ui.linked(&ui.paint(&safe_line(&run.result), tone), &run.url);
    let at = run
        .started_at
        .as_deref()
        .map(|at| ago(at, now))
        .unwrap_or_default();
    format!("{name} {result} {at}").trim_end().to_owned()
}

fn monitoring(rows: &mut Rows<'_>, found: &Monitoring, now: Timestamp) {
    let ui = rows.ui;
    let at = found
        .at
        .as_deref()
        .map(|at| ago(at, now))
        .unwrap_or_default();
    let version = found
        .version
        .map(|version| format!("version {version}"))
        .unwrap_or_default();
    let state = match found.beyond_limits {
        true => ui.paint("beyond limits", Tone::Bad),
        false => ui.paint("within limits", Tone::Good),
    };
    rows.row("", &[format!("monitoring {state}"), version, at]);
    if found.beyond_limits {
        rows.row("", &[safe_line(&found.reason)]);
    }
}

/// The metrics of the version that a check of this branch trained, beside the champion's.
fn trained_by_a_check(rows: &mut Rows<'_>, environment: &Environment, facts: &Facts) {
    let checks = facts.github.iter().flat_map(|github| &github.checks);
    let trained = checks
        .filter_map(|check| check.training.as_ref())
        .filter(|training| training.target.as_deref() == Some(environment.target.as_str()))
        .find_map(|training| training.model.as_ref());
    let (Some(trained), Some(champion)) = (trained, &environment.champion) else {
        return;
    };
    let metrics = trained.metrics.iter().filter_map(|(name, value)| {
        let before = champion.metrics.get(name)?;
        Some(format!("{} {value} beside {before}", safe_line(name)))
    });
    let mut items = vec![format!("version {} of the check", trained.version)];
    items.extend(metrics.take(3));
    rows.row("", &items);
}
