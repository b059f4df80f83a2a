//! The proxy between a client and a server that are as plain as can be.

use std::io::{BufReader, ErrorKind, Read as _, Result, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::wire::{Framing, Head, body};
use super::*;

/// A server that counts. `GET /bytes/N` answers with N bytes, `/chunks/N` with N pieces of 1000 bytes,
/// `/until-close` with a body that ends with the connection, `/elsewhere` with a link to itself; all
/// else with the method, the Host and the length of what was sent.
struct Origin {
    url: String,
    whole: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<Head>>>,
}

impl Origin {
    fn start() -> Origin {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let origin = Origin {
            url: format!("http://{}", listener.local_addr().unwrap()),
            whole: Arc::default(),
            heads: Arc::default(),
        };
        let (url, whole, heads) = (
            origin.url.clone(),
            origin.whole.clone(),
            origin.heads.clone(),
        );
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (url, whole, heads) = (url.clone(), whole.clone(), heads.clone());
                std::thread::spawn(move || drop(answer(&client, &url, &whole, &heads)));
            }
        });
        origin
    }

    /// How many requests came with their whole bodies.
    fn whole(&self) -> usize {
        self.whole.load(Ordering::SeqCst)
    }

    fn last(&self) -> Head {
        self.heads.lock().unwrap().last().unwrap().clone()
    }
}

fn answer(
    mut client: &TcpStream,
    url: &str,
    whole: &AtomicUsize,
    heads: &Mutex<Vec<Head>>,
) -> Result<()> {
    let mut from = BufReader::with_capacity(64 * 1024, client);
    let Some(head) = Head::read(&mut from)? else {
        return Ok(());
    };
    heads.lock().unwrap().push(head.clone());
    let mut length = 0;
    body(&mut from, head.framing()?, &mut |part| {
        if let wire::Part::Content(bytes) = part {
            length += bytes.len();
        }
        Ok(())
    })?;
    whole.fetch_add(1, Ordering::SeqCst);
    let path = head.word(1).split('?').next().unwrap_or_default();
    let number = |text: &str| text.parse::<usize>().unwrap();
    if let Some(count) = path.strip_prefix("/bytes/") {
        let mut left = number(count);
        client
            .write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {left}\r\n\r\n").as_bytes())?;
        let block = vec![b'x'; 64 * 1024];
        while left > 0 {
            let now = left.min(block.len());
            client.write_all(&block[..now])?;
            left -= now;
        }
        return Ok(());
    }
    if let Some(count) = path.strip_prefix("/chunks/") {
        client.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        for _ in 0..number(count) {
            client.write_all(format!("3e8;a=b\r\n{}\r\n", "y".repeat(1000)).as_bytes())?;
        }
        return client.write_all(b"0\r\nchecksum: 1\r\n\r\n");
    }
    let said = format!(
        "{} {} {length}",
        head.word(0),
        head.get("host").unwrap_or_default()
    );
    let reply = match path {
        "/until-close" => format!("HTTP/1.1 200 OK\r\n\r\n{said}"),
        "/nothing" => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        "/elsewhere" => {
            format!("HTTP/1.1 302 Found\r\nLocation: {url}/there\r\ncontent-length: 0\r\n\r\n")
        }
        _ => format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{said}",
            said.len()
        ),
    };
    client.write_all(reply.as_bytes())
}

/// A client that has not more than one connection.
struct Client {
    stream: TcpStream,
    from: BufReader<TcpStream>,
}

