//! The end of a process, as its remotes see it: from one call on, none comes any more.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use xtask_remote::{Error, Method, Request, Response, Transport};

/// Where in a call the end comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The call does not arrive.
    Before,
    /// It arrives and takes effect; its reply does not come back.
    After,
}

impl Phase {
    /// Both.
    pub const ALL: [Phase; 2] = [Phase::Before, Phase::After];
}

/// What a thread that is killed unwinds with.
#[derive(Debug)]
pub struct Killed;

/// The life of one process, which talks through one or more transports. Their calls are counted together, from 1.
#[derive(Debug)]
pub struct Life {
    end: Option<(usize, Phase)>,
    calls: AtomicUsize,
    /// Of the calls, in their order, whether they write.
    writes: Mutex<Vec<bool>>,
}

impl Life {
    /// A life that does not end, and counts its calls.
    #[must_use]
    pub fn endless() -> Life {
        Life {
            end: None,
            calls: AtomicUsize::new(0),
            writes: Mutex::default(),
        }
    }

    /// A life that ends at its `call`-th call.
    #[must_use]
    pub fn ending_at(call: usize, phase: Phase) -> Life {
        Life {
            end: Some((call, phase)),
            calls: AtomicUsize::new(0),
            writes: Mutex::default(),
        }
    }

    /// A transport that this life talks through.
    #[must_use]
    pub fn through<'a>(&'a self, inner: &'a dyn Transport) -> Mortal<'a> {
        Mortal { life: self, inner }
    }

    /// Lives it: `None` when it was killed. The end unwinds from within the call, so that nothing of the process runs
    /// on but what clears up after itself, and that finds every call refused.
    ///
    /// # Panics
    /// When `work` does for a reason of its own.
    pub fn live<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(result) => Some(result),
            Err(cause) if cause.is::<Killed>() => None,
            Err(cause) => resume_unwind(cause),
        }
    }

    fn count(&self, request: &Request) -> usize {
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        writes.push(!matches!(request.method, Method::Get | Method::Head));
        self.calls.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// How many calls were made, those after the end included.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// All ends that a life of these calls may come to: before each call, and after those that write. After a call
    /// that only reads is before the next one.
    #[must_use]
    pub fn ends(&self) -> Vec<(usize, Phase)> {
        let writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = writes.iter().zip(1..).flat_map(|(writes, call)| {
            let after = writes.then_some((call, Phase::After));
            [Some((call, Phase::Before)), after].into_iter().flatten()
        });
        ends.collect()
    }

    /// Whether the end has come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.end.is_some_and(|(call, _)| self.calls() >= call)
    }
}

/// A transport of a life that may end.
pub struct Mortal<'a> {
    life: &'a Life,
    inner: &'a dyn Transport,
}

impl Transport for Mortal<'_> {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        let number = self.life.count(request);
        let Some((end, phase)) = self.life.end else {
            return self.inner.send(request);
        };
        if number < end {
            return self.inner.send(request);
        }
        if number > end {
            return Err(Error::Unreachable {
                service: "the workspace".to_owned(),
                reason: "the caller was killed".to_owned(),
            });
        }
        if phase == Phase::After {
            // Nobody is there to hear the answer.
            let _ = self.inner.send(request);
        }
        // Without the panic's message: it is no failure of anybody's.
        resume_unwind(Box::new(Killed))
    }
}
