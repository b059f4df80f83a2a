//! Names of commits in addresses: hashes, branches, tags.

use crate::call::Call;
use crate::refusal::Refusal;
use crate::world::Repo;

/// The commit that a name in an address means.
pub(super) fn resolve(call: &Call, repo: &Repo, name: &str) -> Result<String, Refusal> {
    let short = name.strip_prefix("heads/").unwrap_or(name);
    let branch = repo.branch(short).or_else(|| repo.branch(name));
    let found = branch
        .map(str::to_owned)
        .or_else(|| call.forge.git.resolve(repo.id, name));
    found.ok_or_else(|| Refusal::unprocessable(format!("No commit found for SHA: {name}")))
}
