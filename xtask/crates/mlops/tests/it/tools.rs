//! The tools of a fresh clone: found, fetched, or named as missing.

mod archive;
mod consent;
mod delta;
mod environment;
mod go;
mod pypi;
mod setup;
