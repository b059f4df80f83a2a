//! Queries over several rows.

use xtask_local_server::secret::fingerprint;

use super::{
    BranchRule, CheckRun, CheckSuite, Id, Permission, Pull, Repo, Review, ReviewState, Status,
    Token, User, Verdict, WorkflowRun, World,
};

impl World {
    /// Case-insensitive.
    pub(crate) fn user_named(&self, login: &str) -> Option<&User> {
        self.users
            .find(|user| user.login.eq_ignore_ascii_case(login))
    }

    /// `ghost` for a deleted account.
    pub(crate) fn login(&self, user: Id) -> &str {
        self.users
            .get(user)
            .map_or("ghost", |user| user.login.as_str())
    }

    pub(crate) fn token(&self, value: &str) -> Option<&Token> {
        let wanted = fingerprint(value);
        self.tokens.find(|token| token.fingerprint == wanted)
    }

    /// Case-insensitive; also by a former name that no other repository has taken.
    pub(crate) fn repo_named(&self, owner: &str, name: &str) -> Option<&Repo> {
        let named = self.user_named(owner).and_then(|owner| {
            self.repos
                .find(|repo| repo.owner == owner.id && repo.name.eq_ignore_ascii_case(name))
        });
        let full = format!("{owner}/{name}");
        let had_it = |repo: &Repo| {
            let mut names = repo.former_names.iter();
            names.any(|former| former.eq_ignore_ascii_case(&full))
        };
        named.or_else(|| self.repos.find(had_it))
    }

    /// The root of the fork network.
    pub(crate) fn root_of<'w>(&'w self, repo: &'w Repo) -> &'w Repo {
        let mut root = repo;
        while let Some(parent) = root.parent.and_then(|parent| self.repos.get(parent)) {
            root = parent;
        }
        root
    }

    pub(crate) fn full_name(&self, repo: &Repo) -> String {
        format!("{}/{}", self.login(repo.owner), repo.name)
    }

    /// `None` if the repository is hidden from the user.
    pub(crate) fn permission(&self, repo: &Repo, user: Id) -> Option<Permission> {
        if repo.owner == user {
            return Some(Permission::Admin);
        }
        let given = repo.collaborators.get(&user).copied();
        given.or((!repo.private).then_some(Permission::Read))
    }

    pub(crate) fn forks(&self, repo: Id) -> impl Iterator<Item = &Repo> {
        self.repos
            .iter()
            .filter(move |fork| fork.parent == Some(repo))
    }

    /// Oldest first.
    pub(crate) fn pulls_of(&self, repo: Id) -> impl DoubleEndedIterator<Item = &Pull> {
        self.pulls.iter().filter(move |pull| pull.repo == repo)
    }

    pub(crate) fn pull_numbered(&self, repo: Id, number: u64) -> Option<&Pull> {
        self.pulls_of(repo).find(|pull| pull.number == number)
    }

    pub(crate) fn tip(&self, repo: Id, branch: &str) -> Option<&str> {
        self.repos.get(repo)?.branch(branch)
    }

    pub(crate) fn rule(&self, repo: Id, branch: &str) -> Option<&BranchRule> {
        self.repos.get(repo)?.rules.get(branch)
    }

