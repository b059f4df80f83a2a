//! The engine of promotions: what is written into a registry, in which order, and how it is read back.
//!
//! It talks through [`xtask_remote::Transport`] alone, so the other side may be a workspace, a
//! registry in memory, or one that fails.

pub mod links;
