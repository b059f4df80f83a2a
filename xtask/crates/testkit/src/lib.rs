//! What the tests share.

mod archive_server;
mod environment;
mod fault_proxy;
mod forge;
mod project;
mod terminal;
mod workspace;

pub use archive_server::{Reply, Server};
pub use environment::{PASSED_THROUGH, PASSED_THROUGH_PREFIXES, hermetic};
pub use fault_proxy::{Answer, Content, Cut, Fault, FaultProxy, Gate, Passed, Rule, Victim, When};
pub use forge::{Account, Asked, Forge, Repository, Run, forge_program};
pub use project::{Project, Said, repository};
pub use terminal::{Seen, Terminal};
pub use workspace::Workspace;
