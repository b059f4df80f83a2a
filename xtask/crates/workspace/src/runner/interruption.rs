//! What ends work before it is done.

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Resolves when the end was asked for.
pub(super) async fn asked(cancelled: &mut watch::Receiver<bool>) {
    if cancelled.wait_for(|asked| *asked).await.is_err() {
        // The sender is gone: the end cannot be asked for any more.
        std::future::pending().await
    }
}

/// Resolves at a point in time; without one never.
pub(super) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
