//! The tags that promotion writes and reads; docs/records.md says what each one means.

/// The promotion that made a copy.
pub(crate) const PROMOTION_ID: &str = "mlops_promotion_id";
/// `<model>/<version>` that a copy was made of.
pub(crate) const PROMOTION_SOURCE: &str = "mlops_promotion_source";
/// Target and address of the workspace that a copy came from.
pub(crate) const PROMOTION_FROM: &str = "mlops_promotion_from";
/// Address of the workspace that the training run is in, and that run's id: written on the first copy, and on every
/// copy of that.
pub(crate) const TRAINED_IN: &str = "mlops_trained_in";
/// Digest of a version's files.
pub(crate) const ARTIFACT_DIGEST: &str = "mlops_artifact_digest";
/// The version that this one replaces as champion, or `none`.
pub(crate) const PREVIOUS_CHAMPION: &str = "mlops_previous_champion";
/// Whom the verdict is about; a promotion that has compared the files says it of the copy.
pub(crate) const VERDICT_FOR: &str = "mlops_verdict_for";
pub(crate) const VERDICT: &str = "mlops_verdict";
pub(crate) const VERDICT_REASON: &str = "mlops_verdict_reason";
/// Whom the version was compared with where it was validated.
pub(crate) const CHAMPION_AT_VALIDATION: &str = "mlops_champion_at_validation";

/// Tags of a source that say something about the place they stand in, and do not follow a copy.
pub(crate) const OF_THE_PLACE: &[&str] = &[
    PREVIOUS_CHAMPION,
    CHAMPION_AT_VALIDATION,
    VERDICT_FOR,
    VERDICT,
    VERDICT_REASON,
    PROMOTION_ID,
    PROMOTION_SOURCE,
    PROMOTION_FROM,
];

/// The most characters that a tag's value may have.
pub(crate) const LONGEST: usize = 1000;

/// A value cut to what a tag can hold, which shows that it was cut. A tag neither begins nor ends with a space.
pub(crate) fn shortened(value: &str, most: usize) -> String {
    let value = value.trim();
    if value.chars().count() <= most {
        return value.to_owned();
    }
    let kept: String = value.chars().take(most - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_stands_in_the_docs() {
        let page = include_str!("../../../../docs/records.md");
        for key in [
            PROMOTION_ID,
            PROMOTION_SOURCE,
            PROMOTION_FROM,
            TRAINED_IN,
            "mlops_event_<8 hex digits>",
        ]
        .iter()
        .chain(OF_THE_PLACE)
        {
            assert!(page.contains(&format!("| `{key}` |")), "{key}");
        }
    }

    #[test]
    fn what_is_cut_shows_it() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüß", 3), "äö…");
        assert_eq!(shortened(" as version 1: ", 20), "as version 1:");
    }
}
