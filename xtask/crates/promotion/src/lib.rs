//! Takes a model version from one target to the next, and back.
//!
//! A promotion is first a [`Plan`]: plain data about what was found at both ends, from which its steps follow, and
//! from those each call that will write something ([`Step`]). Applying runs these very steps. Whoever is interrupted
//! plans again: what the registry has already is found there and is not done twice. The registry's tags are the only
//! memory that counts; the [`journal`] is a hint for people.
//!
//! Everything goes through [`xtask_remote::Transport`], one for each end; nothing here knows a terminal.

pub mod apply;
mod artifacts;
mod calls;
mod error;
pub mod event;
mod files;
pub mod history;
pub mod journal;
pub mod links;
pub mod lock;
mod open_end;
mod owner;
mod plan;
mod planning;
mod promotion;
mod random;
mod registry;
mod run;
pub mod steps;
mod survey;
mod tag_limits;
mod tags;
pub mod undo;

pub use artifacts::OverArtifacts;
pub use calls::Call;
pub use error::{Error, Refusal};
pub use files::{Carrier, OnBytes, OverRest, files_of};
pub use open_end::OpenEnd;
pub use owner::Owner;
pub use plan::{Asked, End, Found, Plan, Source};
pub use planning::plan;
pub use registry::{NewVersion, Registry, Version};
pub use steps::{Aim, Step, Work};
pub use survey::Copy;
pub use undo::{UndoPlan, plan_undo};
