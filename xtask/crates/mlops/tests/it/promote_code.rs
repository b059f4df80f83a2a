//! Code from one environment to the next by pull requests, and back, against a local GitHub with real git.

mod following;
mod hostile;
mod interrupted;
mod releases;
mod undo;
mod workspace;
mod world;
