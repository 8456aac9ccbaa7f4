//! A way that can be broken: between an operator and the API server, or between it and the simulator, where what goes
//! over the wire is noted.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use kube::config::Kubeconfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// How the way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As if it were not there.
    Open,
    /// Every connection is closed, and new ones are closed at once.
    Cut,
    /// Nothing gets through, and nobody is told. What was sent arrives when the way is open again.
    BlackHole,
    /// Everything arrives, this much later.
    Slow(Duration),
}

/// A proxy of TCP connections. It runs on a thread of its own, so that a test that blocks does not block it.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    way: watch::Sender<Way>,
    requests: Requests,
}

/// The request lines that were carried in the clear, and when.
type Requests = Arc<Mutex<Vec<(Instant, String)>>>;

impl Proxy {
    /// A proxy to `host:port`.
    pub(crate) fn to(target: &str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (way, ways) = watch::channel(Way::Open);
        let requests = Requests::default();
        let (target, noted) = (target.to_owned(), requests.clone());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(listener, target, ways, noted));
        });
        Self { address, way, requests }
    }

    /// A proxy to the API server of `kubeconfig`, and a kubeconfig in `directory` that leads through it.
    pub(crate) fn to_api_server(kubeconfig: &Path, directory: &Path) -> (Self, PathBuf) {
        let mut config = Kubeconfig::read_from(kubeconfig).unwrap();
        let cluster = config.clusters[0].cluster.as_mut().unwrap();
        let server = cluster.server.clone().unwrap();
        let target = server.trim_start_matches("https://").trim_end_matches('/').to_owned();
        let proxy = Self::to(&target);
        cluster.server = Some(format!("https://{}", proxy.address));
        // The certificate is still the API server's.
        let host = target.rsplit_once(':').unwrap().0.to_owned();
        cluster.tls_server_name.get_or_insert(host);
        let path = directory.join(format!("kubeconfig-{}", proxy.address.port()));
        fs::write(&path, serde_json::to_string(&config).unwrap()).unwrap();
        (proxy, path)
    }

    /// Where it listens, as a URL for plain HTTP.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on the way is so.
    pub(crate) fn becomes(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// When which writes went over it in the clear: `PUT /path`.
    pub(crate) fn writes(&self) -> Vec<(Instant, String)> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|(_, line)| !line.starts_with("GET ")).cloned().collect()
    }

    /// How many requests of any sort went over it in the clear.
    pub(crate) fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

/// Until the proxy is dropped.
async fn serve(listener: std::net::TcpListener, target: String, ways: watch::Receiver<Way>, noted: Requests) {
    let listener = TcpListener::from_std(listener).unwrap();
    let mut dropped = ways.clone();
    let accept = async {
        loop {
            let Ok((client, _)) = listener.accept().await else { continue };
            let (target, ways, noted) = (target.clone(), ways.clone(), noted.clone());
            let mut cut = ways.clone();
            tokio::spawn(async move {
                if *ways.borrow() == Way::Cut {
                    return;
                }
                let Ok(server) = TcpStream::connect(&target).await else { return };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::select! {
                    _ = cut.wait_for(|way| *way == Way::Cut) => {}
                    () = carry(from_client, to_server, ways.clone(), Some(&noted)) => {}
                    () = carry(from_server, to_client, ways, None) => {}
                }
            });
        }
    };
    tokio::select! {
        () = accept => {}
        // An error is what is waited for: the proxy is gone.
        _ = dropped.wait_for(|_| false) => {}
    }
}

/// One direction of one connection, until it ends.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut ways: watch::Receiver<Way>,
    noted: Option<&Requests>,
) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        let way = *ways.borrow_and_update();
        match way {
            Way::Open | Way::Cut => {}
            Way::Slow(time) => tokio::time::sleep(time).await,
            Way::BlackHole => {
                if ways.wait_for(|way| *way != Way::BlackHole).await.is_err() {
                    return;
                }
            }
        }
        if let Some(noted) = noted {
            note(&buffer[..read], noted);
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// The request line, if these bytes begin with one.
fn note(bytes: &[u8], noted: &Requests) {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(2048)]);
    let line = text.lines().next().unwrap_or_default();
    if let Some(request) = line.strip_suffix(" HTTP/1.1") {
        noted.lock().unwrap().push((Instant::now(), request.to_owned()));
    }
}
