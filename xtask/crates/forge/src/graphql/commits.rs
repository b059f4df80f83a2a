//! Commits and comparisons.

use super::object::{Args, Given, Out, Scope, Thing, leaf, record, unanswered};
use super::people::git_actor;
use super::records::page;
use crate::clock::Time;
use crate::refusal::Refusal;
use crate::world::{Id, Repo};

pub(super) fn thing(repo: Id, sha: &str) -> Thing {
    Thing::Commit(repo, sha.to_owned())
}

pub(super) fn commit(scope: &Scope, repo: Id, sha: &str, name: &str, args: &Args) -> Given {
    let git = &scope.forge.git;
    let row = scope.repo(repo)?;
    let path = format!("/{}/commit/{sha}", scope.world.full_name(row));
    // Fields that follow from the hash alone need no git process.
    match name {
        "oid" => return Ok(leaf(sha)),
        "abbreviatedOid" => return Ok(leaf(&sha[..sha.len().min(7)])),
        "id" => return Ok(leaf(format!("C_kwF{repo}_{sha}"))),
        "url" | "commitUrl" => return Ok(leaf(format!("{}{path}", scope.links.web))),
        "resourcePath" | "commitResourcePath" => return Ok(leaf(path)),
        "repository" => return Ok(Out::One(Thing::Repo(repo))),
        "statusCheckRollup" => {
            let known = scope.world.verdict(repo, sha).is_some();
            return Ok(Out::maybe(
                known.then(|| Thing::Rollup(repo, sha.to_owned())),
            ));
        }
        "status" => {
            let known = !scope.world.statuses_of(repo, sha).is_empty();
            return Ok(Out::maybe(
                known.then(|| Thing::CombinedStatus(repo, sha.to_owned())),
            ));
        }
        "checkSuites" => return suites(scope, repo, sha, args),
        "associatedPullRequests" => return pulls_with(scope, row, sha, args),
        "deployments" => {
            let at = scope
                .world
                .deployments
                .iter()
                .filter(|one| one.repo == repo && one.sha == sha);
            return super::actions::deployments(at.collect(), args);
        }
        _ => {}
    }
    let commit = git.commit(repo, sha)?;
    let (headline, body) = commit
        .message
        .split_once('\n')
        .unwrap_or((&commit.message, ""));
    let time = |date: &str| leaf(Time::parse(date).unwrap_or_default().to_string());
    Ok(match name {
        "message" => leaf(&commit.message),
        "messageHeadline" => leaf(headline),
        "messageBody" => leaf(body.trim_start()),
        "authoredDate" => time(&commit.author.date),
        "committedDate" => time(&commit.committer.date),
        "author" => Out::One(git_actor(scope, &commit.author)),
        "committer" => Out::One(git_actor(scope, &commit.committer)),
        "authors" => {
            return page(vec![git_actor(scope, &commit.author)], args);
        }
        "parents" => {
            let parents = commit.parents.iter().map(|parent| thing(repo, parent));
            return page(parents, args);
        }
        "history" => {
            let all = git.history(repo, sha)?;
            return page(all.iter().map(|sha| thing(repo, sha)), args);
        }
        "additions" | "deletions" | "changedFilesIfAvailable" => {
            let files = match commit.parents.first() {
                Some(parent) => git.changes(repo, parent, sha)?,
                None => Vec::new(),
            };
            match name {
                "additions" => leaf(files.iter().map(|file| file.additions).sum::<u64>()),
                "deletions" => leaf(files.iter().map(|file| file.deletions).sum::<u64>()),
                _ => leaf(files.len()),
            }
        }
        _ => return unanswered("Commit", name),
    })
}

fn suites(scope: &Scope, repo: Id, sha: &str, args: &Args) -> Given {
    let filter = args.object("filterBy");
    let wanted = |suite: &&crate::world::CheckSuite| {
        filter
            .number("appId")
            .is_none_or(|app| i64::try_from(app) == Ok(suite.app.id))
            && filter.text("checkName").is_none_or(|name| {
                scope
                    .world
                    .checks
                    .find(|check| check.suite == suite.id && check.name == name)
                    .is_some()
            })
    };
    let all = scope
        .world
        .suites_of(repo, sha)
        .filter(wanted)
        .map(|suite| Thing::Suite(suite.id));
    page(all, args)
}

fn pulls_with(scope: &Scope, repo: &Repo, sha: &str, args: &Args) -> Given {
    let git = &scope.forge.git;
    let mut all = Vec::new();
    for pull in scope.world.pulls_of(repo.id) {
        let is_merge = pull
            .merged
            .as_ref()
            .is_some_and(|merged| merged.commit == sha);
        if pull.head_sha == sha
            || is_merge
            || git
                .log(repo.id, &pull.base_sha, &pull.head_sha)?
                .iter()
                .any(|one| one == sha)
        {
            all.push(Thing::Pull(pull.id));
        }
    }
    page(all, args)
}

pub(super) fn comparison(
    scope: &Scope,
    repo: Id,
    (base, head): (&str, &str),
    name: &str,
    args: &Args,
) -> Given {
    let git = &scope.forge.git;
    let distance = git.distance(repo, base, head)?;
    Ok(match name {
        "id" => leaf(format!("CP_kwF{repo}_{base}_{head}")),
        "aheadBy" => leaf(distance.ahead),
        "behindBy" => leaf(distance.behind),
        "status" => leaf(match (distance.ahead, distance.behind) {
            (0, 0) => "IDENTICAL",
            (_, 0) => "AHEAD",
            (0, _) => "BEHIND",
            _ => "DIVERGED",
        }),
        "baseTarget" => Out::One(thing(repo, base)),
        "headTarget" => Out::One(thing(repo, head)),
        "commits" => {
            let all = git.log(repo, base, head)?;
            return page(all.iter().map(|sha| thing(repo, sha)), args);
        }
        _ => return unanswered("Comparison", name),
    })
}

/// Changed files of a pull request.
pub(super) fn files(scope: &Scope, repo: Id, base: &str, head: &str, args: &Args) -> Given {
    let changes = scope.forge.git.changes(repo, base, head)?;
    let file = |file: &crate::git::FileChange| {
        let kind = match file.status {
            "added" => "ADDED",
            "removed" => "DELETED",
            _ => "MODIFIED",
        };
        record(vec![
            ("path", leaf(&file.path)),
            ("additions", leaf(file.additions)),
            ("deletions", leaf(file.deletions)),
            ("changeType", leaf(kind)),
        ])
    };
    page(changes.iter().map(file), args)
}

/// The commit of a git expression (`main`, a hash, `main:README.md`).
pub(super) fn object(scope: &Scope, repo: Id, expression: &str) -> Result<Option<Thing>, Refusal> {
    let row = scope.repo(repo)?;
    let known = row.branch(expression).map(str::to_owned);
    let sha = known.or_else(|| scope.forge.git.resolve(repo, expression));
    Ok(sha.map(|sha| thing(repo, &sha)))
}
