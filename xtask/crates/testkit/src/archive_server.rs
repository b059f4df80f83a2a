//! A web server of one file, well-behaved or not, on a free loopback port.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How the server answers each request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// 200 with these bytes.
    Whole(Vec<u8>),
    /// 200 that announces these bytes and breaks off after half of them.
    Truncated(Vec<u8>),
    /// 200 with a web page, as a proxy's sign-in page.
    Page,
    /// This status, with a short text.
    Status(u16),
    /// The connection is closed without a word.
    HangUp,
}

/// A running server. It ends with the test's process.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    reply: Arc<Mutex<Reply>>,
    contacts: Arc<AtomicUsize>,
}

impl Server {
    /// Starts to serve.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(reply: Reply) -> std::io::Result<Server> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let server = Server {
            address: listener.local_addr()?,
            reply: Arc::new(Mutex::new(reply)),
            contacts: Arc::default(),
        };
        let (reply, contacts) = (Arc::clone(&server.reply), Arc::clone(&server.contacts));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                contacts.fetch_add(1, Ordering::SeqCst);
                let reply = reply.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // A client that hangs up early is its own affair.
                let _ = answer(stream, &reply);
            }
        });
        Ok(server)
    }

    /// The base address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers so from now on.
    pub fn set(&self, reply: Reply) {
        *self.reply.lock().unwrap_or_else(PoisonError::into_inner) = reply;
    }

    /// How often somebody connected.
    #[must_use]
    pub fn contacts(&self) -> usize {
        self.contacts.load(Ordering::SeqCst)
    }
}

fn answer(stream: TcpStream, reply: &Reply) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while !lines.next().transpose()?.unwrap_or_default().is_empty() {}
    let mut out = stream;
    let head = |status: &str, kind: &str, length: usize| {
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        )
    };
    match reply {
        Reply::Whole(bytes) => {
            out.write_all(head("200 OK", "application/zip", bytes.len()).as_bytes())?;
            out.write_all(bytes)
        }
        Reply::Truncated(bytes) => {
            out.write_all(head("200 OK", "application/zip", bytes.len()).as_bytes())?;
            out.write_all(&bytes[..bytes.len() / 2])
        }
        Reply::Page => {
            let page = "<!doctype html><title>Sign in</title>";
            out.write_all(
                (head("200 OK", "text/html; charset=utf-8", page.len()) + page).as_bytes(),
            )
        }
        Reply::Status(status) => {
            let status = format!("{status} No");
            out.write_all((head(&status, "text/plain", 2) + "no").as_bytes())
        }
        Reply::HangUp => Ok(()),
    }
}
