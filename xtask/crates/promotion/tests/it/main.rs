//! The engine against workspaces in memory: killed at each pair of its calls, side by side with another promotion, and
//! in whatever order things happen.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod interleavings;
mod mishaps;
mod pairs;
mod planned;

mod promoter;
mod property;
mod watched;
mod world;
