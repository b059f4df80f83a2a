//! Refs, and the rules of branches.

use super::commits::{object, thing};
use super::object::{Args, Given, Out, Scope, Thing, leaf, unanswered};
use super::pulls;
use super::records::page;
use crate::refusal::{Found as _, Refusal};
use crate::world::{BranchRule, Id, Permission, Pull, Repo};

pub(super) fn branch_ref(repo: &Repo, branch: &str) -> Option<Thing> {
    repo.branch(branch)?;
    Some(Thing::Ref(repo.id, format!("refs/heads/{branch}")))
}

pub(super) fn ref_named(repo: &Repo, name: &str) -> Option<Thing> {
    let candidates = [
        name.to_owned(),
        format!("refs/{name}"),
        format!("refs/heads/{name}"),
        format!("refs/tags/{name}"),
    ];
    let found = candidates
        .into_iter()
        .find(|candidate| repo.refs.contains_key(candidate))?;
    Some(Thing::Ref(repo.id, found))
}

pub(super) fn refs(repo: &Repo, args: &Args) -> Given {
    let prefix = args.text("refPrefix").unwrap_or_default();
    let query = args.text("query").unwrap_or_default();
    let fits = |name: &&String| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| rest.contains(query))
    };
    let mut all: Vec<Thing> = repo
        .refs
        .keys()
        .filter(fits)
        .map(|name| Thing::Ref(repo.id, name.clone()))
        .collect();
    if args.text("direction") == Some("DESC") {
        all.reverse();
    }
    page(all, args)
}

pub(super) fn git_ref(scope: &Scope, repo: Id, full: &str, name: &str, args: &Args) -> Given {
    let row = scope.repo(repo)?;
    let sha = row.refs.get(full).cloned();
    let branch = full.strip_prefix("refs/heads/");
    let rule = branch.and_then(|branch| Some((branch, row.rules.get(branch)?)));
    let (prefix, short) = match full.splitn(3, '/').collect::<Vec<_>>().as_slice() {
        [refs, kind, short] => (format!("{refs}/{kind}/"), (*short).to_owned()),
        _ => (String::new(), full.to_owned()),
    };
    Ok(match name {
        "id" => leaf(format!("REF_kwF{repo}_{full}")),
        "name" => leaf(short),
        "prefix" => leaf(prefix),
        "repository" => Out::One(Thing::Repo(repo)),
        "target" => Out::maybe(sha.map(|sha| thing(repo, &sha))),
        "compare" => {
            let head = object(scope, repo, args.text("headRef").unwrap_or_default())?;
            match (sha, head) {
                (Some(base), Some(Thing::Commit(_, head))) => {
                    Out::One(Thing::Comparison(repo, base, head))
                }
                _ => Out::NULL,
            }
        }
        "refUpdateRule" => {
            Out::maybe(rule.map(|(branch, _)| Thing::UpdateRule(repo, branch.to_owned())))
        }
        "branchProtectionRule" => {
            let visible = scope.permission(row) >= Some(Permission::Write);
            let classic = rule.filter(|(_, rule)| rule.ruleset.is_none() && visible);
            Out::maybe(classic.map(|(branch, _)| Thing::ProtectionRule(repo, branch.to_owned())))
        }
        "associatedPullRequests" => {
            let from = |pull: &&Pull| {
                pull.head_repo == Some(repo) && Some(pull.head_ref.as_str()) == branch
            };
            return pulls::list(scope, scope.world.pulls.iter().filter(from).collect(), args);
        }
        _ => return unanswered("Ref", name),
    })
}

fn rule<'s>(scope: &'s Scope, repo: Id, branch: &str) -> Result<&'s BranchRule, Refusal> {
    scope.world.rule(repo, branch).found()
}

pub(super) fn update_rule(scope: &Scope, repo: Id, branch: &str, name: &str) -> Given {
    let rule = rule(scope, repo, branch)?;
    Ok(match name {
        "pattern" => leaf(branch),
        "allowsDeletions" | "allowsForcePushes" => leaf(false),
        "requiredApprovingReviewCount" => leaf(rule.required_approvals),
        "requiredStatusCheckContexts" => leaf(&rule.required_checks),
        "requiresCodeOwnerReviews" => leaf(rule.code_owners),
        "requiresConversationResolution" => leaf(rule.resolve_threads),
        "viewerCanPush" => {
            leaf(rule.required_approvals.is_none() && rule.required_checks.is_empty())
        }
        _ => return unanswered("RefUpdateRule", name),
    })
}

pub(super) fn protection_rule(scope: &Scope, repo: Id, branch: &str, name: &str) -> Given {
    let rule = rule(scope, repo, branch)?;
    Ok(match name {
        "id" => leaf(format!("BPR_kwF{repo}_{branch}")),
        "pattern" => leaf(branch),
        "isAdminEnforced" => leaf(rule.enforce_admins),
        "dismissesStaleReviews" => leaf(rule.dismiss_stale),
        "requiresApprovingReviews" => leaf(rule.required_approvals.is_some()),
        "requiredApprovingReviewCount" => leaf(rule.required_approvals),
        "requiresStatusChecks" => leaf(!rule.required_checks.is_empty() || rule.strict),
        "requiredStatusCheckContexts" => leaf(&rule.required_checks),
        "requiresStrictStatusChecks" => leaf(rule.strict),
        "requiresCodeOwnerReviews" => leaf(rule.code_owners),
        "requiresConversationResolution" => leaf(rule.resolve_threads),
        _ => return unanswered("BranchProtectionRule", name),
    })
}
