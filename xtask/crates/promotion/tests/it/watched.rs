//! What must hold at each moment, looked at after each call.

use std::sync::atomic::{AtomicBool, Ordering};

use xtask_remote::{Error, Request, Response, Transport};
use xtask_testkit::MemoryWorkspace;

use crate::world::PROD;

/// Production, on which the champion is looked at after each call: once there is one there always is, and it is READY.
pub(crate) struct Watched<'a> {
    workspace: &'a MemoryWorkspace,
    had_champion: AtomicBool,
    /// Whether the only champion may be taken away: where the first promotion is taken back.
    may_go: bool,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(workspace: &'a MemoryWorkspace) -> Watched<'a> {
        Watched {
            workspace,
            had_champion: AtomicBool::new(workspace.alias(PROD, "champion").is_some()),
            may_go: false,
        }
    }

    pub(crate) fn whose_champion_may_go(mut self) -> Watched<'a> {
        self.may_go = true;
        self
    }

    fn look(&self, request: &Request) {
        match self.workspace.alias(PROD, "champion") {
            None => assert!(
                self.may_go || !self.had_champion.load(Ordering::SeqCst),
                "after {} there is no champion",
                request.call()
            ),
            Some(number) => {
                self.had_champion.store(true, Ordering::SeqCst);
                let status = self.workspace.status(PROD, number);
                assert_eq!(
                    status,
                    Some("READY"),
                    "champion {number}: {}",
                    request.call()
                );
            }
        }
    }
}

impl Transport for Watched<'_> {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        let reply = self.workspace.send(request);
        self.look(request);
        reply
    }
}
