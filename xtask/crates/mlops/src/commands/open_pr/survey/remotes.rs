//! What is worth a word about the remotes: old names, remotes that are passed over, several addresses.

use crate::commands::open_pr::findings::Findings;
use crate::commands::open_pr::source::Source;
use crate::git::{Git, Remote, without_user};
use crate::github::{Connection, Head};

/// Says what the choice of a remote leaves unsaid.
pub(super) fn judge(
    git: &Git,
    connection: &Connection,
    head: &Head,
    source: &Source,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    if let Some(remote) = head.passed_over() {
        findings.note(format!(
            "git's settings push to {}, which leads to no GitHub that pull requests go to: the branch goes to {}",
            without_user(remote, remote),
            source.remote
        ));
    }
    let remotes = git.remotes()?;
    let chosen = remotes.iter().find(|remote| remote.name == source.remote);
    if let Some(remote) = chosen.filter(|remote| remote.push.len() > 1) {
        let all: Vec<String> = remote
            .push
            .iter()
            .map(|url| without_user(url, url))
            .collect();
        findings.note(format!(
            "the remote {} pushes to {} addresses, and the branch goes to each: {}",
            remote.name,
            all.len(),
            all.join(", ")
        ));
    }
    for remote in &remotes {
        old_name(connection, head, remote, findings);
    }
    Ok(())
}

/// A remote whose repository has another name now, as far as the server was asked.
fn old_name(connection: &Connection, head: &Head, remote: &Remote, findings: &mut Findings) {
    let Some(place) = head.places.iter().find(|place| place.remote == remote.name) else {
        return;
    };
    let Some(now) = connection
        .told_name(&place.name)
        .filter(|now| !now.is(&place.name))
    else {
        return;
    };
    let (old, new) = (place.name.to_string(), now.to_string());
    let written = without_user(&remote.written, &remote.written);
    findings.note(format!(
        "the remote {} has the old name {old} of {new}: git remote set-url {} {}",
        remote.name,
        remote.name,
        written.replace(&old, &new)
    ));
}
