//! One file per command: its arguments and its `run`.

pub(crate) mod bench;
pub(crate) mod ci;
pub(crate) mod data;
pub(crate) mod deploy;
pub(crate) mod destroy;
pub(crate) mod init;
pub(crate) mod logs;
pub(crate) mod merge;
pub(crate) mod model;
pub(crate) mod open_pr;
pub(crate) mod promote;
pub(crate) mod rerun;
pub(crate) mod run;
pub(crate) mod setup;
pub(crate) mod status;
pub(crate) mod test;
pub(crate) mod workspace;
