//! What tests do with a forge: people, repositories, and what others do to a pull request meanwhile.

use serde_json::{Value, json};

use super::{Account, Asked, Forge, Repository, Run};

impl Forge {
    /// Makes an account.
    ///
    /// # Panics
    /// When the forge refuses.
    #[must_use]
    pub fn user(&self, login: &str) -> Account {
        let body = json!({"login": login, "name": login, "email": format!("{login}@example.com")});
        account(self.control("POST", "/users", &body))
    }

    /// Makes an account of another kind: `Bot` or `Organization`.
    ///
    /// # Panics
    /// When the forge refuses.
    #[must_use]
    pub fn account(&self, login: &str, kind: &str) -> Account {
        account(self.control("POST", "/users", &json!({"login": login, "kind": kind})))
    }

    /// The same account with another token, which may only read.
    ///
    /// # Panics
    /// When the forge refuses.
    #[must_use]
    pub fn reader(&self, of: &Account) -> Account {
        let path = format!("/users/{}/tokens", of.login);
        let reply = self.control("POST", &path, &json!({"access": "read"}));
        let token = reply["token"].as_str().expect("a token").to_owned();
        Account {
            token,
            ..of.clone()
        }
    }

    /// A link that signs a browser in as somebody, once, and leads to a page.
    ///
    /// # Panics
    /// When the forge refuses.
    #[must_use]
    pub fn sign_in(&self, account: &Account, page: &str) -> String {
        let path = format!("/users/{}/sign-in", account.login);
        let reply = self.control("POST", &path, &json!({"next": page}));
        reply["url"].as_str().expect("a link").to_owned()
    }

    /// Makes an empty, public repository.
    ///
    /// # Panics
    /// When the forge refuses.
    #[must_use]
    pub fn repository(&self, owner: &Account, name: &str) -> Repository {
        self.repository_with(owner, &json!({"owner": owner.login, "name": name}))
    }

    /// Makes a repository as `body` says: `owner`, `name`, `private`, `default_branch`, `fork_of`.
    ///
    /// # Panics
    /// When the forge refuses.
    #[must_use]
    pub fn repository_with(&self, owner: &Account, body: &Value) -> Repository {
        let reply = self.control("POST", "/repositories", body);
        let full_name = reply["full_name"].as_str().expect("a name").to_owned();
        let clone_url = format!("{}/{full_name}.git", self.url());
        Repository {
            full_name,
            clone_url,
            owner: owner.clone(),
        }
    }

    /// Makes somebody's fork of a repository.
    ///
    /// # Panics
    /// When the forge refuses.
    #[must_use]
    pub fn fork(&self, repository: &Repository, owner: &Account) -> Repository {
        let name = repository
            .full_name
            .split('/')
            .next_back()
            .unwrap_or_default();
        self.repository_with(
            owner,
            &json!({"owner": owner.login, "name": name, "fork_of": repository.full_name}),
        )
    }

