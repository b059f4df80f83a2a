//! A service that is as plain as can be, and a client that does not really wait.

use std::io::{BufRead as _, BufReader, Read as _, Result, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use xtask_remote::{Credentials, Http, Pause};
use xtask_testkit::FaultProxy;

/// What a service has at `/file`.
#[derive(Clone, Default)]
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    pub(crate) etag: Option<String>,
    pub(crate) modified: Option<String>,
    /// Whether it knows of parts.
    pub(crate) ranges: bool,
    /// Whether it sends a part although the content is not what the client thinks.
    pub(crate) careless: bool,
}

/// A service: `/file` has a content, all else is JSON. It knows what it did.
#[derive(Clone)]
pub(crate) struct Origin {
    url: String,
    pub(crate) content: Arc<Mutex<Content>>,
    done: Arc<Mutex<Vec<String>>>,
}

impl Origin {
    pub(crate) fn start() -> Origin {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let origin = Origin {
            url: format!("http://{}", listener.local_addr().unwrap()),
            content: Arc::default(),
            done: Arc::default(),
        };
        let serving = origin.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || drop(serving.answer(&client)));
            }
        });
        origin
    }

    /// The proxy before it, and a client of the proxy that keeps its waits instead of waiting.
    pub(crate) fn behind_a_proxy() -> (Origin, FaultProxy, Http, Waits) {
        let origin = Origin::start();
        let proxy = FaultProxy::before(&origin.url);
        let (http, waits) = client(&proxy);
        (origin, proxy, http, waits)
    }

    /// What it has done, as `METHOD PATH LENGTH`.
    pub(crate) fn done(&self) -> Vec<String> {
        self.done.lock().unwrap().clone()
    }

    fn answer(&self, mut client: &TcpStream) -> Result<()> {
        let mut from = BufReader::new(client);
        let (mut head, mut line) = (Vec::new(), String::new());
        while from.read_line(&mut line)? > 2 {
            head.push(line.trim().to_owned());
            line.clear();
        }
        let header = |name: &str| {
            let found = head.iter().find_map(|line| {
                let (own, value) = line.split_once(": ")?;
                own.eq_ignore_ascii_case(name).then_some(value)
            });
            found.map(str::to_owned)
        };
        let length = header("content-length").map_or(0, |length| length.parse().unwrap());
        let came = std::io::copy(&mut from.take(length), &mut std::io::sink())?;
        if came < length {
            return Ok(());
        }
        let call = head[0].trim_end_matches(" HTTP/1.1").to_owned();
        self.done.lock().unwrap().push(format!("{call} {length}"));
        if call == "GET /file" {
            let content = self.content.lock().unwrap().clone();
            return content.answer(client, header);
        }
        let body = r#"{"done": true}"#;
        write!(
            client,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

impl Content {
    fn answer(
        &self,
        mut client: &TcpStream,
        header: impl Fn(&str) -> Option<String>,
    ) -> Result<()> {
        let mut marks = String::new();
        for (name, value) in [("etag", &self.etag), ("last-modified", &self.modified)] {
            if let Some(value) = value {
                marks.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        let since = header("if-unmodified-since");
        if self.ranges && !self.careless && since.is_some() && since != self.modified {
            return client.write_all(b"HTTP/1.1 412 No\r\ncontent-length: 0\r\n\r\n");
        }
        let whole = self.bytes.len();
        let start = header("range").filter(|_| self.ranges);
        let start = start.filter(|_| header("if-range").is_none_or(|etag| Some(etag) == self.etag));
        let start = start.and_then(|range| {
            let start = range.strip_prefix("bytes=")?.strip_suffix('-')?;
            start.parse::<usize>().ok()
        });
        let (status, start) = match start {
            Some(start) if start >= whole => {
                return client.write_all(b"HTTP/1.1 416 No\r\ncontent-length: 0\r\n\r\n");
            }
            Some(start) => {
                let end = whole - 1;
                marks.push_str(&format!("content-range: bytes {start}-{end}/{whole}\r\n"));
                ("206 Partial", start)
            }
            None => ("200 OK", 0),
        };
        let part = &self.bytes[start..];
        write!(
            client,
            "HTTP/1.1 {status}\r\n{marks}content-length: {}\r\n\r\n",
            part.len()
        )?;
        client.write_all(part)
    }
}

/// The waits of a client.
pub(crate) type Waits = Arc<Mutex<Vec<Duration>>>;

pub(crate) fn client(proxy: &FaultProxy) -> (Http, Waits) {
    client_of(&proxy.url())
}

pub(crate) fn client_of(base: &str) -> (Http, Waits) {
    let waits = Waits::default();
    let kept = Arc::clone(&waits);
    let pause: Pause = Arc::new(move |wait, _| {
        kept.lock().unwrap().push(wait);
        true
    });
    let http = Http::new(base, Credentials::bearer("dapiCANARY")).unwrap();
    (http.pausing(pause), waits)
}
