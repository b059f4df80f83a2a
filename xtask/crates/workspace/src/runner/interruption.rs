//! Cancellation and timeouts.

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Resolves on cancellation.
pub(super) async fn asked(cancelled: &mut watch::Receiver<bool>) {
    if cancelled.wait_for(|asked| *asked).await.is_err() {
        // The sender is gone: no cancellation can follow.
        std::future::pending().await
    }
}

/// Never resolves without a deadline.
pub(super) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