    /// The newest check run of each name in a suite.
    pub(crate) fn checks_of<'w>(&'w self, repo: Id, sha: &str) -> Vec<&'w CheckRun> {
        let mut latest: Vec<&CheckRun> = Vec::new();
        for check in self
            .checks
            .iter()
            .filter(|check| check.repo == repo && check.head_sha == sha)
        {
            match latest
                .iter_mut()
                .find(|known| known.suite == check.suite && known.name == check.name)
            {
                // Checks of one app may have the same name, and so may jobs of one attempt.
                Some(known) if check.run.is_none() || check.attempt > known.attempt => {
                    *known = check
                }
                _ => latest.push(check),
            }
        }
        latest
    }

    /// The newest status of each context, newest first.
    pub(crate) fn statuses_of<'w>(&'w self, repo: Id, sha: &str) -> Vec<&'w Status> {
        let mut latest: Vec<&Status> = Vec::new();
        for status in self
            .statuses
            .iter()
            .rev()
            .filter(|status| status.repo == repo && status.sha == sha)
        {
            if !latest.iter().any(|known| known.context == status.context) {
                latest.push(status);
            }
        }
        latest
    }

    /// The combined state; `None` without checks and statuses.
    pub(crate) fn verdict(&self, repo: Id, sha: &str) -> Option<Verdict> {
        let checks = self.checks_of(repo, sha).into_iter().map(CheckRun::verdict);
        let statuses = self.statuses_of(repo, sha).into_iter().map(Status::verdict);
        checks.chain(statuses).reduce(worse)
    }

    /// The state of one check, by name or context; `None` if missing.
    pub(crate) fn verdict_named(&self, repo: Id, sha: &str, name: &str) -> Option<Verdict> {
        let checks = self.checks_of(repo, sha);
        let checks = checks
            .into_iter()
            .filter(|check| check.name == name)
            .map(CheckRun::verdict);
        let statuses = self.statuses_of(repo, sha);
        let statuses = statuses
            .into_iter()
            .filter(|status| status.context == name)
            .map(Status::verdict);
        checks.chain(statuses).reduce(worse)
    }

    pub(crate) fn suites_of<'w>(
        &'w self,
        repo: Id,
        sha: &'w str,
    ) -> impl Iterator<Item = &'w CheckSuite> {
        self.suites
            .iter()
            .filter(move |suite| suite.repo == repo && suite.head_sha == sha)
    }

    /// Of one attempt, or the newest of each name.
    pub(crate) fn jobs_of(&self, run: &WorkflowRun, attempt: Option<u32>) -> Vec<&CheckRun> {
        let jobs = self.checks.iter().filter(|check| check.run == Some(run.id));
        match attempt {
            Some(attempt) => jobs.filter(|job| job.attempt == attempt).collect(),
            None => {
                let jobs: Vec<_> = jobs.collect();
                let replaced = |job: &CheckRun| {
                    jobs.iter()
                        .any(|other| other.name == job.name && other.attempt > job.attempt)
                };
                jobs.iter().copied().filter(|job| !replaced(job)).collect()
            }
        }
    }

    /// Status and conclusion, from the jobs.
    pub(crate) fn run_state(&self, run: &WorkflowRun) -> (&'static str, Option<&'static str>) {
        let jobs = self.jobs_of(run, None);
        if !run.waiting_for.is_empty() {
            return ("waiting", None);
        }
        if jobs.iter().any(|job| job.status != "completed") {
            let begun = jobs.iter().any(|job| job.status != "queued");
            return (if begun { "in_progress" } else { "queued" }, None);
        }
        let any = |wanted: &str| {
            jobs.iter()
                .any(|job| job.conclusion.as_deref() == Some(wanted))
        };
        let conclusion = match () {
            () if jobs.is_empty() && run.cancelled => "cancelled",
            () if jobs.is_empty() => return ("queued", None),
            () if any("failure") => "failure",
            () if any("timed_out") => "timed_out",
            () if any("startup_failure") => "startup_failure",
            () if any("action_required") => "action_required",
            () if any("cancelled") => "cancelled",
            () if jobs
                .iter()
                .all(|job| job.conclusion.as_deref() == Some("skipped")) =>
            {
                "skipped"
            }
            () => "success",
        };
        ("completed", Some(conclusion))
    }

    /// The newest review of each reviewer that is more than a comment, else the newest.
    pub(crate) fn latest_reviews(&self, pull: Id) -> Vec<&Review> {
        let mut latest: Vec<&Review> = Vec::new();
        for review in self.reviews.iter().filter(|review| review.pull == pull) {
            match latest
                .iter_mut()
                .find(|known| known.author == review.author)
            {
                Some(known)
                    if review.state != ReviewState::Commented
                        || known.state == ReviewState::Commented =>
                {
                    *known = review
                }
                Some(_) => {}
                None => latest.push(review),
            }
        }
        latest
    }
}

fn worse(one: Verdict, other: Verdict) -> Verdict {
    match (one, other) {
        (Verdict::Failed, _) | (_, Verdict::Failed) => Verdict::Failed,
        (Verdict::Pending, _) | (_, Verdict::Pending) => Verdict::Pending,
        _ => Verdict::Passed,
    }
}
