//! Reviews.

use crate::refusal::{Found as _, Refusal};
use crate::world::{Id, Review, ReviewState, Thread, World};

#[derive(Debug)]
pub(crate) struct NewReview {
    pub(crate) author: Id,
    pub(crate) state: ReviewState,
    pub(crate) body: String,
    /// Path, line and text of each comment on code.
    pub(crate) remarks: Vec<(String, u32, String)>,
}

pub(crate) fn review(world: &mut World, pull: Id, new: NewReview) -> Result<Id, Refusal> {
    let reviewed = world.pulls.get(pull).cloned().found()?;
    if new.author == reviewed.author && new.state != ReviewState::Commented {
        let deed = match new.state {
            ReviewState::Approved => "approve",
            _ => "request changes on",
        };
        return Err(Refusal::unprocessable(format!(
            "Can not {deed} your own pull request"
        )));
    }
    if new.state == ReviewState::ChangesRequested && new.body.trim().is_empty() {
        return Err(Refusal::unprocessable("Body can not be blank"));
    }
    let now = world.now();
    let id = world.next_id();
    for (path, line, body) in new.remarks {
        let thread = world.next_id();
        world.threads.put(
            thread,
            Thread {
                id: thread,
                pull,
                path,
                line,
                author: new.author,
                body,
                commit: reviewed.head_sha.clone(),
                created_at: now,
                resolved_by: None,
            },
        );
    }
    world.reviews.put(
        id,
        Review {
            id,
            pull,
            author: new.author,
            state: new.state,
            body: new.body,
            commit: reviewed.head_sha,
            submitted_at: now,
        },
    );
    if let Some(pull) = world.pulls.edit(pull) {
        pull.requested_reviewers
            .retain(|reviewer| *reviewer != new.author);
        pull.updated_at = now;
    }
    Ok(id)
}

pub(crate) fn dismiss(world: &mut World, review: Id) -> Result<(), Refusal> {
    let review = world.reviews.edit(review).found()?;
    if review.state == ReviewState::Commented {
        return Err(Refusal::unprocessable(
            "Can not dismiss a commented pull request review",
        ));
    }
    review.state = ReviewState::Dismissed;
    Ok(())
}
