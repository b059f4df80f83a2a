//! A proxy before one server that does what networks, gateways and power cuts do.
//!
//! It passes HTTP/1.1 on unchanged but for the names of the two servers, streams bodies of any size, keeps
//! a record of the requests, and at the chosen ones does harm: see [`Fault`]. It works on the bytes
//! of connections rather than through an HTTP library, because half a header is no thing of a library's.

mod faults;
mod gate;
mod passing;
mod record;
mod rules;
#[cfg(test)]
mod tests;
mod victim;
mod wire;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use self::faults::{Answer, Cut, Fault, When};
pub use self::gate::Gate;
pub use self::record::{Content, Passed};
pub use self::rules::Rule;
pub use self::victim::Victim;

use self::passing::Passing;

/// A running proxy. It ends when it is dropped; connections that are open then end with their clients.
///
/// ```no_run
/// # use xtask_testkit::{Fault, FaultProxy, Victim, When, Workspace};
/// let workspace = Workspace::start();
/// let proxy = FaultProxy::before(&workspace.url());
/// let victim = Victim::default();
/// proxy.at(3, Fault::Kill(victim.clone(), When::After));
/// // Start the program on `proxy.url()`, then `victim.is(child.id())`.
/// ```
#[derive(Debug)]
pub struct FaultProxy {
    passing: Arc<Passing>,
    ended: Arc<AtomicBool>,
}

impl FaultProxy {
    /// Starts before the server at `url` (`http://HOST:PORT`).
    ///
    /// # Panics
    /// When the address is another kind of address, or no port can be had.
    #[must_use]
    pub fn before(url: &str) -> FaultProxy {
        let upstream = url.strip_prefix("http://").unwrap_or_default();
        let upstream = upstream.trim_end_matches('/').to_owned();
        assert!(
            upstream.contains(':') && !upstream.contains('/'),
            "{url} is no http://HOST:PORT"
        );
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a port");
        let passing = Arc::new(Passing::new(address, upstream));
        let ended = Arc::new(AtomicBool::new(false));
        let proxy = FaultProxy {
            passing: Arc::clone(&passing),
            ended: Arc::clone(&ended),
        };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let passing = Arc::clone(&passing);
                // A client that hangs up early is its own affair.
                std::thread::spawn(move || drop(passing.serve(&client)));
            }
        });
        proxy
    }

    /// The address that clients use.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Does this at the `n`-th request from now on, the first being 1. Requests of the Databricks CLI
    /// are not counted; see [`Rule`] for other choices.
    pub fn at(&self, n: usize, fault: Fault) {
        self.add(Rule::new(fault).nth(n));
    }

    /// Adds a rule. It counts from now on. Where several are due, the first one has its way.
    pub fn add(&self, rule: Rule) {
        self.passing.rules.add(rule);
    }

    /// Takes all rules away.
    pub fn heal(&self) {
        self.passing.rules.clear();
    }

    /// The requests so far, in the order in which they came.
    #[must_use]
    pub fn record(&self) -> Vec<Passed> {
        self.passing.record.all()
    }

    /// Forgets the requests so far; the rules stay and go on counting.
    pub fn clear(&self) {
        self.passing.record.clear();
    }

    fn address(&self) -> SocketAddr {
        self.passing.address
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // The thread that accepts wakes up and sees it.
        let _ = TcpStream::connect(self.address());
    }
}
