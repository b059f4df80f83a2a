//! How long one waits for a service, and when a call is made again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBuilder};

use crate::Error;
use crate::transport::Request;

/// The longest that one call waits, in all, where the caller sets no limit for a whole command. A service
/// that asks for more gets its way later: the call fails, and says for how long.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Attempts after the first one, for a call that has no more than [`PATIENCE`].
const RETRIES: usize = 4;

/// Attempts in a row that may find no server, whatever patience there is: half a minute's. A server that is gone for
/// longer does not come back by being waited for.
const WITHOUT_CONNECTION: usize = 9;

/// The longest pause that a service did not ask for.
const LONGEST: Duration = Duration::from_secs(10);

/// Waits before a call is repeated; told how long and why. `false` gives up instead.
pub type Pause = Arc<dyn Fn(Duration, &Error) -> bool + Send + Sync>;

/// Time that a command is ready to lose: in pauses, and in calls that come to nothing. Copies draw on the
/// same time, so that several clients of one command wait no longer together than it allows.
///
/// What is counted is what a monotonic clock measured and what was asked to wait: a wall clock that is set
/// back or forth meanwhile changes nothing.
#[derive(Debug, Clone)]
pub struct Patience(Arc<Mutex<Duration>>);

impl Patience {
    /// So much, in all.
    #[must_use]
    pub fn new(whole: Duration) -> Patience {
        Patience(Arc::new(Mutex::new(whole)))
    }

    /// What is left of it.
    #[must_use]
    pub fn left(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a pause out of it, if there is that much.
    fn allows(&self, pause: Duration) -> bool {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(rest) = left.checked_sub(pause) else {
            return false;
        };
        *left = rest;
        true
    }

    /// Takes out what is lost already.
    fn lost(&self, time: Duration) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_sub(time);
    }
}

/// How an attempt ended that may be followed by another.
pub(crate) struct Attempt<T> {
    pub(crate) result: Result<T, Error>,
    /// Whether it brought something that the next attempt need not bring again.
    pub(crate) progress: bool,
}

impl<T> From<Result<T, Error>> for Attempt<T> {
    fn from(result: Result<T, Error>) -> Attempt<T> {
        Attempt {
            result,
            progress: false,
        }
    }
}

/// Whether a call may be made again after an error: never where the caller forbids it; if it does no harm to
/// be done twice, after whatever may pass; else only where it is certain that it was not done, as there was
/// no connection, or the service has had enough of us.
fn may_be_repeated(request: &Request, error: &Error) -> bool {
    !request.once && error.is_transient() && (request.repeatable || !error.leaves_open())
}

/// Attempts a call until it succeeds, fails for good, or patience ends; without any of one's own, [`PATIENCE`].
pub(crate) fn repeated<T>(
    own: Option<&Patience>,
    wait: &Pause,
    request: &Request,
    attempt: &mut dyn FnMut() -> Attempt<T>,
) -> Result<T, Error> {
    let pauses = || {
        let shape = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(LONGEST)
            .with_jitter();
        match own {
            Some(_) => shape.without_max_times().build(),
            None => shape.with_max_times(RETRIES).build(),
        }
    };
    let patience = own.cloned();
    let patience = patience.unwrap_or_else(|| Patience::new(PATIENCE));
    let (mut next, mut unconnected) = (pauses(), 0);
    loop {
        let begun = Instant::now();
        let Attempt { result, progress } = attempt();
        let error = match result {
            Err(error) if may_be_repeated(request, &error) => error,
            other => return other,
        };
        unconnected = match error {
            Error::NoConnection { .. } => unconnected + 1,
            _ => 0,
        };
        if unconnected == WITHOUT_CONNECTION {
            return Err(error);
        }
        match progress {
            true => next = pauses(),
            false => patience.lost(begun.elapsed()),
        }
        let Some(pause) = next.next() else {
            return Err(error);
        };
        let pause = pause.max(error.wait().unwrap_or_default());
        if !patience.allows(pause) || !wait(pause, &error) {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Method;

    fn open() -> Error {
        Error::Unreachable {
            service: "x".to_owned(),
            reason: "connection reset".to_owned(),
        }
    }

    fn limited(status: u16) -> Error {
        Error::Limited {
            call: String::new(),
            status,
            message: String::new(),
            wait: None,
        }
    }

    #[test]
    fn only_what_was_not_done_is_done_again_where_that_could_harm() {
        let post = Request::new(Method::Post, "/x");
        let get = Request::new(Method::Get, "/x");
        let none = Error::NoConnection {
            service: "x".to_owned(),
            reason: "connection refused".to_owned(),
        };
        for (request, error, expected) in [
            (&get, open(), true),
            (&get, limited(429), true),
            (&post.clone().repeatable(), open(), true),
            (&post, open(), false),
            (&post, limited(503), false),
            (&post, limited(429), true),
            (&post, none, true),
            (&get.clone().once(), open(), false),
            (&post.clone().once(), limited(429), false),
        ] {
            assert_eq!(
                may_be_repeated(request, &error),
                expected,
                "{error} {request:?}"
            );
        }
    }

    #[test]
    fn patience_is_shared_and_ends() {
        let patience = Patience::new(Duration::from_secs(10));
        let other = patience.clone();
        assert!(patience.allows(Duration::from_secs(6)));
        assert!(!other.allows(Duration::from_secs(5)));
        assert!(!other.allows(Duration::MAX));
        other.lost(Duration::from_secs(3));
        assert_eq!(patience.left(), Duration::from_secs(1));
        other.lost(Duration::from_secs(3));
        assert!(!patience.allows(Duration::from_millis(1)));
    }
}
