//! Calls that share one deadline and are not repeated: for a look that would rather be incomplete
//! than late.

use std::time::{Duration, Instant};

use crate::Error;
use crate::transport::{Request, Response, Transport};

/// A transport whose calls all end before one moment.
pub struct Within<'a> {
    inner: &'a dyn Transport,
    whole: Duration,
    until: Instant,
}

impl<'a> Within<'a> {
    /// Gives the calls that go through it `whole` from now on, all together.
    #[must_use]
    pub fn new(inner: &'a dyn Transport, whole: Duration) -> Within<'a> {
        Within {
            inner,
            whole,
            until: Instant::now() + whole,
        }
    }
}

impl Transport for Within<'_> {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        let left = self.until.saturating_duration_since(Instant::now());
        let timeout = || Error::Timeout {
            service: request.call(),
            deadline: self.whole,
        };
        if left.is_zero() {
            return Err(timeout());
        }
        let mut hurried = request.clone();
        hurried.deadline = Some(request.deadline.map_or(left, |own| own.min(left)));
        hurried.once = true;
        match self.inner.send(&hurried) {
            // What is left of the deadline is no number that tells anybody anything.
            Err(Error::Timeout { service, .. }) => Err(Error::Timeout {
                service,
                deadline: self.whole,
            }),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Method;

    struct Slow;

    impl Transport for Slow {
        fn send(&self, request: &Request) -> Result<Response, Error> {
            assert!(request.once);
            std::thread::sleep(request.deadline.unwrap_or_default());
            Err(Error::Timeout {
                service: "slow".to_owned(),
                deadline: Duration::ZERO,
            })
        }
    }

    #[test]
    fn all_calls_together_take_no_longer() {
        let whole = Duration::from_millis(100);
        let within = Within::new(&Slow, whole);
        let started = Instant::now();
        for _ in 0..3 {
            let error = within.send(&Request::new(Method::Get, "/x")).unwrap_err();
            assert!(matches!(error, Error::Timeout { deadline, .. } if deadline == whole));
        }
        assert!(started.elapsed() < whole * 5);
    }
}
