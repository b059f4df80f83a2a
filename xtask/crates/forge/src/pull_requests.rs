//! The rules of pull requests, for both APIs and for pushes.

mod merge;
mod merge_state;
mod open;
mod push;
mod review;

pub(crate) use merge::{
    MergeRequest, advance_queue, enable_auto_merge, enqueue, merge, merge_what_waits,
};
pub(crate) use merge_state::{Mergeable, is_required, merge_state, review_decision};
pub(crate) use open::{
    NewPull, PullUpdate, add_comment, open, request_reviewers, set_draft, update,
};
pub(crate) use push::{pushed, refresh_refs};
pub(crate) use review::{NewReview, dismiss, review};
