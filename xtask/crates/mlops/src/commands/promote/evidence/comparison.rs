//! A candidate beside the destination's champion, by what their validations measured.

use std::collections::BTreeMap;

use serde::Serialize;
use xtask_promotion::{OpenEnd, Plan, Version};
use xtask_remote::mlflow::{self, MetricValue};
use xtask_remote::records::{Champion, VersionRecord};

use crate::engine_failure;

/// The metrics of both, where they are comparable.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(in crate::commands::promote) enum Comparison {
    /// Both on the same data.
    Same {
        /// By what one knows.
        how: String,
        /// Name, candidate, champion.
        rows: Vec<(String, MetricValue, MetricValue)>,
    },
    /// The candidate alone.
    Alone {
        why: String,
        /// Name and value.
        rows: Vec<(String, MetricValue)>,
    },
}

/// Compares.
/// A run that is gone is no error: nothing is known then.
pub(super) fn of(plan: &Plan, from: &OpenEnd<'_>, to: &OpenEnd<'_>) -> anyhow::Result<Comparison> {
    let record = plan.record();
    let measured = validation(from, &record)?;
    let candidate = with_prefix(&measured, "candidate_");
    let alone = |why: String| Comparison::Alone {
        why,
        rows: candidate.clone().into_iter().collect(),
    };
    if candidate.is_empty() {
        return Ok(alone(
            "not known: the run of its validation is not to be found here".to_owned(),
        ));
    }
    let Some(number) = plan.found.champion.filter(|_| !plan.is_champion()) else {
        return Ok(alone(
            "its validation's; there is no champion to be compared with".to_owned(),
        ));
    };
    let champion = to.registry.version(to.transport, to.model, number)?;
    let Some(champion) = champion else {
        return Ok(alone(format!("its validation's; version {number} is gone")));
    };
    let theirs = VersionRecord::read(to.model, number, &champion.pairs());
    let judged_against = record
        .judgement
        .as_ref()
        .and_then(|judgement| judgement.champion_at_validation);
    if let Some(Champion::Version(baseline)) = judged_against
        && stands_for(plan, from, &champion, baseline)
    {
        let how = format!(
            "both as the validation of version {} measured them",
            plan.from.number
        );
        return Ok(same(how, &candidate, &with_prefix(&measured, "champion_")));
    }
    match (&record.test_digest, &theirs.test_digest) {
        (Some(ours), Some(digest)) if ours == digest => {
            // The champion was validated where it came from, or here.
            let made_there = champion
                .copied_from()
                .is_some_and(|source| source.starts_with(&format!("{}/", from.model)));
            let end = if made_there { from } else { to };
            let measured = with_prefix(&validation(end, &theirs)?, "candidate_");
            if measured.is_empty() {
                return Ok(alone(format!(
                    "its validation's; that of version {number} is not to be found"
                )));
            }
            let how = format!(
                "each as its own validation measured it, on the same test set {}",
                short(digest)
            );
            Ok(same(how, &candidate, &measured))
        }
        _ => Ok(alone(format!(
            "its validation's; version {number}, the champion, was measured on other data"
        ))),
    }
}

/// Whether the destination's champion is the version that the candidate was judged against.
fn stands_for(plan: &Plan, from: &OpenEnd<'_>, champion: &Version, baseline: u64) -> bool {
    match plan.within {
        true => champion.number == baseline,
        false => champion.copied_from() == Some(&format!("{}/{baseline}", from.model)),
    }
}

fn same(
    how: String,
    candidate: &BTreeMap<String, MetricValue>,
    champion: &BTreeMap<String, MetricValue>,
) -> Comparison {
    let rows = candidate.iter().filter_map(|(name, ours)| {
        let theirs = champion.get(name)?;
        Some((name.clone(), *ours, *theirs))
    });
    Comparison::Same {
        how,
        rows: rows.collect(),
    }
}

/// What a validation measured; nothing where its run is not known or gone.
fn validation(
    end: &OpenEnd<'_>,
    record: &VersionRecord,
) -> anyhow::Result<BTreeMap<String, MetricValue>> {
    let Some(run) = &record.validation_run_id else {
        return Ok(BTreeMap::new());
    };
    match mlflow::run(end.transport, run) {
        Ok(run) => Ok(run.metrics()),
        Err(error) if error.is_not_found() => Ok(BTreeMap::new()),
        Err(error) => Err(engine_failure::of(error.into())),
    }
}

fn with_prefix(
    metrics: &BTreeMap<String, MetricValue>,
    prefix: &str,
) -> BTreeMap<String, MetricValue> {
    let named = metrics
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), *value)));
    named.collect()
}

fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 12).unwrap_or(digest)
}
