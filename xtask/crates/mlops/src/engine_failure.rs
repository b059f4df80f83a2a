//! Errors of the promotion engine as [`Failure`]s with exit codes.

use xtask_promotion::Error;

use crate::error::Failure;

/// The failure of an engine's error.
pub(crate) fn of(error: Error) -> anyhow::Error {
    match error {
        Error::Refused(refusal) => {
            let mut failure = Failure::failed(refusal.why).details(refusal.details);
            for next in refusal.next {
                failure = failure.next(next);
            }
            failure.into()
        }
        Error::Interrupted => Failure::interrupted("stopped")
            .next("run the command again: it continues where it stopped")
            .into(),
        Error::Remote(error) => error.into(),
        error @ Error::Local { .. } => Failure::missing(error.to_string()).into(),
        error => error.into(),
    }
}
