//! A proxy between the operator and Astra that kills the operator at one chosen call, or only loses the answer.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::harness::wait::within_time;

/// What happens at a call: where in it the operator dies, or that it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// The operator has sent it; Astra never gets it.
    Unsent,
    /// Astra has carried it out; the operator never gets the answer.
    Unanswered,
    /// The answer is on its way to the operator.
    Answered,
    /// Astra has carried it out, and the connection breaks; the operator lives and does not know.
    Lost,
}

/// All of them.
pub(crate) const POINTS: [Point; 4] = [Point::Unsent, Point::Unanswered, Point::Answered, Point::Lost];

impl Point {
    /// Does the operator die?
    pub(crate) fn kills(self) -> bool {
        self != Self::Lost
    }
}

/// What happens when, and to whom.
struct Strike {
    /// Calls that change something before it is time.
    calls: usize,
    point: Point,
    victim: Pid,
}

/// What has been set up, and what has come of it.
#[derive(Default)]
struct Orders {
    strike: Option<Strike>,
    struck: bool,
}

/// A running proxy. It lets everything through until it is told to strike, and everything again after that.
pub(crate) struct Proxy {
    pub(crate) url: String,
    orders: Arc<Mutex<Orders>>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// Starts it in front of the server at this URL.
    pub(crate) async fn start(url: &str) -> Self {
        let upstream = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let orders = Arc::new(Mutex::new(Orders::default()));
        let listening = tokio::spawn({
            let orders = orders.clone();
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let (upstream, orders) = (upstream.clone(), orders.clone());
                    // A connection that breaks is one that broke for both sides.
                    tokio::spawn(async move { pass(client, &upstream, &orders).await.ok() });
                }
            }
        });
        Self { url, orders, listening }
    }

    /// Strikes the process at the `call`th call from now on that changes something, counted from 0.
    pub(crate) fn strike(&self, call: usize, point: Point, victim: Pid) {
        *self.orders.lock().unwrap() =
            Orders { strike: Some(Strike { calls: call, point, victim }), struck: false };
    }

    /// Waits until it has struck.
    pub(crate) async fn struck(&self, deadline: Duration) {
        let killed = async {
            while !self.orders.lock().unwrap().struck {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        within_time(deadline, "the call to strike at", killed).await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Passes the calls of one connection on, one after the other.
async fn pass(client: TcpStream, upstream: &str, orders: &Mutex<Orders>) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut astra = BufReader::new(TcpStream::connect(upstream).await?);
    while let Some(request) = message(&mut client).await? {
        let fate = fate(orders, &request);
        let strikes = |at: Point| match &fate {
            Some(strike) if strike.point == at => {
                if at.kills() {
                    // SIGKILL: nothing of the process runs after this.
                    kill_process(strike.victim, Signal::KILL).unwrap();
                }
                orders.lock().unwrap().struck = true;
                true
            }
            _ => false,
        };
        if strikes(Point::Unsent) {
            return Ok(());
        }
        astra.get_mut().write_all(&request).await?;
        let answer = message(&mut astra).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if strikes(Point::Unanswered) || strikes(Point::Lost) {
            return Ok(());
        }
        client.get_mut().write_all(&answer).await?;
        if strikes(Point::Answered) {
            return Ok(());
        }
    }
    Ok(())
}

/// Is this the call to strike at? Then the order is taken out: it is carried out once.
fn fate(orders: &Mutex<Orders>, request: &[u8]) -> Option<Strike> {
    if request.starts_with(b"GET ") {
        return None;
    }
    let mut orders = orders.lock().unwrap();
    let strike = orders.strike.as_mut()?;
    match strike.calls.checked_sub(1) {
        Some(left) => strike.calls = left,
        None => return orders.strike.take(),
    }
    None
}

/// One message of HTTP/1.1 as it stands, with its body; nothing when the connection ends before one.
async fn message(from: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let start = bytes.len();
        if from.read_until(b'\n', &mut bytes).await? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&bytes[start..]).to_ascii_lowercase();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        // Neither side sends one; were that to change, the bodies here would be cut off without a word.
        assert!(!line.starts_with("transfer-encoding:"), "a body without a length");
    }
    let head = bytes.len();
    bytes.resize(head + length, 0);
    from.read_exact(&mut bytes[head..]).await?;
    Ok(Some(bytes))
}
