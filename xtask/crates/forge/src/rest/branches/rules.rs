//! Branch protection and rulesets.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::shapes::{merge, protection};
use crate::call::{Answer, Call, Fields, Reply};
use crate::refusal::{Found as _, Refusal};
use crate::world::{BranchRule, Permission, Repo};

fn rule<'c>(repo: &'c Repo, branch: &str) -> Result<&'c BranchRule, Refusal> {
    if repo.branch(branch).is_none() {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "Branch not found"));
    }
    let rule = repo.rules.get(branch).filter(|rule| rule.ruleset.is_none());
    rule.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "Branch not protected"))
}

pub(super) fn show_protection(call: &Call, branch: &str) -> Answer {
    let repo = call.repo(Permission::Admin)?;
    let api = call.repo_api(repo);
    Ok(Reply::json(protection(&api, branch, rule(repo, branch)?)))
}

pub(super) fn show_required_checks(call: &Call, branch: &str) -> Answer {
    let repo = call.repo(Permission::Admin)?;
    let api = call.repo_api(repo);
    let shown = protection(&api, branch, rule(repo, branch)?);
    match shown.get("required_status_checks") {
        Some(checks) => Ok(Reply::json(checks.clone())),
        None => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "Required status checks not enabled",
        )),
    }
}

pub(super) fn protect(call: &Call) -> Answer {
    let repo = call.repo(Permission::Admin)?;
    let branch = call.param("branch").strip_suffix("/protection").found()?;
    if repo.branch(branch).is_none() {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "Branch not found"));
    }
    let rule = rule_in(&call.fields())?;
    keep_rule(call, repo, branch, Some(rule.clone()))?;
    let api = call.repo_api(repo);
    Ok(Reply::json(protection(&api, branch, &rule)))
}

pub(super) fn unprotect(call: &Call) -> Answer {
    let repo = call.repo(Permission::Admin)?;
    let branch = call.param("branch").strip_suffix("/protection").found()?;
    rule(repo, branch)?;
    keep_rule(call, repo, branch, None)?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

fn keep_rule(
    call: &Call,
    repo: &Repo,
    branch: &str,
    rule: Option<BranchRule>,
) -> Result<(), Refusal> {
    call.forge.change(|world| {
        let repo = world.repos.edit(repo.id).found()?;
        match rule {
            Some(rule) => repo.rules.insert(branch.to_owned(), rule),
            None => repo.rules.remove(branch),
        };
        Ok(())
    })
}

fn rule_in(fields: &Fields<'_>) -> Result<BranchRule, Refusal> {
    let mut rule = BranchRule {
        enforce_admins: fields.flag("enforce_admins")?.unwrap_or(false),
        resolve_threads: fields
            .flag("required_conversation_resolution")?
            .unwrap_or(false),
        ..BranchRule::default()
    };
    if let Some(checks) = fields.object("required_status_checks")? {
        rule.strict = checks.flag("strict")?.unwrap_or(false);
        rule.required_checks = checks.texts("contexts")?;
        for check in checks.objects("checks")? {
            let context = check.required("context")?.to_owned();
            if !rule.required_checks.contains(&context) {
                rule.required_checks.push(context);
            }
        }
    }
    if let Some(reviews) = fields.object("required_pull_request_reviews")? {
        let count = reviews
            .number("required_approving_review_count")?
            .unwrap_or(1);
        rule.required_approvals = Some(u32::try_from(count).unwrap_or(1));
        rule.dismiss_stale = reviews.flag("dismiss_stale_reviews")?.unwrap_or(false);
        rule.code_owners = reviews.flag("require_code_owner_reviews")?.unwrap_or(false);
    }
    Ok(rule)
}

/// Rules of rulesets, which everyone may read; classic protection is not included.
pub(super) fn rules(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let rule = repo.rules.get(call.param("branch"));
    let ruled = rule.and_then(|rule| Some((rule, rule.ruleset?)));
    let rules = ruled.map_or_else(Vec::new, |(rule, _)| rules_of(rule));
    let source = ruled.map(|(_, ruleset)| {
        json!({"ruleset_source_type": "Repository", "ruleset_source": call.world.full_name(repo), "ruleset_id": ruleset})
    });
    Reply::page(call, None, rules, |rule| {
        let mut shown = rule.clone();
        merge(&mut shown, source.clone().unwrap_or_default());
        Ok(shown)
    })
}

fn rules_of(rule: &BranchRule) -> Vec<Value> {
    let mut rules = vec![
        json!({"type": "deletion"}),
        json!({"type": "non_fast_forward"}),
    ];
    if let Some(count) = rule.required_approvals {
        rules.push(json!({"type": "pull_request", "parameters": {
            "required_approving_review_count": count,
            "dismiss_stale_reviews_on_push": rule.dismiss_stale,
            "require_code_owner_review": rule.code_owners,
            "require_last_push_approval": false,
            "required_review_thread_resolution": rule.resolve_threads,
        }}));
    }
    if !rule.required_checks.is_empty() {
        let checks: Value = rule
            .required_checks
            .iter()
            .map(|context| json!({"context": context}))
            .collect();
        rules.push(json!({"type": "required_status_checks", "parameters": {
            "strict_required_status_checks_policy": rule.strict,
            "do_not_enforce_on_create": false,
            "required_status_checks": checks,
        }}));
    }
    if rule.merge_queue {
        rules.push(json!({"type": "merge_queue", "parameters": {
            "check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5,
            "max_entries_to_merge": 5, "merge_method": "MERGE", "min_entries_to_merge": 1,
            "min_entries_to_merge_wait_minutes": 5,
        }}));
    }
    rules
}

pub(super) fn rulesets(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let with_ruleset = repo
        .rules
        .iter()
        .filter_map(|(branch, rule)| Some((branch.as_str(), rule, rule.ruleset?)));
    let all: Vec<_> = with_ruleset.collect();
    Reply::page(call, None, all, |(branch, rule, id)| {
        Ok(ruleset(call, repo, branch, rule, id))
    })
}

fn ruleset(call: &Call, repo: &Repo, branch: &str, rule: &BranchRule, id: i64) -> Value {
    json!({
        "id": id,
        "name": branch,
        "target": "branch",
        "source_type": "Repository",
        "source": call.world.full_name(repo),
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [format!("refs/heads/{branch}")], "exclude": []}},
        "rules": rules_of(rule),
    })
}

