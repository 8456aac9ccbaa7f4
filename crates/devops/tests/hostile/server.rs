//! A server that does with each connection what a script says, step by step.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// One step with a connection.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Reads the whole request.
    Read,
    /// Says this.
    Say(Vec<u8>),
    /// Says this again and again, until the other side hangs up.
    Endlessly(Vec<u8>),
    /// Says this, byte by byte, each after this long.
    Drip(Vec<u8>, Duration),
    /// Says nothing more, and keeps the connection.
    Hang,
    /// Cuts the connection without a word.
    Reset,
}

pub(crate) fn say(text: impl AsRef<[u8]>) -> Step {
    Step::Say(text.as_ref().to_vec())
}

pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Plays the script with each connection; at its end it is closed.
    pub(crate) async fn start(script: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, seen) = (script.clone(), seen.clone());
                tokio::spawn(async move {
                    let mut stream = stream;
                    if !play(&mut stream, &script, &seen).await {
                        reset(stream);
                    }
                });
            }
        });
        Self { url, requests }
    }

    /// The requests that were read.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn reset(stream: TcpStream) {
    // Closing it with nothing to linger for sends a reset.
    let _ = stream.set_zero_linger();
    drop(stream);
}

/// Plays the script. False when the connection is to be cut and not to be closed.
pub(crate) async fn play<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    script: &[Step],
    seen: &Mutex<Vec<String>>,
) -> bool {
    for step in script {
        // Who hangs up early is what many of the tests are about.
        let result = match step {
            Step::Read => read(stream).await.map(|request| seen.lock().unwrap().push(request)),
            Step::Say(bytes) => stream.write_all(bytes).await,
            Step::Endlessly(bytes) => loop {
                if let Err(error) = stream.write_all(bytes).await {
                    break Err(error);
                }
            },
            Step::Drip(bytes, pause) => drip(stream, bytes, *pause).await,
            Step::Hang => std::future::pending().await,
            Step::Reset => return false,
        };
        if result.is_err() {
            return true;
        }
    }
    let _ = stream.shutdown().await;
    true
}

async fn drip<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        stream.flush().await?;
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// One whole request: its head, and as much of a body as it announces.
async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<String> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Ok(text);
            }
        }
        match stream.read(&mut buffer).await? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
