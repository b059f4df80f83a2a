//! One promotion: its two ends, who watches it, and what came of it.

use std::path::Path;
use std::time::Duration;

use crate::error::Error;
use crate::open_end::OpenEnd;
use crate::owner::Owner;
use crate::steps::Step;

/// Sees a promotion happen.
pub trait Watch {
    /// A step begins.
    fn step(&mut self, step: &Step);
    /// A step was made.
    fn made(&mut self, _step: &Step) {}
    /// The step of this name was taken back, after a refusal.
    fn unmade(&mut self, _name: &str) {}
    /// So many bytes of so many have been moved.
    fn bytes(&mut self, _done: u64, _total: u64) {}
    /// Something that a reader should know.
    fn note(&mut self, _text: &str) {}
    /// Whether the user has had enough.
    fn stopped(&mut self) -> bool {
        false
    }
    /// Waits.
    fn sleep(&mut self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// Predicts with the files of a version in a process of its own; answers what to say about it.
pub type Smoke<'a> = &'a dyn Fn(&Path) -> Result<String, Error>;

/// A promotion: everything that its steps need.
pub struct Promotion<'a> {
    /// The source.
    pub from: OpenEnd<'a>,
    /// The destination.
    pub to: OpenEnd<'a>,
    /// Who does it.
    pub owner: &'a Owner,
    /// The lock that may be broken.
    pub break_lock: Option<&'a str>,
    /// A folder for files on their way; it is removed at the end.
    pub folder: &'a Path,
    /// The smoke prediction.
    pub smoke: Smoke<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The version of the destination that is champion now.
    pub version: u64,
    /// When, by the destination's clock, RFC 3339.
    pub at: String,
}
