//! Signs tokens as GitHub does for a job with `id-token: write`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use xtask_testkit::repository;

/// As GitHub names itself.
pub(super) const NAME: &str = "https://token.actions.githubusercontent.com";
/// The token with which the job asks for signed ones.
pub(super) const REQUEST_TOKEN: &str = "of-the-job";

/// A running issuer; it ends with the test's process.
pub(super) struct Issuer {
    key: RsaKeyPair,
    /// Whose tokens it signs at present: which environment the job is of, act does not say.
    subject: Mutex<String>,
}

impl Issuer {
    /// Starts it; gives it and the address at which jobs ask.
    pub(super) fn start() -> (Arc<Issuer>, String) {
        let key =
            repository().join("xtask/crates/workspace/tests/it/fixtures/issuer-rsa.pkcs8.der");
        let key = RsaKeyPair::from_pkcs8(&std::fs::read(key).unwrap()).unwrap();
        let issuer = Arc::new(Issuer {
            key,
            subject: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::clone(&issuer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                served.answer(&stream.unwrap());
            }
        });
        (issuer, format!("http://{address}/token?api-version=2.0"))
    }

    /// From now on jobs are those of this environment.
    pub(super) fn environment(&self, name: &str) {
        *self.subject.lock().unwrap() = subject(name);
    }

    /// The key by which its tokens are known.
    pub(super) fn keys(&self) -> Value {
        let key = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(self.key.public());
        json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one",
            "n": BASE64.encode(key.n), "e": BASE64.encode(key.e)}]})
    }

    /// One request: `GET /token?api-version=2.0&audience=A`, with the job's token.
    fn answer(&self, mut stream: &TcpStream) {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let request = lines.next().unwrap_or_default();
        let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let bearer = format!("authorization: bearer {REQUEST_TOKEN}");
        let known = headers.iter().any(|line| line.to_lowercase() == bearer);
        let audience = request
            .split_once("audience=")
            .map(|(_, rest)| rest.split([' ', '&']).next().unwrap_or_default())
            .unwrap_or_default();
        let audience = percent_encoding::percent_decode_str(audience).decode_utf8_lossy();
        let (status, body) = match known {
            true => (
                "200 OK",
                json!({"value": self.token(&audience)}).to_string(),
            ),
            false => ("401 Unauthorized", String::new()),
        };
        let length = body.len();
        let reply = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        // A client that has gone needs no answer.
        let _ = stream.write_all(reply.as_bytes());
    }

    fn token(&self, audience: &str) -> String {
        let now = xtask_remote::Timestamp::now().as_second();
        let subject = self.subject.lock().unwrap().clone();
        let part = |value: Value| BASE64.encode(value.to_string());
        let signed = format!(
            "{}.{}",
            part(json!({"alg": "RS256", "kid": "one", "typ": "JWT"})),
            part(
                json!({"iss": NAME, "sub": subject, "aud": audience, "iat": now, "nbf": now - 5, "exp": now + 300})
            ),
        );
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{signed}.{}", BASE64.encode(signature))
    }
}

/// The subject of a job's token.
pub(super) fn subject(environment: &str) -> String {
    format!("repo:acme/taxi:environment:{environment}")
}
