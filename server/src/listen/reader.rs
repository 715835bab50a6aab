//! A connection whose other side may stop reading: what is written then waits in this program, and the connection with
//! it, for as long as they like.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// A stream that breaks when nothing of what is written to it is taken for too long.
pub struct Unread<S> {
    stream: S,
    patience: Duration,
    /// When it is over, while something waits to be taken. Kept from one time to the next, as answers are many.
    end: Pin<Box<Sleep>>,
    waits: bool,
}

impl<S> Unread<S> {
    /// The stream with so much patience.
    pub fn new(stream: S, patience: Duration) -> Self {
        let end = Box::pin(tokio::time::sleep(patience));
        Self { stream, patience, end, waits: false }
    }

    /// What came of writing, unless it is too late.
    fn in_time(&mut self, context: &mut Context<'_>, written: Poll<Result<usize>>) -> Poll<Result<usize>> {
        if written.is_ready() {
            self.waits = false;
            return written;
        }
        if !self.waits {
            self.waits = true;
            self.end.as_mut().reset(Instant::now() + self.patience);
        }
        ready!(self.end.as_mut().poll(context));
        let sentence = "nothing of an answer was read for too long";
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, sentence)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Unread<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unread<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const PATIENCE: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_takes_nothing_is_given_up_on() {
        let (here, _there) = duplex(4);
        let begin = Instant::now();
        let error = Unread::new(here, PATIENCE).write_all(b"a red boat").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), PATIENCE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_takes_a_little_now_and_then_gets_it_all() {
        let (here, mut there) = duplex(4);
        let writing = tokio::spawn(async move { Unread::new(here, PATIENCE).write_all(&[7; 40]).await });
        for _ in 0..10 {
            tokio::time::sleep(PATIENCE / 2).await;
            there.read_exact(&mut [0; 4]).await.unwrap();
        }
        writing.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_on_which_nothing_is_written_for_an_hour_is_still_good() {
        let (here, mut there) = duplex(4);
        let mut here = Unread::new(here, PATIENCE);
        tokio::time::sleep(Duration::from_hours(1)).await;
        here.write_all(b"boat").await.unwrap();
        there.read_exact(&mut [0; 4]).await.unwrap();
    }
}
