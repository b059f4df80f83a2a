//! What the rules of a base branch ask for, as GraphQL tells those who may read: one shape for every query
//! about a pull request.

use serde::Deserialize;

/// The base of a pull request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BaseRef {
    ref_update_rule: Option<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default)]
    required_approving_review_count: Option<u64>,
    required_status_check_contexts: Option<Vec<Option<String>>>,
}

impl BaseRef {
    /// The names of the required checks, in order; also of those that nothing has reported yet.
    pub(super) fn required_checks(&self) -> Vec<String> {
        let rule = self.ref_update_rule.as_ref();
        let contexts = rule.and_then(|rule| rule.required_status_check_contexts.as_ref());
        let mut names: Vec<String> = contexts.into_iter().flatten().flatten().cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    /// How many approvals are required.
    pub(super) fn required_approvals(&self) -> Option<u64> {
        self.ref_update_rule
            .as_ref()?
            .required_approving_review_count
    }
}