impl Client {
    fn of(proxy: &FaultProxy) -> Client {
        let stream = TcpStream::connect(proxy.address()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Client {
            from: BufReader::new(stream.try_clone().unwrap()),
            stream,
        }
    }

    /// Sends a request as it is, and reads the reply: its head, and the content of its body.
    fn say(&mut self, request: &str) -> Result<(Head, String)> {
        self.stream.write_all(request.as_bytes())?;
        let head = Head::read(&mut self.from)?.ok_or(ErrorKind::UnexpectedEof)?;
        let framing = head.framing_of_reply(request.starts_with("HEAD"))?;
        let mut said = Vec::new();
        body(&mut self.from, framing, &mut |part| {
            if let wire::Part::Content(bytes) = part {
                said.extend(bytes);
            }
            Ok(())
        })?;
        Ok((head, String::from_utf8(said).unwrap()))
    }

    fn get(&mut self, path: &str) -> Result<(Head, String)> {
        self.say(&format!(
            "GET {path} HTTP/1.1\r\nHost: proxy\r\nUser-Agent: a test\r\n\r\n"
        ))
    }
}

fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: p\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn both() -> (Origin, FaultProxy) {
    let origin = Origin::start();
    let proxy = FaultProxy::before(&origin.url);
    (origin, proxy)
}

#[test]
fn everything_passes_over_one_connection() {
    let (origin, proxy) = both();
    let host = origin.url.strip_prefix("http://").unwrap();
    let mut client = Client::of(&proxy);
    assert_eq!(client.get("/a?b=c%20d").unwrap().1, format!("GET {host} 0"));
    assert_eq!(
        client.say(&post("/x", r#"{"k": 1}"#)).unwrap().1,
        format!("POST {host} 8")
    );
    let chunked = "PUT /x HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
    assert_eq!(client.say(chunked).unwrap().1, format!("PUT {host} 13"));
    let (head, nothing) = client.say("HEAD /bytes/7 HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(
        (head.get("content-length"), nothing.as_str()),
        (Some("7"), "")
    );
    assert_eq!(client.get("/nothing").unwrap().0.status(), Some(204));
    assert_eq!(client.get("/chunks/5").unwrap().1.len(), 5000);
    let (head, _) = client.get("/elsewhere").unwrap();
    assert_eq!(
        head.get("location"),
        Some(&*format!("{}/there", proxy.url()))
    );
    assert_eq!(
        client.get("/until-close").unwrap().1,
        format!("GET {host} 0")
    );
    let calls: Vec<_> = proxy
        .record()
        .iter()
        .map(|passed| (passed.call(), passed.status))
        .collect();
    assert_eq!(calls.len(), 8);
    assert_eq!(calls[0], ("GET /a?b=c%20d".to_owned(), Some(200)));
    assert_eq!(calls[4], ("GET /nothing".to_owned(), Some(204)));
    assert!(proxy.record().iter().all(|passed| passed.answered));
    proxy.clear();
    assert!(proxy.record().is_empty());
}

#[test]
fn a_record_tells_bodies_and_keeps_no_credentials() {
    let (origin, proxy) = both();
    let mut client = Client::of(&proxy);
    client.say(&post("/json", r#"{"k": [1, 2]}"#)).unwrap();
    client.say(&post("/text", "plain")).unwrap();
    client.say(&post("/long", &"z".repeat(100_000))).unwrap();
    let origin_header = format!(
        "GET /o HTTP/1.1\r\nOrigin: {}\r\nAuthorization: Bearer dapiSECRET\r\nUser-Agent: cli/1.10 x\r\n\r\n",
        proxy.url()
    );
    client.say(&origin_header).unwrap();
    assert_eq!(origin.last().get("origin"), Some(origin.url.as_str()));
    assert_eq!(
        origin.last().get("authorization"),
        Some("Bearer dapiSECRET")
    );
    let record = proxy.record();
    assert_eq!(record[0].body, Content::Json(json!({"k": [1, 2]})));
    assert_eq!(record[1].body, Content::Text("plain".to_owned()));
    let sha256 = "7e9470bdc2048db4667681aed70b1dd034b5310feac2f34e96220565d47638b2".to_owned();
    let length = 100_000;
    assert_eq!(record[2].body, Content::Bytes { length, sha256 });
    assert!(record[3].is_of_the_cli() && !record[2].is_of_the_cli());
    assert!(!format!("{record:?}").contains("SECRET"));
}

#[test]
fn bodies_of_any_size_are_streamed() {
    const SIZE: usize = 300_000_000;
    let (_origin, proxy) = both();
    let before = peak();
    let mut client = Client::of(&proxy);
    let head = format!("PUT /x HTTP/1.1\r\nContent-Length: {SIZE}\r\n\r\n");
    client.stream.write_all(head.as_bytes()).unwrap();
    let block = vec![b'u'; 1_000_000];
    for _ in 0..SIZE / block.len() {
        client.stream.write_all(&block).unwrap();
    }
    let (_, said) = client.say("").unwrap();
    assert!(said.ends_with(&format!(" {SIZE}")), "{said}");
    let request = format!("GET /bytes/{SIZE} HTTP/1.1\r\n\r\n");
    client.stream.write_all(request.as_bytes()).unwrap();
    assert!(Head::read(&mut client.from).unwrap().is_some());
    let mut came = 0;
    body(
        &mut client.from,
        Framing::Length(SIZE as u64),
        &mut |part| {
            came += part.bytes().len();
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(came, SIZE);
    let grown = peak().saturating_sub(before);
    assert!(grown < 50_000_000, "memory grew by {grown} bytes");
}

/// The most memory that this process ever used, in bytes; 0 where the system does not tell.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<usize>().ok());
    kilobytes.unwrap_or(0) * 1024
}

fn sleeper() -> Child {
    Command::new("sleep").arg("600").spawn().unwrap()
}

#[test]
fn a_process_is_killed_before_or_after_the_servers_work() {
    use std::os::unix::process::ExitStatusExt as _;
    for (when, whole) in [(When::Before, 1), (When::After, 2)] {
        let (origin, proxy) = both();
        let victim = Victim::default();
        proxy.at(2, Fault::Kill(victim.clone(), when));
        // Named late, as by a test that has to start it first.
        let naming = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            let child = sleeper();
            victim.is(child.id());
            child
        });
        let mut client = Client::of(&proxy);
        client.get("/one").unwrap();
        assert!(client.get("/two").is_err(), "{when:?}");
        let mut child = naming.join().unwrap();
        // It is dead already: there is nothing to wait for.
        assert_eq!(
            child.try_wait().unwrap().and_then(|how| how.signal()),
            Some(9)
        );
        assert_eq!(origin.whole(), whole, "{when:?}");
        Client::of(&proxy).get("/three").unwrap();
        assert_eq!(proxy.record().len(), 3);
    }
}

#[test]
fn connections_break_where_they_should() {
    for (cut, whole, got) in [
        (Cut::Before, 0, ""),
        (Cut::MidUpload, 0, ""),
        (Cut::After, 1, ""),
        (Cut::MidHeaders, 1, "HTTP/1.1 200"),
        (Cut::MidBody, 1, "\r\n\r\nx"),
        (Cut::Short, 1, "\r\n\r\nx"),
    ] {
        let (origin, proxy) = both();
        proxy.at(1, Fault::Drop(cut));
        let mut client = Client::of(&proxy);
        client
            .stream
            .write_all(post("/bytes/10000", &"b".repeat(1000)).as_bytes())
            .unwrap();
        let mut came = Vec::new();
        let ended = client.from.read_to_end(&mut came);
        match cut {
            Cut::Short => assert!(ended.is_ok()),
            _ => assert_eq!(
                ended.unwrap_err().kind(),
                ErrorKind::ConnectionReset,
                "{cut:?}"
            ),
        }
        let came = String::from_utf8(came).unwrap();
        assert!(
            came.contains(got) && got.is_empty() == came.is_empty(),
            "{cut:?}: {came}"
        );
        let content = came
            .split_once("\r\n\r\n")
            .map_or(0, |(_, content)| content.len());
        let expected = if matches!(cut, Cut::MidBody | Cut::Short) {
            5000
        } else {
            0
        };
        assert_eq!(content, expected, "{cut:?}");
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(origin.whole(), whole, "{cut:?}");
        assert!(!proxy.record()[0].answered);
        assert_eq!(proxy.record()[0].status.is_some(), whole == 1);
        Client::of(&proxy).get("/again").unwrap();
    }
}

#[test]
fn replies_of_unknown_length_break_within_their_first_block() {
    let (_origin, proxy) = both();
    proxy.at(1, Fault::Drop(Cut::MidBody));
    assert!(Client::of(&proxy).get("/chunks/1000").is_err());
}

#[test]
fn answers_take_the_place_of_the_servers() {
    let (origin, proxy) = both();
    let limit = Answer::too_many(Some("7"));
    proxy.add(Rule::new(Fault::Answer(limit, When::Before)).times(2));
    proxy.at(3, Fault::Answer(Answer::status(504), When::After));
    let mut client = Client::of(&proxy);
    for _ in 0..2 {
        let (head, said) = client.say(&post("/long", &"z".repeat(100_000))).unwrap();
        assert_eq!(
            (head.status(), head.get("retry-after")),
            (Some(429), Some("7"))
        );
        assert!(said.contains("REQUEST_LIMIT_EXCEEDED"));
    }
    assert_eq!(origin.whole(), 0);
    assert_eq!(client.get("/x").unwrap().0.status(), Some(504));
    assert_eq!(origin.whole(), 1, "the server has done its work");
    assert_eq!(client.get("/x").unwrap().0.status(), Some(200));
    proxy.add(Rule::new(Fault::Answer(Answer::half_of_some_json(), When::Before)).always());
    assert!(client.get("/x").unwrap().1.ends_with("\"ver"));
    assert!(client.say("HEAD /x HTTP/1.1\r\n\r\n").unwrap().1.is_empty());
    proxy.heal();
    assert!(client.get("/x").unwrap().1.starts_with("GET "));
}

#[test]
fn a_rule_counts_what_it_is_about() {
    let (_origin, proxy) = both();
    let status = |status| Fault::Answer(Answer::status(status), When::Before);
    proxy.at(2, status(418));
    let writes = Rule::new(status(503)).matching(|passed| passed.method == "POST");
    proxy.add(writes.nth(2));
    let mut client = Client::of(&proxy);
    let cli = "GET /cli HTTP/1.1\r\nUser-Agent: cli/1.10.0 databricks-sdk-go/0.1\r\n\r\n";
    let mut got = Vec::new();
    for request in [
        cli,
        &*post("/1", ""),
        cli,
        &*post("/2", ""),
        cli,
        &*post("/3", ""),
    ] {
        got.push(client.say(request).unwrap().0.status().unwrap());
    }
    // Both rules are due at the second POST: the first one has its way.
    assert_eq!(got, [200, 200, 200, 418, 200, 200]);
}

#[test]
fn requests_wait_at_a_gate() {
    let (origin, proxy) = both();
    let gate = Gate::default();
    let rule = Rule::new(Fault::Hold(gate.clone(), When::Before));
    proxy.add(rule.always());
    let ask = || {
        let mut client = Client::of(&proxy);
        std::thread::spawn(move || client.get("/x").unwrap().0.status())
    };
    let (one, other) = (ask(), ask());
    assert!(gate.wait_for(2, Duration::from_secs(10)));
    assert_eq!((gate.waiting(), origin.whole()), (2, 0));
    gate.release();
    let passed = Instant::now();
    while origin.whole() < 1 || gate.waiting() > 1 {
        assert!(passed.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(1));
    }
    gate.open();
    assert_eq!(
        (one.join().unwrap(), other.join().unwrap()),
        (Some(200), Some(200))
    );
    assert_eq!(ask().join().unwrap(), Some(200));
}

#[test]
fn a_server_that_is_gone_looks_so() {
    let unused = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let proxy = FaultProxy::before(&format!("http://{unused}"));
    let error = Client::of(&proxy).get("/x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn it_costs_less_than_a_millisecond() {
    let (_origin, proxy) = both();
    let mut client = Client::of(&proxy);
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let begun = Instant::now();
            client.get("/x").unwrap();
            begun.elapsed()
        })
        .collect();
    times.sort();
    // The server's own work is part of it. The quickest tenth, as this machine has other things to do.
    assert!(times[20] < Duration::from_millis(1), "{:?}", times[20]);
}
