//! One end of a promotion, open: the target, its model, and how to reach both.

use xtask_remote::Transport;

use crate::files::Carrier;
use crate::registry::Registry;

/// One end of a promotion: a target, its model, and the ways to it.
#[derive(Clone, Copy)]
pub struct OpenEnd<'a> {
    /// The target's name.
    pub target: &'a str,
    /// The address of its workspace.
    pub host: &'a str,
    /// The model's full name there.
    pub model: &'a str,
    /// The folder of the workspace that holds the deployment's state; the lock stands in it.
    pub state_path: &'a str,
    /// The way of calls.
    pub transport: &'a dyn Transport,
    /// How its registry speaks.
    pub registry: Registry,
    /// The way of a version's files.
    pub carrier: &'a dyn Carrier,
}
