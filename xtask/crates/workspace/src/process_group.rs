//! Process groups: child processes are ended with all of their children.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout};

/// The process group of a child that was started with `process_group(0)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group(Pid);

impl Group {
    /// `None` after the child was waited for.
    pub(crate) fn of(child: &Child) -> Option<Group> {
        let id = i32::try_from(child.id()?).ok()?;
        Pid::from_raw(id).map(Group)
    }

    pub(crate) fn signal(self, signal: Signal) {
        if let Err(error) = kill_process_group(self.0, signal)
            && error != rustix::io::Errno::SRCH
        {
            tracing::warn!(%error, "cannot signal a process group");
        }
    }

    /// Whether any process is left, including a leader that was not waited for.
    pub(crate) fn exists(self) -> bool {
        test_kill_process_group(self.0).is_ok()
    }
}

/// Ends a child and its group: SIGTERM, `grace`, SIGKILL. The group is gone when this returns.
pub(crate) async fn end(child: &mut Child, grace: Duration) {
    let Some(group) = Group::of(child) else {
        return;
    };
    group.signal(Signal::TERM);
    let _ = timeout(grace, child.wait()).await;
    sweep(child, group).await;
}

/// Kills the rest of a group and waits a moment: a killed process counts until its new parent has reaped it.
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
