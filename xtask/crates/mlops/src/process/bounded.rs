//! Runs untrusted code with a time limit, and keeps only the end of its output.

use std::collections::VecDeque;
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::{end, typed};
use crate::error::{Failure, Kind};
use crate::interrupt::Interrupt;
use crate::ui::Ui;

/// How many bytes are kept of stdout, and as many of stderr.
const KEPT: usize = 64 << 10;

/// Exit status and output of a finished program.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The end of its standard output.
    pub(crate) stdout: String,
    /// The end of its standard error.
    pub(crate) stderr: String,
}

/// Runs a program for at most `limit`, and then kills its process group.
pub(crate) fn run_bounded(
    ui: &Ui,
    interrupt: &Interrupt,
    mut command: Command,
    limit: Duration,
) -> anyhow::Result<Ended> {
    ui.explain(&typed(&command));
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |kind, what: &str| Failure::new(kind, format!("{program} {what}"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| failed(Kind::Missing, &format!("could not be started: {error}")))?;
    let stdout = child.stdout.take().map(keep_end);
    let stderr = child.stderr.take().map(keep_end);
    let until = Instant::now() + limit;
    while !has_ended(&child)? && !interrupt.is_set() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    let in_time = has_ended(&child)?;
    // Also kill what it left running, which would hold the pipes open.
    end(&mut child);
    let status = child.wait()?;
    let [stdout, stderr] = [stdout, stderr].map(|reader| {
        let kept = reader.map(|reader| reader.join().unwrap_or_default());
        String::from_utf8_lossy(&kept.unwrap_or_default()).into_owned()
    });
    interrupt.check()?;
    if !in_time {
        return failed(Kind::Failed, &format!("did not finish within {limit:?}"))
            .details(stderr)
            .err();
    }
    Ok(Ended {
        status,
        stdout,
        stderr,
    })
}

/// Whether it has ended. It is not reaped yet, so that the group's id is not reused.
fn has_ended(child: &Child) -> std::io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    Ok(waitid(WaitId::Pid(Pid::from_child(child)), options)?.is_some())
}

/// Reads to the end and keeps the last bytes.
fn keep_end(mut source: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut kept = VecDeque::new();
        let mut block = [0; 8 << 10];
        while let Ok(read @ 1..) = source.read(&mut block) {
            kept.extend(&block[..read]);
            let surplus = kept.len().saturating_sub(KEPT);
            kept.drain(..surplus);
        }
        kept.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Env;
    use crate::ui::Manner;

    fn shell(script: &str, limit: Duration) -> anyhow::Result<Ended> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let ui = Ui::new(&Env::read().unwrap(), Manner::default());
        run_bounded(&ui, &Interrupt::default(), command, limit)
    }

    #[test]
    fn much_output_costs_no_memory_and_its_end_is_kept() {
        let script = "head -c 30000000 /dev/zero | tr '\\0' x; echo; echo last; exit 3";
        let ended = shell(script, Duration::from_secs(60)).unwrap();
        assert_eq!(ended.status.code(), Some(3));
        assert_eq!(ended.stdout.len(), KEPT);
        assert!(ended.stdout.ends_with("x\nlast\n"));
    }

    #[test]
    fn what_takes_too_long_ends_with_all_that_it_started() {
        let started = Instant::now();
        let script = "echo begun >&2; sleep 300 & sleep 300";
        let error = shell(script, Duration::from_millis(300)).unwrap_err();
        assert!(
            error.to_string().contains("did not finish within 300ms"),
            "{error}"
        );
        // The second sleep held the pipes open.
        shell("sleep 300 & exit 0", Duration::from_secs(60)).unwrap();
        assert!(started.elapsed() < Duration::from_secs(20));
    }
}
