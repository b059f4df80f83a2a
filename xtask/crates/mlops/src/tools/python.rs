//! The system's Python: looked up, never installed.

use camino::Utf8PathBuf;
use xshell::cmd;

use super::lock::Version;
use super::remedies;
use super::workshop::{ASKING, Workshop};
use crate::child_env::{Program, sh};
use crate::error::Failure;
use crate::process::Finished;

/// Names of interpreters, the user's choice first.
const NAMES: &[&str] = &[
    "python3",
    "python",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
];
/// Prints version, whether virtual environments can be made, and the interpreter itself (a name on
/// PATH may be a version manager's shim).
const QUESTION: &str = "import importlib.util as u, sys; \
    print('.'.join(map(str, sys.version_info[:3])), bool(u.find_spec('ensurepip') and u.find_spec('venv')), sys.executable)";

/// A usable interpreter.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    /// The interpreter itself.
    pub(crate) path: Utf8PathBuf,
    pub(crate) version: Version,
    makes_environments: bool,
}

impl Python {
    pub(crate) fn for_environments(self) -> Result<Python, Failure> {
        if self.makes_environments {
            Ok(self)
        } else {
            Err(remedies::no_venv_module(&self.path, self.version))
        }
    }
}

/// The first interpreter on PATH that is new enough.
pub(crate) fn find(workshop: &Workshop<'_>) -> Result<Python, Failure> {
    let minimum = workshop.lock.python.minimum;
    let mut tried = Vec::new();
    for name in NAMES {
        let Some(path) = workshop.on_path(name) else {
            continue;
        };
        let Some(python) = ask(workshop, &path) else {
            continue;
        };
        if python.version >= minimum {
            return Ok(python);
        }
        let old = format!("{} ({})", python.version, python.path);
        if !tried.contains(&old) {
            tried.push(old);
        }
    }
    Err(remedies::no_python(minimum, &tried))
}

fn ask(workshop: &Workshop<'_>, path: &Utf8PathBuf) -> Option<Python> {
    let command = workshop.command(Program::Code, cmd!(sh(), "{path} -c {QUESTION}"));
    let said = workshop.ask(command, ASKING).ok().filter(Finished::ok)?;
    let mut words = said.stdout.trim().splitn(3, ' ');
    Some(Python {
        version: Version::find(words.next()?)?,
        makes_environments: words.next()? == "True",
        path: Utf8PathBuf::from(words.next()?),
    })
}
