//! Passes requests and replies on, and does the harm that the rules say.

use std::io::{BufReader, Error, ErrorKind, Result, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::SockRef;

use super::faults::{Answer, Cut, Fault, When};
use super::record::{Content, KEPT, Passed, Record, Seen};
use super::rules::Rules;
use super::wire::{Framing, Head, Part, body};

/// How much is read at once.
const BLOCK: usize = 128 * 1024;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Passing {
    pub(super) address: SocketAddr,
    pub(super) rules: Rules,
    pub(super) record: Record,
    upstream: String,
}

/// A request on its way.
struct Request {
    head: Head,
    framing: Framing,
    /// A short body; a long one is still on the wire.
    short: Option<Vec<u8>>,
    number: usize,
    fault: Option<Fault>,
}

impl Request {
    fn to_head(&self) -> bool {
        self.head.word(0) == "HEAD"
    }

    /// Whether the client would use the connection again.
    fn keeps(&self) -> bool {
        !self.head.is("connection", "close") && self.head.word(2) != "HTTP/1.0"
    }

    fn cut(&self) -> Option<Cut> {
        match self.fault {
            Some(Fault::Drop(cut)) => Some(cut),
            _ => None,
        }
    }
}

impl Passing {
    pub(super) fn new(address: SocketAddr, upstream: String) -> Passing {
        Passing {
            address,
            rules: Rules::default(),
            record: Record::default(),
            upstream,
        }
    }

    /// Serves one client until either side has had enough.
    ///
    /// # Errors
    /// When the connection breaks, by itself or by a rule.
    pub(super) fn serve(&self, client: &TcpStream) -> Result<()> {
        client.set_nodelay(true)?;
        let mut from = BufReader::with_capacity(BLOCK, client);
        while let Some(head) = Head::read(&mut from)? {
            let request = self.receive(client, &mut from, head)?;
            if !self.pass(client, &mut from, &request)? {
                break;
            }
        }
        // Who still sends hears the end of the answer before the reset.
        client.shutdown(Shutdown::Write)
    }

    /// Reads a request as far as is needed to tell what happens to it.
    fn receive(
        &self,
        mut client: &TcpStream,
        from: &mut BufReader<&TcpStream>,
        mut head: Head,
    ) -> Result<Request> {
        if head.is("expect", "100-continue") {
            client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            head.remove("expect");
        }
        let framing = head.framing()?;
        let mut passed = described(&head);
        let short = match framing {
            Framing::Length(length) if length <= KEPT as u64 => {
                let (mut whole, mut seen) = (Vec::new(), Seen::new());
                body(from, framing, &mut |part| {
                    whole.extend(part.bytes());
                    seen.more(part.bytes());
                    Ok(())
                })?;
                passed.body = seen.content();
                Some(whole)
            }
            _ => None,
        };
        let number = self.record.add(passed.clone());
        let fault = self.rules.due(&passed);
        Ok(Request {
            head,
            framing,
            short,
            number,
            fault,
        })
    }

    /// Passes a request on and its reply back; whether the connection stays.
    fn pass(
        &self,
        mut client: &TcpStream,
        from: &mut BufReader<&TcpStream>,
        request: &Request,
    ) -> Result<bool> {
        if let Some(answer) = self.trouble(client, request, When::Before)? {
            self.upload(from, request, &mut |_| Ok(()))?;
            return self.answer(client, request, answer);
        }
        let mut server = self.forward(client, from, request)?;
        let mut reply = self.reply(client, &mut server)?;
        let status = reply.status();
        self.record
            .change(request.number, |passed| passed.status = status);
        let framing = reply.framing_of_reply(request.to_head())?;
        if request.cut() == Some(Cut::After) || self.is_late(request) {
            // The server has done its work only when it has said everything.
            let mut rest = Vec::new();
            body(&mut server, framing, &mut |part| {
                rest.extend(part.bytes());
                Ok(())
            })?;
            if let Some(answer) = self.trouble(client, request, When::After)? {
                return self.answer(client, request, answer);
            }
            client.write_all(&self.as_ours(&mut reply, request, framing))?;
            client.write_all(&rest)?;
        } else {
            let head = self.as_ours(&mut reply, request, framing);
            if request.cut() == Some(Cut::MidHeaders) {
                client.write_all(&head[..head.len() / 2])?;
                return reset(client);
            }
            client.write_all(&head)?;
            self.download(client, &mut server, framing, request.cut())?;
        }
        self.record
            .change(request.number, |passed| passed.answered = true);
        Ok(request.keeps() && framing != Framing::UntilClosed)
    }

    /// Whether a fault of the request comes after the server's work and needs its whole reply.
    fn is_late(&self, request: &Request) -> bool {
        matches!(
            request.fault,
            Some(
                Fault::Kill(_, When::After)
                    | Fault::Answer(_, When::After)
                    | Fault::Hold(_, When::After)
                    | Fault::Delay(_, When::After)
            )
        )
    }

    /// Does what the rules say for this moment. An answer to give instead, if there is one; an error
    /// where the connection ends.
    fn trouble<'a>(
        &self,
        client: &TcpStream,
        request: &'a Request,
        now: When,
    ) -> Result<Option<&'a Answer>> {
        match request.fault.as_ref() {
            Some(Fault::Kill(victim, when)) if *when == now => {
                // The request of somebody dead is not passed on: nobody could have sent it.
                victim.kill();
                reset(client)
            }
            Some(Fault::Drop(Cut::Before)) if now == When::Before => reset(client),
            Some(Fault::Drop(Cut::After)) if now == When::After => reset(client),
            Some(Fault::Answer(answer, when)) if *when == now => Ok(Some(answer)),
            Some(Fault::Hold(gate, when)) if *when == now => match gate.pass() {
                true => Ok(None),
                false => reset(client),
            },
            Some(Fault::Delay(time, when)) if *when == now => {
                std::thread::sleep(*time);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Gives an answer of our own.
    fn answer(&self, mut client: &TcpStream, request: &Request, answer: &Answer) -> Result<bool> {
        client.write_all(&answer.bytes(request.to_head()))?;
        self.record.change(request.number, |passed| {
            passed.status = Some(answer.status);
            passed.answered = true;
        });
        Ok(request.keeps())
    }

    /// Sends a request to the server.
    fn forward(
        &self,
        client: &TcpStream,
        from: &mut BufReader<&TcpStream>,
        request: &Request,
    ) -> Result<BufReader<TcpStream>> {
        let mut server = match TcpStream::connect(&self.upstream) {
            Ok(server) => server,
            // As if nobody listened here either, as far as that can be had.
            Err(_) => return reset(client),
        };
        server.set_nodelay(true)?;
        let mut head = request.head.clone();
        let (ours, theirs) = (
            format!("http://{}", self.address),
            format!("http://{}", self.upstream),
        );
        head.set("host", &self.upstream);
        head.set("connection", "close");
        head.rename("origin", &ours, &theirs);
        head.rename("referer", &ours, &theirs);
        server.write_all(&head.bytes())?;
        let half = match (request.cut(), request.framing) {
            (Some(Cut::MidUpload), Framing::Length(length)) => Some(length / 2),
            (Some(Cut::MidUpload), _) => Some(1),
            _ => None,
        };
        // A server that refuses need not read on; its answer counts, and the client says its all.
        let mut listens = true;
        let mut to_server = server.try_clone()?;
        let mut limit = half;
        let sent = self.upload(from, request, &mut |part| {
            let bytes = within(part, &mut limit);
            listens = listens && to_server.write_all(bytes).is_ok();
            match limit {
                Some(0) => Err(ErrorKind::ConnectionAborted.into()),
                _ => Ok(()),
            }
        });
        if half.is_some() {
            pause_for_what_is_sent();
            let _: Result<()> = reset(&server);
            return reset(client);
        }
        sent?;
        Ok(BufReader::with_capacity(BLOCK, server))
    }

    /// Hands the body of a request on, and keeps what is recorded of it.
    fn upload(
        &self,
        from: &mut BufReader<&TcpStream>,
        request: &Request,
        each: &mut dyn FnMut(Part<'_>) -> Result<()>,
    ) -> Result<()> {
        if let Some(short) = &request.short {
            return each(Part::Content(short));
        }
        let mut seen = Seen::new();
        let ended = body(from, request.framing, &mut |part| {
            if let Part::Content(bytes) = part {
                seen.more(bytes);
            }
            each(part)
        });
        let content = seen.content();
        self.record
            .change(request.number, |passed| passed.body = content);
        ended
    }

    /// The head of the server's reply.
    fn reply(&self, client: &TcpStream, server: &mut BufReader<TcpStream>) -> Result<Head> {
        loop {
            match Head::read(server) {
                // It may send early hints, and go on.
                Ok(Some(head)) if matches!(head.status(), Some(100 | 102..=199)) => {}
                Ok(Some(head)) => return Ok(head),
                // The server hung up: so do we.
                _ => return reset(client),
            }
        }
    }

    /// The head of a reply as if it were ours.
    fn as_ours(&self, reply: &mut Head, request: &Request, framing: Framing) -> Vec<u8> {
        let stays = request.keeps() && framing != Framing::UntilClosed;
        reply.set("connection", if stays { "keep-alive" } else { "close" });
        reply.rename(
            "location",
            &format!("http://{}", self.upstream),
            &format!("http://{}", self.address),
        );
        reply.bytes()
    }

    /// Hands the body of a reply on.
    fn download(
        &self,
        mut client: &TcpStream,
        server: &mut BufReader<TcpStream>,
        framing: Framing,
        cut: Option<Cut>,
    ) -> Result<()> {
        let cut = cut.filter(|cut| matches!(cut, Cut::MidBody | Cut::Short));
        let mut limit = cut.map(|_| match framing {
            Framing::Length(length) => length / 2,
            _ => 1,
        });
        let ended = body(server, framing, &mut |part| {
            client.write_all(within(part, &mut limit))?;
            match limit {
                Some(0) => Err(ErrorKind::ConnectionAborted.into()),
                _ => Ok(()),
            }
        });
        match cut {
            None => ended.or_else(|_| reset(client)),
            Some(Cut::Short) => Err(ErrorKind::ConnectionAborted.into()),
            Some(_) => reset(client),
        }
    }
}

/// As much of a part as a limit on content allows; the limit goes down by it.
fn within<'a>(part: Part<'a>, limit: &mut Option<u64>) -> &'a [u8] {
    match (part, limit) {
        (Part::Content(bytes), Some(left)) => {
            let allowed = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
            *left -= allowed as u64;
            &bytes[..allowed]
        }
        (Part::Content(bytes) | Part::Frame(bytes), _) => bytes,
    }
}

/// Ends a connection as a machine does that knows nothing of it. Always an error, for whoever is
/// about to use it.
fn reset<T>(stream: &TcpStream) -> Result<T> {
    pause_for_what_is_sent();
    // Without lingering, closing is a reset. The last handle closes it: that of the thread which serves.
    SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
    Err(Error::from(ErrorKind::ConnectionReset))
}

/// Lets the other side read what was sent: a reset may overtake it.
fn pause_for_what_is_sent() {
    std::thread::sleep(Duration::from_millis(5));
}

fn described(head: &Head) -> Passed {
    let headers = head.headers.iter().map(|(name, value)| {
        let name = name.to_ascii_lowercase();
        let secret = matches!(
            name.as_str(),
            "authorization" | "cookie" | "proxy-authorization"
        );
        let value = if secret {
            "…".to_owned()
        } else {
            value.clone()
        };
        (name, value)
    });
    Passed {
        method: head.word(0).to_owned(),
        path: head.word(1).to_owned(),
        headers: headers.collect(),
        body: Content::Empty,
        status: None,
        answered: false,
    }
}
