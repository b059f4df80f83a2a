//! The code that a target has while its job runs: a job that ran another code has tested nothing of ours.

use xtask_remote::databricks::bundle_state::{self, Deployment, Source};
use xtask_remote::{Error, Transport};

use crate::databricks::{Summary, Target};
use crate::error::Failure;
use crate::ui::safe_line;
use crate::words::short;

/// Which code is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Code {
    /// The commit, and where it comes from.
    pub(super) source: Source,
    /// The deployment that brought it.
    deployment: Deployment,
}

impl Code {
    /// Reads it.
    pub(super) fn read(transport: &dyn Transport, summary: &Summary) -> Result<Code, Error> {
        let state_path = &summary.workspace.state_path;
        Ok(Code {
            source: bundle_state::source(transport, state_path)?.unwrap_or_default(),
            deployment: bundle_state::deployment(transport, state_path)?.unwrap_or_default(),
        })
    }

    /// Whether it is of the commit that was deployed.
    pub(super) fn is_of(&self, commit: Option<&str>, target: &Target<'_>) -> anyhow::Result<()> {
        let commit = commit.unwrap_or_default();
        if self.source.commit == commit {
            return Ok(());
        }
        let what = format!(
            "target {} has {} now, not commit {}: another deployment came after this one",
            target.name,
            self.words(),
            short(commit)
        );
        alone(target, Failure::failed(what)).err()
    }

    /// The error of a test during which another deployment came.
    pub(super) fn replaced_by(
        &self,
        now: &Code,
        target: &Target<'_>,
        run_id: i64,
    ) -> anyhow::Error {
        let what = format!(
            "target {} was deployed again while the job ran: its run has not tested this checkout alone",
            target.name
        );
        let details = format!(
            "before  {}\nafter   {}\njob run {run_id} may have run either",
            self.words(),
            now.words()
        );
        alone(target, Failure::failed(what).details(details)).into()
    }

    fn words(&self) -> String {
        let mut words = match self.source.commit.as_str() {
            "" => "no commit".to_owned(),
            commit => format!("commit {}", short(commit)),
        };
        if !self.source.branch.is_empty() {
            words.push_str(&format!(" of {}", self.source.branch));
        }
        if !self.deployment.timestamp.is_empty() {
            words.push_str(&format!(", deployed at {}", self.deployment.timestamp));
        }
        safe_line(&words)
    }
}

/// Says how a test has a target for itself.
fn alone(target: &Target<'_>, failure: Failure) -> Failure {
    let name = &target.name;
    failure
        .next("run it again when no other test runs there")
        .next(format!(
            "in CI, give the jobs that test on {name} one `concurrency` group, so that they wait for each other"
        ))
}
