//! Applies what was planned: a promotion, or taking one back.

use crate::error::Error;
use crate::journal::Journal;
use crate::plan::Plan;
use crate::run::{About, Run};
use crate::steps::Step;
use crate::undo::UndoPlan;

pub use crate::promotion::{Done, Promotion, Smoke, Watch};

/// Applies the steps of a plan, as they were shown, if both ends are still as it says.
///
/// # Errors
/// [`Error::Refused`] when something forbids it: then the destination's champion is who it was, the lock is given back,
/// and the version, if one was made, stays for the next attempt.
pub fn apply(
    plan: &Plan,
    steps: &[Step],
    promotion: &Promotion<'_>,
    watch: &mut dyn Watch,
    journal: &mut Journal,
) -> Result<Done, Error> {
    let version = plan.found.copy.as_ref().map(|copy| copy.number);
    let about = About::Promote(plan);
    Run::new(promotion, watch, journal, about, version).through(steps)
}

/// Takes a promotion back by the steps that were shown, if the destination is still as the plan says.
///
/// # Errors
/// [`Error::Refused`] when it is not; nothing is changed then.
pub fn take_back(
    plan: &UndoPlan,
    steps: &[Step],
    promotion: &Promotion<'_>,
    watch: &mut dyn Watch,
    journal: &mut Journal,
) -> Result<Done, Error> {
    let about = About::Undo(plan);
    Run::new(promotion, watch, journal, about, Some(plan.number)).through(steps)
}
