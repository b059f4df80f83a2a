//! What the tests share.

mod answers;
mod archive_server;
mod dice;
mod environment;
mod fault_proxy;
mod forge;
mod habits;
mod interleaving;
mod memory_workspace;
mod other_workspaces;
mod project;
mod repository;
mod server_program;
mod terminal;
mod transports;
mod warm_mlflow;
mod workspace;

pub use answers::differences;
pub use archive_server::{Reply, Server};
pub use dice::Dice;
pub use environment::{PASSED_THROUGH, PASSED_THROUGH_PREFIXES, hermetic};
pub use fault_proxy::{Answer, Content, Cut, Fault, FaultProxy, Gate, Passed, Rule, Victim, When};
pub use forge::{Account, Asked, Forge, Repository, Run, forge_program};
pub use interleaving::{InTurn, Interleaving, Party};
pub use memory_workspace::{KeptVersion, MemoryWorkspace};
pub use other_workspaces::OtherWorkspaces;
pub use project::{Project, Said};
pub use repository::repository;
pub use terminal::{Seen, Terminal};
pub use transports::{Call, Killed, Life, Mishap, Mishaps, Mortal, Phase, Recorded};
pub use workspace::Workspace;
