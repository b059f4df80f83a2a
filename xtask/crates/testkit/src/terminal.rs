//! A terminal of a test's own: a program runs at it, and the test types and looks as a person does.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::os::fd::AsFd as _;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking;

/// How long a test waits for something to be seen. Nothing waits for it that goes well.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program at a terminal.
#[derive(Debug)]
pub struct Terminal {
    keyboard: File,
    child: Child,
    written: Arc<Mutex<Vec<u8>>>,
    size: (u16, u16),
    /// How much of what was written the test has answered to.
    answered: usize,
}

/// What was seen, once the program has ended.
#[derive(Debug)]
pub struct Seen {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Everything that was written to the terminal, as bytes.
    pub bytes: Vec<u8>,
    /// The lines as a person sees them, those that scrolled by included.
    pub text: String,
}

impl Terminal {
    /// Runs a command whose environment was cleared and set in full, at a terminal of this many columns.
    /// Without a `TERM` of its own it gets `xterm-256color`.
    ///
    /// # Panics
    /// When there is no terminal to be had.
    #[must_use]
    pub fn run(command: &Command, columns: u16) -> Terminal {
        let (pty, pts) = blocking::open().expect("a terminal");
        let size = (50, columns);
        pty.resize(Size::new(size.0, size.1)).expect("a size");
        let mut at = blocking::Command::new(command.get_program())
            .args(command.get_args())
            .env_clear()
            .env("TERM", "xterm-256color");
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                at = at.env(name, value);
            }
        }
        if let Some(folder) = command.get_current_dir() {
            at = at.current_dir(folder);
        }
        let child = at.spawn(pts).expect("the program starts");
        let end = || File::from(pty.as_fd().try_clone_to_owned().expect("the terminal"));
        let terminal = Terminal {
            keyboard: end(),
            child,
            written: Arc::default(),
            size,
            answered: 0,
        };
        terminal.listen(end());
        terminal
    }

    fn listen(&self, mut reader: File) {
        let written = Arc::clone(&self.written);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal whose program has ended answers with an error.
            while let Ok(length) = reader.read(&mut buffer) {
                if length == 0 {
                    break;
                }
                let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
                written.extend_from_slice(&buffer[..length]);
            }
        });
    }

    /// Waits until `text` is written, after what was waited for before.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait_for(&mut self, text: &str) {
        let started = Instant::now();
        loop {
            let bytes = self.bytes();
            let start = self.answered.min(bytes.len());
            let holds =
                |end: usize| plain(&String::from_utf8_lossy(&bytes[start..end])).contains(text);
            if holds(bytes.len()) {
                // What follows the text in the same breath is waited for next time.
                let (mut low, mut high) = (start, bytes.len());
                while low < high {
                    let middle = low + (high - low) / 2;
                    match holds(middle) {
                        true => high = middle,
                        false => low = middle + 1,
                    }
                }
                self.answered = high;
                return;
            }
            let ended = self.child.try_wait().expect("the program can be asked");
            let late = started.elapsed() > PATIENCE;
            assert!(
                !late && ended.is_none(),
                "{text:?} is not seen ({ended:?}):\n{}",
                lines(&bytes, self.size)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Types, as at a keyboard: `\r` is Enter, `\u{3}` Ctrl-C, `\u{1b}[B` the arrow down.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn types(&mut self, keys: &str) {
        // What is typed before a prompt listens is lost: it listens once it has painted itself.
        std::thread::sleep(Duration::from_millis(150));
        self.keyboard
            .write_all(keys.as_bytes())
            .expect("the keyboard");
    }

    /// Waits for a question, and answers it.
    ///
    /// # Panics
    /// When the question does not come.
    pub fn answers(&mut self, question: &str, keys: &str) {
        self.wait_for(question);
        self.types(keys);
    }

    /// Waits until the program has ended.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    pub fn ends(mut self) -> Seen {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the program can be asked") {
                break status;
            }
            if started.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("it does not end:\n{}", lines(&self.bytes(), self.size));
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        // The last words may still be on their way through the terminal.
        std::thread::sleep(Duration::from_millis(100));
        let bytes = self.bytes();
        Seen {
            code: status.code(),
            text: lines(&bytes, self.size),
            bytes,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.clone()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Text without the sequences that colour it and move the cursor.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\u{1b}' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('[') => while characters.next().is_some_and(|c| !c.is_ascii_alphabetic()) {},
            Some(']') => while characters.next().is_some_and(|c| c != '\u{7}' && c != '\\') {},
            _ => {}
        }
    }
    out
}

/// The lines that a person has seen by the end.
fn lines(bytes: &[u8], (rows, columns): (u16, u16)) -> String {
    let size = |size: u16| NonZero::new(size).unwrap_or(NonZero::<u16>::MIN);
    let mut screen = vt100::Parser::new(size(rows), size(columns), 10_000);
    screen.process(bytes);
    let screen = screen.screen_mut();
    screen.set_scrollback(usize::MAX);
    let mut seen = Vec::new();
    let mut back = screen.scrollback();
    // A page of history, and then line by line to the present.
    loop {
        screen.set_scrollback(back);
        let mut page = screen.rows(0, columns);
        match back {
            0 => {
                seen.extend(page);
                break;
            }
            _ => seen.push(page.next().unwrap_or_default()),
        }
        back -= 1;
    }
    let text = seen.join("\n");
    text.trim_end().to_owned()
}
