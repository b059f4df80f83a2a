//! Connections over TCP or a Unix socket, which a fault can cut during a request.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, UnixListener};

#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) is_socket: bool,
    cut: Arc<AtomicBool>,
}

impl Connection {
    /// The client finds the connection closed.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }
}

pub(crate) struct Door<L> {
    inner: L,
    is_socket: bool,
}

impl Door<TcpListener> {
    pub(crate) fn tcp(inner: TcpListener) -> Self {
        Door {
            inner,
            is_socket: false,
        }
    }
}

impl Door<UnixListener> {
    pub(crate) fn unix(inner: UnixListener) -> Self {
        Door {
            inner,
            is_socket: true,
        }
    }
}

impl<L: Listener> Listener for Door<L> {
    type Io = Wire<L::Io>;
    type Addr = Connection;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (inner, _) = self.inner.accept().await;
        let connection = Connection {
            is_socket: self.is_socket,
            cut: Arc::default(),
        };
        (
            Wire {
                inner,
                connection: connection.clone(),
            },
            connection,
        )
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(Connection {
            is_socket: self.is_socket,
            cut: Arc::default(),
        })
    }
}

impl<L: Listener> Connected<IncomingStream<'_, Door<L>>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Door<L>>) -> Connection {
        stream.remote_addr().clone()
    }
}

/// A stream that fails after it was cut.
pub(crate) struct Wire<S> {
    inner: S,
    connection: Connection,
}

impl<S: Unpin> Wire<S> {
    fn check(&self) -> io::Result<()> {
        match self.connection.cut.load(Ordering::SeqCst) {
            true => Err(io::ErrorKind::ConnectionReset.into()),
            false => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
