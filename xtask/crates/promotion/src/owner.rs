//! Who holds a lock: a process of a user on a machine.

use std::fmt;
#[cfg(target_os = "linux")]
use std::fs;

/// A process that promotes. Written into the lock, so that others can tell whether it may still be at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The user, as the destination's workspace knows them.
    pub user: String,
    /// The machine's name and the clone's folder there, in one word.
    pub machine: String,
    /// The process id on that machine.
    pub process: u32,
    /// When it was started, in the system's own ticks: an id alone may belong to a later process.
    pub started: String,
}

impl Owner {
    #[must_use]
    pub fn this_process(user: &str, machine: &str) -> Owner {
        let word = |text: &str| text.split_whitespace().collect::<Vec<_>>().join("_");
        let process = std::process::id();
        Owner {
            user: word(user),
            machine: word(machine),
            process,
            started: started(process).unwrap_or_else(|| "0".to_owned()),
        }
    }

    /// Reads what [`fmt::Display`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Owner> {
        let mut words = text.split_whitespace();
        let (user, on, machine) = (words.next()?, words.next()?, words.next()?);
        let (word, process, since, started) =
            (words.next()?, words.next()?, words.next()?, words.next()?);
        ((on, word, since) == ("on", "process", "started")).then_some(())?;
        Some(Owner {
            user: user.to_owned(),
            machine: machine.to_owned(),
            process: process.parse().ok()?,
            started: started.to_owned(),
        })
    }

    /// Whether this owner was a process of the same clone on the same machine that has ended.
    pub(crate) fn has_ended_here(&self, us: &Owner) -> bool {
        self.machine == us.machine && started(self.process).as_deref() != Some(&self.started)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Owner {
            user,
            machine,
            process,
            started,
        } = self;
        write!(f, "{user} on {machine} process {process} started {started}")
    }
}

/// When a process was started; `None` where there is none, or none that still runs.
#[cfg(target_os = "linux")]
fn started(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    // A zombie has ended: only its parent has not looked yet.
    (state != "Z" && state != "X").then_some(())?;
    fields.nth(18).map(str::to_owned)
}

/// The same for every process that runs: nothing here tells when one was started without asking another program. So a
/// later process of the same id counts as the one that holds the lock, which can be broken by its id.
#[cfg(not(target_os = "linux"))]
fn started(process: u32) -> Option<String> {
    let process = rustix::process::Pid::from_raw(i32::try_from(process).ok()?)?;
    rustix::process::test_kill_process(process).ok()?;
    Some("0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_as_it_was_written() {
        let us = Owner::this_process("anna@example.com", "her laptop:fares");
        assert_eq!(Owner::parse(&us.to_string()), Some(us));
        assert_eq!(Owner::parse("somebody"), None);
    }

    #[test]
    fn a_process_that_runs_has_not_ended() {
        let us = Owner::this_process("anna", "laptop");
        assert!(!us.has_ended_here(&us));
        let earlier = Owner {
            started: "1".to_owned(),
            ..us.clone()
        };
        assert!(
            earlier.has_ended_here(&us),
            "the id belongs to another process by now"
        );
        let elsewhere = Owner {
            machine: "server".to_owned(),
            ..earlier
        };
        assert!(!elsewhere.has_ended_here(&us), "not known here");
    }
}
