//! A server on the loopback address that answers with hand-written bytes.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What happens after a request was read.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// These bytes, and the connection is closed.
    Say(String),
    /// These bytes, and then nothing more, for ever.
    Hang(String),
    /// These bytes, and then a reset.
    Reset(String),
}

pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers one connection after the other, one reply each.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, mut replies) = (Arc::clone(&requests), replies.into_iter().collect::<VecDeque<_>>());
        tokio::spawn(async move {
            while let Some(reply) = replies.pop_front() {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(converse(stream, reply, Arc::clone(&seen)));
            }
        });
        Self { url, requests }
    }

    /// The requests as they came over the wire.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn converse(mut stream: TcpStream, reply: Reply, seen: Arc<Mutex<Vec<String>>>) {
    let request = read(&mut stream).await;
    seen.lock().unwrap().push(request);
    let (Reply::Say(text) | Reply::Hang(text) | Reply::Reset(text)) = &reply;
    // The client may have hung up; that is what some tests are about.
    let _ = stream.write_all(text.as_bytes()).await;
    match reply {
        Reply::Say(_) => {
            let _ = stream.shutdown().await;
        }
        Reply::Hang(_) => std::future::pending().await,
        Reply::Reset(_) => stream.set_zero_linger().unwrap(),
    }
}

/// One whole request: head, and as much body as it says.
async fn read(stream: &mut TcpStream) -> String {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "half a request: {text}");
        bytes.extend_from_slice(&buffer[..count]);
    }
}

/// An answer with a body and its length.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Reply {
    Reply::Say(format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    ))
}
