//! TLS over a non-blocking socket, by rustls.

use core::net::IpAddr;
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

use super::loss::Halt;
use crate::link::{Loss, TlsFacts};
use crate::octets::Octets;

/// Reads of the socket in one go, so that a peer that keeps sending cannot keep us from the clock.
const READS: usize = 16;

/// The client's side of TLS on one connection.
#[derive(Debug)]
pub(super) struct Tls {
    client: Box<ClientConnection>,
    integrity: Integrity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Integrity {
    Sound,
    /// The peer broke the protocol or sent a fatal alert. What it sent before still counts.
    Broken,
}

impl Tls {
    /// A client that has not begun. A name that cannot stand in a certificate is replaced by the address.
    pub(super) fn new(name: String, remote: IpAddr) -> Result<Self, Loss> {
        let name = ServerName::try_from(name).unwrap_or_else(|_| ServerName::from(remote));
        let client = config().and_then(|config| ClientConnection::new(Arc::new(config), name));
        let mut client = client.map_err(|_| Loss::Tls)?;
        // What may be sent is bounded by the session already.
        client.set_buffer_limit(None);
        Ok(Self { client: Box::new(client), integrity: Integrity::Sound })
    }

    /// Goes on with the handshake; tells what it showed when it is done.
    ///
    /// However it ends early, it is the handshake that failed: whether a server that refuses us sends an alert, closes
    /// or resets is often a matter of timing.
    pub(super) fn shake(&mut self, socket: &mut (impl Read + Write)) -> Result<TlsFacts, Halt> {
        self.advance(socket).map_err(|halt| match halt {
            Halt::Blocked => Halt::Blocked,
            Halt::Lost(_) => Halt::Lost(Loss::Tls),
        })
    }

    fn advance(&mut self, socket: &mut (impl Read + Write)) -> Result<TlsFacts, Halt> {
        for _ in 0..READS {
            self.flush(socket)?;
            if !self.client.is_handshaking() {
                return Ok(self.facts());
            }
            self.read_records(socket)?;
            if self.integrity == Integrity::Broken {
                // The peer may want to know why.
                let _unsent = self.flush(socket);
                return Err(Halt::Lost(Loss::Tls));
            }
        }
        Err(Halt::Blocked)
    }

    fn facts(&self) -> TlsFacts {
        let version = self.client.protocol_version().map(|version| format!("{version:?}"));
        // rustls marks the suites of TLS 1.3 in a way of its own; they are registered without (RFC 8446, B.4).
        let cipher = self
            .client
            .negotiated_cipher_suite()
            .map(|suite| format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1));
        let certificates = self.client.peer_certificates().unwrap_or_default();
        let certificates =
            certificates.iter().map(|certificate| Octets::from(certificate.as_ref())).collect();
        TlsFacts::new(version.unwrap_or_default(), cipher.unwrap_or_default(), certificates)
    }

    /// Takes octets out of TLS; 0 is the end, whether or not the peer announced it.
    ///
    /// SMTP needs no announcement: a reply that is cut off is not whole.
    pub(super) fn receive(&mut self, socket: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Halt> {
        for _ in 0..READS {
            match self.client.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                result => return Ok(result?),
            }
            if self.integrity == Integrity::Broken {
                return Err(Halt::Lost(Loss::Tls));
            }
            self.read_records(socket)?;
        }
        Err(Halt::Blocked)
    }

    fn read_records(&mut self, socket: &mut impl Read) -> Result<(), Halt> {
        let count = self.client.read_tls(socket)?;
        if self.client.process_new_packets().is_err() || count == 0 && self.client.is_handshaking() {
            self.integrity = Integrity::Broken;
        }
        Ok(())
    }

    /// Takes octets to be sent by [`flush`](Self::flush).
    pub(super) fn queue(&mut self, octets: &[u8]) {
        // It is memory and has no limit, so nothing can fail.
        drop(self.client.writer().write_all(octets));
    }

    /// Whether something is left to be written.
    pub(super) fn is_writing(&self) -> bool {
        self.client.wants_write()
    }

    /// Writes what there is to write; fails with [`Halt::Blocked`] if something is left.
    pub(super) fn flush(&mut self, socket: &mut impl Write) -> Result<(), Halt> {
        while self.client.wants_write() {
            if self.client.write_tls(socket)? == 0 {
                return Err(Halt::Lost(Loss::Reset));
            }
        }
        Ok(())
    }

    /// Says goodbye, if there is room for it.
    pub(super) fn close(&mut self, socket: &mut impl Write) {
        self.client.send_close_notify();
        let _unsent = self.flush(socket);
    }
}

/// Without resumption, because every connection is to show its certificate, and without ALPN, because SMTP has none.
fn config() -> Result<ClientConfig, Error> {
    let provider = ring::default_provider();
    let verifier = ObserveCertificates(provider.signature_verification_algorithms);
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Takes any certificate, and still wants the peer to hold its key.
///
/// A relay test records certificates and does not rely on them: nothing secret is sent, and most mail servers have
/// certificates that no authority vouches for (RFC 7435). It must not be used for anything else.
#[derive(Debug)]
struct ObserveCertificates(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for ObserveCertificates {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
