//! Transports that stand before another one: they note calls, break them, and end whoever makes them.

mod life;
mod mishaps;
mod recorded;

pub use life::{Killed, Life, Mortal, Phase};
pub use mishaps::{Mishap, Mishaps};
pub use recorded::{Call, Recorded};
