//! Limits for connections: how many, and how long the head of a request may take.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections at a time; more wait.
    pub most: usize,
    /// Time for the head of a request, and between two requests.
    pub head: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            most: 1024,
            head: Duration::from_secs(90),
        }
    }
}

/// Serves until `hung_up` resolves, then finishes open requests.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    hung_up: impl Future<Output = ()>,
) -> io::Result<()> {
    let (closing, closed) = watch::channel(false);
    let room = Arc::new(Semaphore::new(limits.most));
    tokio::pin!(hung_up);
    loop {
        let (stream, permit) = tokio::select! {
            next = next(&listener, &room) => next?,
            () = &mut hung_up => break,
        };
        let (service, closed) = (TowerToHyperService::new(router.clone()), closed.clone());
        tokio::spawn(async move {
            answer(stream, service, limits.head, closed).await;
            drop(permit);
        });
    }
    drop((listener, closed));
    closing.send_replace(true);
    closing.closed().await;
    Ok(())
}

async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = room
        .clone()
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Replies are small and urgent.
                drop(stream.set_nodelay(true));
                return Ok((stream, permit));
            }
            // The client has gone, or this process has too many open files: neither stops the server.
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn answer(
    stream: TcpStream,
    service: TowerToHyperService<Router>,
    head: Duration,
    mut closed: watch::Receiver<bool>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let hung_up = async { drop(closed.wait_for(|closed| *closed).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = hung_up => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn a_request_that_never_comes_to_its_end_holds_nobody_up_for_ever() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits {
            most: 2,
            head: Duration::from_millis(300),
        };
        let (hang_up, hung_up) = tokio::sync::oneshot::channel::<()>();
        let router = Router::new().route("/", get(|| async { "here" }));
        let server = tokio::spawn(serve(listener, router, limits, async {
            drop(hung_up.await);
        }));
        let mut silent = Vec::new();
        for begun in ["", "GET / HTTP/1.1\r\nhost: x\r\n"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(begun.as_bytes()).await.unwrap();
            silent.push(stream);
        }
        // All places are taken; this one gets its turn when they are given up.
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        assert!(reply.ends_with("here"), "{reply}");
        for mut stream in silent {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap();
        }
        hang_up.send(()).unwrap();
        server.await.unwrap().unwrap();
    }
}
