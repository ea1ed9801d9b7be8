use std::io;

use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::*;

/// The other end, in memory.
struct Peer(ServerConnection);

impl Read for Peer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len();
        let mut rest = buffer;
        while self.0.wants_write() && !rest.is_empty() {
            self.0.write_tls(&mut rest)?;
        }
        if rest.len() == room { Err(ErrorKind::WouldBlock.into()) } else { Ok(room - rest.len()) }
    }
}

impl Write for Peer {
    fn write(&mut self, mut octets: &[u8]) -> io::Result<usize> {
        let count = self.0.read_tls(&mut octets)?;
        // What it thinks of that shows in what it sends.
        drop(self.0.process_new_packets());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A certificate, and a key to sign with. They need not belong together.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

type Pair = (CertificateDer<'static>, PrivateKeyDer<'static>);

fn made() -> Pair {
    let made = rcgen::generate_simple_self_signed(["another.example".into()]).unwrap();
    (made.cert.der().clone(), PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into()))
}

fn peer(version: &'static SupportedProtocolVersion, (certificate, key): Pair) -> Peer {
    let provider = ring::default_provider();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let shown = Shown(Arc::new(CertifiedKey::new([certificate].into(), key)));
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(shown));
    Peer(ServerConnection::new(Arc::new(config)).unwrap())
}

fn client() -> Tls {
    Tls::new("mx.example".into(), IpAddr::from([192, 0, 2, 1])).unwrap()
}

#[test]
fn any_certificate_is_taken_and_shown() {
    for (version, name) in [(&TLS13, "TLSv1_3"), (&TLS12, "TLSv1_2")] {
        let (certificate, key) = made();
        let mut peer = peer(version, (certificate.clone(), key));
        let mut tls = client();
        let facts = tls.shake(&mut peer).unwrap();
        assert_eq!(facts.version, name);
        assert!(facts.cipher.starts_with("TLS_"), "{}", facts.cipher);
        assert_eq!(facts.certificates, [Octets::from(certificate.as_ref())]);

        tls.queue(b"QUIT\r\n");
        assert!(tls.is_writing());
        tls.flush(&mut peer).unwrap();
        let mut buffer = [0; 64];
        assert_eq!(peer.0.reader().read(&mut buffer).unwrap(), 6);
        peer.0.writer().write_all(b"221 bye\r\n").unwrap();
        peer.0.send_close_notify();
        assert_eq!(tls.receive(&mut peer, &mut buffer), Ok(9));
        assert_eq!(tls.receive(&mut peer, &mut buffer), Ok(0));
        tls.close(&mut peer);
    }
}

#[test]
fn a_server_must_hold_the_key_of_its_certificate() {
    for version in [&TLS13, &TLS12] {
        let ((certificate, _), (_, key)) = (made(), made());
        let mut peer = peer(version, (certificate, key));
        assert_eq!(client().shake(&mut peer), Err(Halt::Lost(Loss::Tls)));
    }
}
