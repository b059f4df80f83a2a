//! Process groups: what we start is ended whole, so that no process stays behind.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout};

/// The process group that a child leads (it was started with `process_group(0)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group(Pid);

impl Group {
    /// The group of a child that has not been waited for yet.
    pub(crate) fn of(child: &Child) -> Option<Group> {
        let id = i32::try_from(child.id()?).ok()?;
        Pid::from_raw(id).map(Group)
    }

    /// Sends a signal to all of it; a group that is gone is fine.
    pub(crate) fn signal(self, signal: Signal) {
        if let Err(error) = kill_process_group(self.0, signal)
            && error != rustix::io::Errno::SRCH
        {
            tracing::warn!(%error, "cannot signal a process group");
        }
    }

    /// Whether any process of it is left (a leader that was not waited for counts).
    pub(crate) fn exists(self) -> bool {
        test_kill_process_group(self.0).is_ok()
    }
}

/// Ends a child and its whole group: asks, waits for `grace`, then kills. At return the group is gone.
pub(crate) async fn end(child: &mut Child, grace: Duration) {
    let Some(group) = Group::of(child) else {
        return;
    };
    group.signal(Signal::TERM);
    let _ = timeout(grace, child.wait()).await;
    sweep(child, group).await;
}

/// Kills what is left of a group, whether its leader has ended or not, and waits a moment until it is gone: what
/// was killed runs no more, but counts until its new parent has taken notice.
pub(crate) async fn sweep(child: &mut Child, group: Group) {
    group.signal(Signal::KILL);
    if let Err(error) = child.wait().await {
        tracing::warn!(%error, "cannot wait for a process");
    }
    let deadline = Instant::now() + Duration::from_millis(300);
    while group.exists() && Instant::now() < deadline {
        sleep(Duration::from_millis(5)).await;
    }
}
