//! Running other programs. Only the wrappers (git, databricks, python, tools, workspace) use this.

mod bounded;

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::child_env::{self, Program};
use crate::env::{Env, quoted};
use crate::error::Failure;
use crate::interrupt::Interrupt;
use crate::ui::Ui;
pub(crate) use bounded::run_bounded;

/// How many lines of a program's output an error shows.
const SHOWN_LINES: usize = 30;

/// The most standard output kept in memory, in bytes: the largest reply through the Databricks CLI.
const MOST_OUTPUT: usize = 256 << 20;
/// The longest line, in bytes; longer ones are cut.
const LONGEST_LINE: u64 = 64 << 20;

/// Exit status and output of a finished program.
#[derive(Debug)]
pub(crate) struct Finished {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// Its standard output.
    pub(crate) stdout: String,
    /// The last lines of stdout and stderr, in order of arrival.
    pub(crate) tail: String,
    /// The last lines of stderr alone.
    pub(crate) stderr: String,
}

impl Finished {
    /// Whether it ended with 0.
    pub(crate) fn ok(&self) -> bool {
        self.status.success()
    }
}

/// The command line as typed in a shell, for `--explain` and errors. Environment variables are left out:
/// they may be secret.
pub(crate) fn typed(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(|word| quoted(&word.to_string_lossy()).into_owned());
    words.collect::<Vec<_>>().join(" ")
}

/// Runs a program and keeps its output; `on_line` gets each line as it arrives. A failing program is not an
/// error here.
pub(crate) fn run(
    ui: &Ui,
    interrupt: &Interrupt,
    command: Command,
    on_line: &mut dyn FnMut(&str),
) -> anyhow::Result<Finished> {
    run_within(ui, interrupt, command, None, on_line)
}

/// Like [`run`], but kills the program after `limit`.
pub(crate) fn run_within(
    ui: &Ui,
    interrupt: &Interrupt,
    command: Command,
    limit: Option<Duration>,
    on_line: &mut dyn FnMut(&str),
) -> anyhow::Result<Finished> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut given_up = |elapsed| limit.is_some_and(|limit| elapsed > limit);
    match run_until(ui, interrupt, command, &mut given_up, on_line)? {
        Some(finished) => Ok(finished),
        None => Failure::failed(format!(
            "{program} did not finish within {:?}",
            limit.unwrap_or_default()
        ))
        .err(),
    }
}

/// Like [`run`], but kills the program and returns `None` once `given_up` says so. `given_up` gets the
/// elapsed time, ten times a second.
pub(crate) fn run_until(
    ui: &Ui,
    interrupt: &Interrupt,
    mut command: Command,
    given_up: &mut dyn FnMut(Duration) -> bool,
    on_line: &mut dyn FnMut(&str),
) -> anyhow::Result<Option<Finished>> {
    ui.explain(&typed(&command));
    let started = Instant::now();
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| Failure::missing(format!("could not start {program}: {error}")))?;
    let (sender, lines) = mpsc::channel();
    let mut readers = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        readers.push(read_lines(Box::new(stdout), true, sender.clone()));
    }
    if let Some(stderr) = child.stderr.take() {
        readers.push(read_lines(Box::new(stderr), false, sender.clone()));
    }
    drop(sender);

    let mut stdout = String::new();
    let (mut tail, mut stderr) = (VecDeque::new(), VecDeque::new());
    loop {
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok((from_stdout, line)) => {
                on_line(&line);
                if from_stdout {
                    stdout.push_str(&line);
                    stdout.push('\n');
                    if stdout.len() > MOST_OUTPUT {
                        end(&mut child);
                        return Failure::failed(format!(
                            "{program} printed more than {} MB",
                            MOST_OUTPUT >> 20
                        ))
                        .err();
                    }
                }
                if !from_stdout {
                    keep_last(&mut stderr, line.clone());
                }
                keep_last(&mut tail, line);
            }
            Err(mpsc::RecvTimeoutError::Timeout) if interrupt.is_set() => {
                // Ctrl-C at the terminal reaches the program as well; this is for signals sent to us alone.
                end(&mut child);
                interrupt.check()?;
            }
            Err(mpsc::RecvTimeoutError::Timeout) if given_up(started.elapsed()) => {
                end(&mut child);
                return Ok(None);
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = child.wait()?;
    interrupt.check()?;
    Ok(Some(Finished {
        status,
        stdout,
        tail: Vec::from(tail).join("\n"),
        stderr: Vec::from(stderr).join("\n"),
    }))
}

fn keep_last(lines: &mut VecDeque<String>, line: String) {
    if lines.len() == SHOWN_LINES {
        lines.pop_front();
    }
    lines.push_back(line);
}

/// Kills a program and, if it leads its own process group, the whole group.
fn end(child: &mut Child) {
    let id = rustix::process::Pid::from_child(child);
    if rustix::process::getpgid(Some(id)) == Ok(id) {
        let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Like [`run`], but a failing program is an error that shows the end of its output.
pub(crate) fn succeed(
    ui: &Ui,
    interrupt: &Interrupt,
    command: Command,
    what: &str,
) -> anyhow::Result<Finished> {
    let line = typed(&command);
    let finished = run(ui, interrupt, command, &mut |_| ())?;
    if !finished.ok() {
        let status = finished.status;
        return Failure::failed(format!("{what}: `{line}` ended with {status}"))
            .details(finished.tail)
            .err();
    }
    Ok(finished)
}

/// Opens a page in the user's browser; `false` where no browser can be started.
pub(crate) fn browse(env: &Env, url: &str) -> bool {
    use std::os::unix::process::CommandExt as _;
    open::commands(url).into_iter().any(|mut command| {
        child_env::surround(env, Program::Browser, &mut command);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C at the terminal ends us, not the browser.
            .process_group(0);
        command.spawn().is_ok()
    })
}

/// Runs a program with `input` on stdin and returns its output; `None` when it fails. The output may be
/// secret and is never shown.
pub(crate) fn feed(ui: &Ui, mut command: Command, input: &str) -> std::io::Result<Option<String>> {
    use std::io::Write as _;
    ui.explain(&typed(&command));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input closes the pipe; its output still counts.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(output.status.success().then_some(text))
}

fn read_lines(
    source: Box<dyn Read + Send>,
    from_stdout: bool,
    sink: mpsc::Sender<(bool, String)>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(source);
        let mut buffer = Vec::new();
        // Bytes, not `lines()`: invalid UTF-8 must not end the loop.
        let mut next = |buffer: &mut Vec<u8>| {
            let mut line = reader.by_ref().take(LONGEST_LINE);
            line.read_until(b'\n', buffer)
        };
        while matches!(next(&mut buffer), Ok(1..)) {
            let line = String::from_utf8_lossy(&buffer)
                .trim_end_matches(['\n', '\r'])
                .to_owned();
            buffer.clear();
            if sink.send((from_stdout, line)).is_err() {
                return;
            }
        }
    })
}
