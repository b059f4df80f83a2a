//! The client on networks, and with services, that fail it.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod downloads;
mod faults;
mod large;
mod limits;
mod origin;
mod uploads;
