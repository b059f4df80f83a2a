//! The user's own Databricks workspaces, which no command under test may reach.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What a test finds in the log when the workspace of a profile was reached.
const REFUSAL: &str =
    "{\"error_code\":\"REACHED\",\"message\":\"a workspace of the user's own was reached\"}";

/// The workspaces of a `~/.databrickscfg`, as `databricks auth login` leaves one: the profiles `DEFAULT` and
/// `acme`, both with a token. Whoever calls one is refused and remembered, and dropping this fails the test.
#[derive(Debug)]
pub struct OtherWorkspaces {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
}

impl OtherWorkspaces {
    /// Writes the configuration file into a home folder, and listens at the address that it names.
    ///
    /// # Panics
    /// When no port can be had, or the file cannot be written.
    #[must_use]
    pub fn of(home: &Path) -> OtherWorkspaces {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a port");
        let port = address.port();
        let text = format!(
            "[DEFAULT]\nhost  = http://127.0.0.1:{port}\ntoken = dapiCANARYofDEFAULT\n\n\
             [acme]\nhost  = http://localhost:{port}\ntoken = dapiCANARYofAcme\n"
        );
        std::fs::write(home.join(".databrickscfg"), text).expect("a file");
        let others = OtherWorkspaces {
            address,
            calls: Arc::default(),
            ended: Arc::default(),
        };
        let (calls, ended) = (Arc::clone(&others.calls), Arc::clone(&others.ended));
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let call = refuse(&mut client);
                let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
                calls.push(call);
            }
        });
        others
    }
}

/// Answers a call, and returns its first line.
fn refuse(client: &mut TcpStream) -> String {
    let _ = client.set_read_timeout(Some(Duration::from_secs(5)));
    let mut head = [0; 4096];
    let length = client.read(&mut head).unwrap_or_default();
    let answer = format!(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{REFUSAL}",
        REFUSAL.len()
    );
    let _ = client.write_all(answer.as_bytes());
    let text = String::from_utf8_lossy(&head[..length]);
    text.lines().next().unwrap_or_default().to_owned()
}

impl Drop for OtherWorkspaces {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // The thread that accepts wakes up and sees it.
        let _ = TcpStream::connect(self.address);
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(
            calls.is_empty() || std::thread::panicking(),
            "a workspace of ~/.databrickscfg was reached: {calls:?}"
        );
    }
}
