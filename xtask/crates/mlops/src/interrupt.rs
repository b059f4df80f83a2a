//! Ctrl-C and requests to terminate, as a flag that long work looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::{Failure, Kind};

/// Set once a signal asked us to end. Clones share the flag.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on. The first signal sets the flag, so that a command can cancel what it
    /// started; the second ends the process at once.
    ///
    /// # Errors
    /// When the system refuses a signal handler.
    pub(crate) fn listen() -> anyhow::Result<Interrupt> {
        let interrupt = Interrupt::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register_conditional_shutdown(
                signal,
                128 + signal,
                Arc::clone(&interrupt.0),
            )?;
            signal_hook::flag::register(signal, Arc::clone(&interrupt.0))?;
        }
        Ok(interrupt)
    }

    /// Whether we were asked to end.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Sleeps; `false` when we were asked to end meanwhile.
    pub(crate) fn sleep(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while Instant::now() < until && !self.is_set() {
            let left = until.saturating_duration_since(Instant::now());
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
        !self.is_set()
    }

    /// # Errors
    /// [`Kind::Interrupted`] once we were asked to end.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.is_set() {
            return Failure::new(Kind::Interrupted, "interrupted").err();
        }
        Ok(())
    }
}