    /// Gives somebody a permission: `read`, `triage`, `write`, `maintain`, `admin` or `none`.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn permit(&self, repository: &Repository, account: &Account, permission: &str) {
        let body = json!({"login": account.login, "permission": permission});
        self.control("POST", &below(repository, "permissions"), &body);
    }

    /// Pushes a commit in somebody's name: one file, on top of a branch, which is made where it is missing.
    /// Returns its hash.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn commit(
        &self,
        repository: &Repository,
        by: &Account,
        branch: &str,
        path: &str,
        content: &str,
        message: &str,
    ) -> String {
        let body = json!({"login": by.login, "branch": branch, "path": path, "content": content, "message": message});
        let reply = self.control("POST", &below(repository, "commits"), &body);
        reply["sha"].as_str().expect("a hash").to_owned()
    }

    /// Opens a pull request into `main`. Returns its number.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn pull_request(
        &self,
        repository: &Repository,
        by: &Account,
        head: &str,
        title: &str,
    ) -> u64 {
        let path = format!("/repos/{}/pulls", repository.full_name);
        let (status, reply) = self.rest(
            by,
            "POST",
            &path,
            &json!({"title": title, "head": head, "base": "main"}),
        );
        assert_eq!(status, 201, "{reply}");
        reply["number"].as_u64().expect("a number")
    }

    /// Reviews a pull request: `APPROVE`, `REQUEST_CHANGES` or `COMMENT`.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn review(
        &self,
        repository: &Repository,
        number: u64,
        by: &Account,
        event: &str,
        body: &str,
    ) {
        let path = format!("/repos/{}/pulls/{number}/reviews", repository.full_name);
        let (status, reply) = self.rest(by, "POST", &path, &json!({"event": event, "body": body}));
        assert_eq!(status, 200, "{reply}");
    }

    /// Protects a branch: checks that must be green, and approvals that are needed (0: none).
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn protect(&self, repository: &Repository, branch: &str, checks: &[&str], approvals: u32) {
        let reviews =
            json!({"required_approving_review_count": approvals, "dismiss_stale_reviews": true});
        self.protect_with(
            repository,
            branch,
            &json!({
                "required_status_checks": {"strict": false, "contexts": checks},
                "enforce_admins": true,
                "required_pull_request_reviews": if approvals > 0 { reviews } else { Value::Null },
                "restrictions": null,
            }),
        );
    }

    /// Protects a branch as GitHub's `PUT branches/BRANCH/protection` says.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn protect_with(&self, repository: &Repository, branch: &str, rule: &Value) {
        let path = format!(
            "/repos/{}/branches/{branch}/protection",
            repository.full_name
        );
        let (status, reply) = self.rest(&repository.owner, "PUT", &path, rule);
        assert_eq!(status, 200, "{reply}");
    }

    /// Reports a workflow run: `workflow`, `event`, `head_sha`, and `jobs`, each with `name` and what is known of
    /// it (`status`, `conclusion`, `seconds`, `steps`, `log`, `annotations`, `title`, `summary`, `environment`).
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn run(&self, repository: &Repository, report: &Value) -> Run {
        let reply = self.control("POST", &below(repository, "runs"), report);
        serde_json::from_value(reply).expect("a run")
    }

    /// Reports a workflow run `CI` with one job for each pair of name and conclusion; `""` is still under way.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn checks(&self, repository: &Repository, sha: &str, jobs: &[(&str, &str)]) -> Run {
        let job = |(name, conclusion): &(&str, &str)| match *conclusion {
            "" => json!({"name": name, "status": "in_progress"}),
            conclusion => {
                json!({"name": name, "conclusion": conclusion, "seconds": 42, "log": "done\n"})
            }
        };
        let jobs: Vec<Value> = jobs.iter().map(job).collect();
        self.run(
            repository,
            &json!({"workflow": "CI", "head_sha": sha, "jobs": jobs}),
        )
    }

    /// Reports jobs of a run that has begun, as one does that was dispatched; fields as of [`Forge::run`].
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn jobs(&self, repository: &Repository, run: i64, reports: &Value) -> Run {
        let path = below(repository, &format!("runs/{run}/jobs"));
        let reply = self.control("POST", &path, reports);
        serde_json::from_value(reply).expect("a run")
    }

    /// Makes an environment whose jobs wait until one of these people agrees. Returns its number.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn environment(&self, repository: &Repository, name: &str, reviewers: &[&Account]) -> i64 {
        let path = format!("/repos/{}/environments/{name}", repository.full_name);
        let reviewers: Vec<Value> = reviewers
            .iter()
            .map(|account| json!({"type": "User", "id": account.id}))
            .collect();
        let rule = json!({"wait_timer": 0, "prevent_self_review": true, "reviewers": reviewers,
            "deployment_branch_policy": null});
        let (status, reply) = self.rest(&repository.owner, "PUT", &path, &rule);
        assert_eq!(status, 200, "{reply}");
        reply["id"].as_i64().expect("a number")
    }

    /// Lets a run go on into an environment (`approved`), or not (`rejected`).
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn decide(
        &self,
        repository: &Repository,
        run: i64,
        environment: i64,
        by: &Account,
        state: &str,
    ) {
        let path = format!(
            "/repos/{}/actions/runs/{run}/pending_deployments",
            repository.full_name
        );
        let body = json!({"environment_ids": [environment], "state": state, "comment": "seen"});
        let (status, reply) = self.rest(by, "POST", &path, &body);
        assert_eq!(status, 200, "{reply}");
    }

    /// Reports what became of a job: the same fields.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn job(&self, repository: &Repository, job: i64, report: &Value) {
        self.control("POST", &below(repository, &format!("jobs/{job}")), report);
    }

    /// Sets a commit status.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn status(&self, repository: &Repository, sha: &str, context: &str, state: &str) {
        let path = format!("/repos/{}/statuses/{sha}", repository.full_name);
        let body = json!({"context": context, "state": state});
        let (status, reply) = self.rest(&repository.owner, "POST", &path, &body);
        assert_eq!(status, 201, "{reply}");
    }

    /// Merges what is first in a branch's merge queue. Returns its number.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn advance_queue(&self, repository: &Repository, branch: &str) -> Option<u64> {
        let reply = self.control(
            "POST",
            &below(repository, &format!("queue/{branch}")),
            &Value::Null,
        );
        reply["merged"].as_u64()
    }

    /// Moves the forge's clock.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn move_clock(&self, seconds: i64) {
        self.control("POST", "/clock", &json!({"seconds": seconds}));
    }

    /// Says so many times that a pull request's mergeability is not known yet.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn unknown_mergeability(&self, times: u32) {
        self.control("POST", "/unknown-mergeability", &json!({"times": times}));
    }

    /// Orders a fault. Which requests it meets: `method`, `path` (with `*`), `body_contains`, `skip`, `times`. What
    /// happens: `delay_ms`, `status`, `headers`, `body`, `truncate` (bytes), `reset` (`before` or `after` the
    /// effect), `carry_out` (do it, and answer otherwise).
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn fault(&self, fault: &Value) {
        self.control("POST", "/faults", fault);
    }

    /// Forgets all faults.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn clear_faults(&self) {
        self.control("DELETE", "/faults", &Value::Null);
    }

    /// What it was asked so far, without the controls, in the order of arrival.
    ///
    /// # Panics
    /// When the forge refuses.
    #[must_use]
    pub fn requests(&self) -> Vec<Asked> {
        let reply = self.control("GET", "/requests", &Value::Null);
        serde_json::from_value(reply["requests"].clone()).expect("requests")
    }

    /// Forgets what it was asked.
    ///
    /// # Panics
    /// When the forge refuses.
    pub fn clear_requests(&self) {
        self.control("DELETE", "/requests", &Value::Null);
    }
}

fn account(reply: Value) -> Account {
    serde_json::from_value(reply).expect("an account")
}

fn below(repository: &Repository, rest: &str) -> String {
    format!("/repositories/{}/{rest}", repository.full_name)
}
