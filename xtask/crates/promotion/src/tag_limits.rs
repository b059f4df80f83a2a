//! Whether the destination's registry takes the tags that a promotion will have written.

use std::collections::BTreeMap;

use crate::calls::VERSION;
use crate::error::{Error, Refusal};
use crate::open_end::OpenEnd;
use crate::plan::Plan;
use crate::steps;

/// Refuses a promotion whose tags would not fit, before anything is written.
pub(crate) fn check(plan: &Plan, to: &OpenEnd<'_>) -> Result<(), Error> {
    if plan.is_champion() {
        return Ok(());
    }
    let copy = plan.found.copy.as_ref();
    let mut tags: BTreeMap<String, String> = match copy {
        Some(copy) => copy.tags.clone(),
        None => steps::copied_tags(plan),
    };
    let before = tags.len();
    let number = copy.map_or_else(|| VERSION.to_owned(), |copy| copy.number.to_string());
    tags.extend(steps::champion_tags(plan, to, &number));
    let Some(why) = to.registry.refuses_tags(&tags) else {
        return Ok(());
    };
    let carries = match (plan.within, copy) {
        (false, None) => plan.source(),
        (_, copy) => format!(
            "{}/{}",
            to.model,
            copy.map_or(plan.from.number, |copy| copy.number)
        ),
    };
    Refusal::new(format!(
        "version {carries} cannot be promoted: its tags {why}"
    ))
    .details(format!(
        "it carries {before} tags, and a promotion adds {}",
        tags.len() - before
    ))
    .next("remove tags that it does not need, and promote again")
    .err()
}
