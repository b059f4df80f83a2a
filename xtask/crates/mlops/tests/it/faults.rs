//! The commands on a network, and with services, that fail them.

mod pull;
mod status;
mod through_cli;
mod world;