pub(super) fn create_ruleset(call: &Call) -> Answer {
    let repo = call.repo(Permission::Admin)?;
    let fields = call.fields();
    fields.required("name")?;
    fields.required("enforcement")?;
    let include = match fields
        .object("conditions")?
        .map(|conditions| conditions.object("ref_name"))
        .transpose()?
        .flatten()
    {
        Some(names) => names.texts("include")?,
        None => Vec::new(),
    };
    let default = repo.default_branch.clone();
    let branch = match include.first().map(String::as_str) {
        Some("~DEFAULT_BRANCH") | None => default,
        Some(name) => name.strip_prefix("refs/heads/").unwrap_or(name).to_owned(),
    };
    let mut rule = BranchRule::default();
    for one in fields.objects("rules")? {
        let parameters = one.object("parameters")?;
        match (one.required("type")?, parameters) {
            ("required_status_checks", Some(parameters)) => {
                rule.strict = parameters
                    .flag("strict_required_status_checks_policy")?
                    .unwrap_or(false);
                for check in parameters.objects("required_status_checks")? {
                    rule.required_checks
                        .push(check.required("context")?.to_owned());
                }
            }
            ("pull_request", Some(parameters)) => {
                let count = parameters
                    .number("required_approving_review_count")?
                    .unwrap_or(0);
                rule.required_approvals = Some(u32::try_from(count).unwrap_or(0));
                rule.dismiss_stale = parameters
                    .flag("dismiss_stale_reviews_on_push")?
                    .unwrap_or(false);
                rule.code_owners = parameters
                    .flag("require_code_owner_review")?
                    .unwrap_or(false);
                rule.resolve_threads = parameters
                    .flag("required_review_thread_resolution")?
                    .unwrap_or(false);
            }
            ("merge_queue", _) => rule.merge_queue = true,
            _ => {}
        }
    }
    let id = call.forge.change(|world| {
        let id = world.next_id();
        rule.ruleset = Some(id);
        let repo = world.repos.edit(repo.id).found()?;
        repo.rules.insert(branch.clone(), rule.clone());
        Ok(id)
    })?;
    Ok(Reply::created(ruleset(call, repo, &branch, &rule, id)))
}
