use super::super::facts::{Branch, Check, VERSION};
use super::*;

fn check(name: &str, state: CheckState, required: bool) -> Check {
    Check {
        name: name.to_owned(),
        label: name.to_owned(),
        workflow: None,
        state,
        word: String::new(),
        required: Some(required),
        started_at: Some("2026-11-24T09:00:00Z".to_owned()),
        seconds: Some(1),
        url: None,
        job_id: None,
        run_id: None,
        summary: None,
        failure: None,
        no_log: None,
        training: None,
    }
}

fn facts(checks: Vec<Check>, missing: &[&str]) -> Facts {
    let github = GitHub {
        repository: "acme/fares".to_owned(),
        url: String::new(),
        pull_request: None,
        sha: Some("a".repeat(40)),
        checks,
        missing: missing.iter().map(|name| (*name).to_owned()).collect(),
    };
    Facts {
        version: VERSION,
        verdict: super::super::pull_request::verdict(&github),
        branch: Branch {
            head: Some("a".repeat(40)),
            pushed: Some(true),
            behind: Some(0),
            ..Branch::default()
        },
        github: Some(github),
        environments: Vec::new(),
        unknown: Vec::new(),
        may_answer_later: false,
    }
}

fn next(facts: &Facts, fail_fast: bool) -> Next {
    Watch::new().next(facts, fail_fast)
}

#[test]
fn it_waits_until_every_required_check_is_there() {
    let passed = || check("a", CheckState::Passed, true);
    assert_eq!(next(&facts(vec![passed()], &["b"]), false), Next::Wait);
    assert_eq!(next(&facts(vec![passed()], &[]), false), Next::End);
    let other = check("slow", CheckState::Pending, false);
    assert_eq!(next(&facts(vec![passed(), other], &[]), false), Next::End);
}

#[test]
fn a_failure_ends_it_once_the_others_have_ended_or_at_once_when_asked_to() {
    let failed = || check("a", CheckState::Failed, false);
    let pending = check("b", CheckState::Pending, false);
    let open = facts(vec![failed(), pending], &[]);
    assert_eq!(next(&open, false), Next::Wait);
    assert_eq!(next(&open, true), Next::End);
    assert_eq!(next(&facts(vec![failed()], &[]), false), Next::End);
}

#[test]
fn no_checks_are_waited_for_a_while() {
    assert_eq!(next(&facts(Vec::new(), &[]), false), Next::Wait);
    let mut watch = Watch::new();
    let Some(earlier) = Instant::now().checked_sub(GRACE) else {
        return;
    };
    watch.since = earlier;
    assert_eq!(watch.next(&facts(Vec::new(), &[]), false), Next::End);
}

#[test]
fn a_push_that_github_does_not_show_yet_is_waited_for() {
    let mut facts = facts(vec![check("a", CheckState::Passed, true)], &[]);
    facts.branch.head = Some("b".repeat(40));
    assert_eq!(next(&facts, false), Next::Wait);
}

#[test]
fn pauses_grow_and_heed_what_github_asks_for() {
    let mut watch = Watch::new();
    let first = watch.pause(Some(4000), None);
    let second = watch.pause(Some(4000), None);
    assert!(first == SOONEST && second > first);
    for _ in 0..20 {
        watch.pause(None, None);
    }
    assert_eq!(watch.pause(None, None), LATEST);
    assert_eq!(watch.pause(Some(10), None), SPARING);
    let hour = Duration::from_secs(3600);
    assert_eq!(watch.pause(None, Some(hour)), hour);
}

#[test]
fn what_waiting_does_not_mend_ends_it() {
    let mut facts = facts(Vec::new(), &[]);
    facts.github = None;
    facts.verdict = Verdict::Unknown;
    assert_eq!(next(&facts, false), Next::End);
    facts.may_answer_later = true;
    assert_eq!(next(&facts, false), Next::Wait);
}
