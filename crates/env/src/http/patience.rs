//! Connections that end when nobody says anything on them, or takes what is sent to them.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::BoxIo;

/// Until so many bytes arrived, the server does not know which version of HTTP it is
/// spoken to in, and has no time limit of its own.
const PREFACE: usize = 24;

/// A connection that gives up on a peer who says nothing, and on one who takes nothing.
pub(super) struct PatientIo {
    io: BoxIo,
    /// When to give up, and how many bytes are missing until then.
    silence: Option<(Pin<Box<Sleep>>, usize)>,
    patience: Duration,
    /// Since when nothing can be sent.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl PatientIo {
    /// Waits `silence` for the first bytes, and `patience` for a receiver.
    pub(super) fn new(io: BoxIo, silence: Duration, patience: Duration) -> Self {
        Self { io, silence: Some((Box::pin(sleep(silence)), PREFACE)), patience, stalled: None }
    }

    fn judge<T>(&mut self, cx: &mut Context<'_>, sent: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            self.stalled = None;
            return sent;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for PatientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buffer);
        let arrived = buffer.filled().len() - before;
        match &mut self.silence {
            Some((_, missing)) if arrived >= *missing => self.silence = None,
            Some((end, missing)) => {
                *missing -= arrived;
                if end.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
            None => {}
        }
        read
    }
}

impl AsyncWrite for PatientIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Whoever is answered has said enough.
        self.silence = None;
        let sent = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.judge(cx, sent)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.io).poll_flush(cx);
        self.judge(cx, sent)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.io).poll_shutdown(cx);
        self.judge(cx, sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.silence = None;
        let sent = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.judge(cx, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const SILENCE: Duration = Duration::from_secs(10);
    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_takes_nothing_is_given_up() {
        // A thousand of them would take all connections there are, for ever.
        let (near, mut far) = tokio::io::duplex(10);
        let mut io = PatientIo::new(Box::new(near), SILENCE, PATIENCE);
        io.write_all(b"0123456789").await.unwrap();
        let read = async {
            sleep(Duration::from_secs(20)).await;
            let mut ten = [0; 10];
            far.read_exact(&mut ten).await.unwrap();
        };
        let (written, ()) = tokio::join!(io.write_all(b"0123456789"), read);
        written.unwrap();
        let error = io.write_all(b"x").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_spoken_may_be_silent() {
        // Connections that are kept for the next request would end under the client.
        let (near, mut far) = tokio::io::duplex(100);
        let mut io = PatientIo::new(Box::new(near), SILENCE, PATIENCE);
        far.write_all(&[b'x'; PREFACE + 1]).await.unwrap();
        let mut taken = [0; PREFACE];
        io.read_exact(&mut taken).await.unwrap();
        sleep(SILENCE * 10).await;
        assert_eq!(io.read_u8().await.unwrap(), b'x');
    }
}
