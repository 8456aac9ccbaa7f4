//! Who may not be talked to: servers whose certificate is not theirs, not valid, or not from whom one trusts; and hosts
//! that cannot be reached. Nothing was sent to any of them, and the client says so.

use std::{
    io::Write,
    process::Command,
    sync::{Arc, Mutex},
};

use astra_devops::{Token, Transport, error::Sent, http::HttpTransport};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::{
    TOKEN, behaviours, change, limits,
    server::{Step, play, say},
};

type Ca = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Ca {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What is wrong with the server.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    Nothing,
    Expired,
    NotYetValid,
    OtherHost,
    SelfSigned,
    UnknownAuthority,
    PlainHttp,
    SilentHandshake,
    Garbage,
}

fn config(flaw: Flaw, ca: &Ca) -> ServerConfig {
    let host = if flaw == Flaw::OtherHost { "other.example" } else { "localhost" };
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    let (from, to) = match flaw {
        Flaw::Expired => (2000, 2001),
        Flaw::NotYetValid => (2900, 2901),
        _ => (2000, 2900),
    };
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = match flaw {
        Flaw::SelfSigned => params.self_signed(&key),
        Flaw::UnknownAuthority => params.signed_by(&key, &authority()),
        _ => params.signed_by(&key, ca),
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.unwrap().der().clone()], key)
        .unwrap()
}

/// Serves with this flaw; what requests it reads is kept.
async fn serve(flaw: Flaw, ca: &Ca) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let acceptor = TlsAcceptor::from(Arc::new(config(flaw, ca)));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let requests = seen.clone();
    let answer = vec![Step::Read, say(behaviours::head("204 No Content", &[]))];
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (acceptor, seen, answer) = (acceptor.clone(), seen.clone(), answer.clone());
            tokio::spawn(async move {
                match flaw {
                    Flaw::SilentHandshake => std::future::pending().await,
                    Flaw::Garbage => drop(play(&mut stream, &[say([0x16; 4096])], &seen).await),
                    Flaw::PlainHttp => drop(play(&mut stream, &answer, &seen).await),
                    _ => {
                        if let Ok(mut stream) = acceptor.accept(stream).await {
                            play(&mut stream, &answer, &seen).await;
                        }
                    }
                }
            });
        }
    });
    (base, requests)
}

/// Runs [`as_a_program_that_trusts`] with these certificates, and gives what came of its call.
async fn call(base: &str, trusted: &NamedTempFile) -> String {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "tls::as_a_program_that_trusts", "--ignored", "--nocapture"]);
    program.env_clear().env("BASE", base).env("SSL_CERT_FILE", trusted.path());
    let output = tokio::task::spawn_blocking(move || program.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.lines().find_map(|line| line.strip_prefix("came ")).unwrap().to_owned()
}

/// The certificates to trust come from the environment, which is the whole process's.
#[test]
#[ignore = "started by another test, with an environment of its own"]
fn as_a_program_that_trusts() {
    let base = std::env::var("BASE").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let came = runtime.block_on(async {
        let transport = HttpTransport::with_limits(&base, "t", limits()).unwrap();
        let began = std::time::Instant::now();
        let result = transport.send(&Token::new(TOKEN).unwrap(), &change()).await;
        assert!(began.elapsed() < limits().call * 4, "{:?}", began.elapsed());
        match result {
            Ok(answer) => format!("{}", answer.status),
            Err(error) => format!("{}, sent: {}", error.what, error.sent == Sent::Maybe),
        }
    });
    println!("\ncame {came}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_to_whom_one_cannot_trust() {
    let ca = authority();
    let mut trusted = NamedTempFile::new().unwrap();
    trusted.write_all(ca.pem().as_bytes()).unwrap();
    let (base, requests) = serve(Flaw::Nothing, &ca).await;
    assert_eq!(call(&base, &trusted).await, "204", "an honest server is trusted");
    assert_eq!(requests.lock().unwrap().len(), 1);
    for flaw in [
        Flaw::Expired,
        Flaw::NotYetValid,
        Flaw::OtherHost,
        Flaw::SelfSigned,
        Flaw::UnknownAuthority,
        Flaw::PlainHttp,
        Flaw::SilentHandshake,
        Flaw::Garbage,
    ] {
        let (base, requests) = serve(flaw, &ca).await;
        assert_eq!(call(&base, &trusted).await, "cannot connect, sent: false", "{flaw:?}");
        assert!(requests.lock().unwrap().is_empty(), "{flaw:?}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    for base in [format!("https://localhost:{closed}"), "https://no-such-host.invalid".to_owned()] {
        assert_eq!(call(&base, &trusted).await, "cannot connect, sent: false", "{base}");
    }
}
