//! The text at an address of the web, and whose word is taken for who serves it.

use core::time::Duration;
use std::path::{Path, PathBuf};

use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::cli::read::{ReadError, read_text};

/// Octets of a text that says who tests.
pub(crate) const LIMIT: u64 = 64 << 10;
/// How long it is waited for.
const SPAN: Duration = Duration::from_secs(10);
/// Octets of a file of authorities; those of a whole system have a quarter of it.
const AUTHORITIES: u64 = 1 << 20;

/// Who vouches for servers of the web.
#[derive(Clone, Debug)]
pub struct Authorities(RootCerts);

/// A file names no authorities.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{} has no certificate of an authority in PEM{}", path.display(), fault.as_deref().unwrap_or_default())]
    None { path: PathBuf, fault: Option<String> },
}

impl Default for Authorities {
    /// Those that browsers believe.
    fn default() -> Self {
        Self(RootCerts::WebPki)
    }
}

impl Authorities {
    /// Those of a file in PEM, and no others.
    pub fn read(path: &Path) -> Result<Self, AuthoritiesError> {
        let text = read_text(path, AUTHORITIES)?;
        let none = |fault| AuthoritiesError::None { path: path.into(), fault };
        let mut certificates = Vec::new();
        for item in parse_pem(text.as_bytes()) {
            // Files of servers have their keys beside the certificates.
            if let PemItem::Certificate(certificate) =
                item.map_err(|fault| none(Some(format!(": {fault}"))))?
            {
                certificates.push(certificate);
            }
        }
        if certificates.is_empty() { Err(none(None)) } else { Ok(Self(certificates.into())) }
    }
}

/// The text at an address of the web; nothing if there is none.
pub(crate) fn fetch(uri: &str, authorities: &Authorities) -> Result<Option<String>, String> {
    let scheme = uri.split(':').next().unwrap_or_default();
    if !["https", "http"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) {
        return Ok(None);
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(SPAN))
        .tls_config(TlsConfig::builder().root_certs(authorities.0.clone()).build())
        // Whoever looks for the text looks there, and what is elsewhere may be anywhere.
        .max_redirects(0)
        .user_agent(concat!("relayprobe/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut response = match agent.get(uri).call() {
        Ok(response) => response,
        Err(ureq::Error::StatusCode(404 | 410)) => return Ok(None),
        Err(fault) => return Err(fault.to_string()),
    };
    if response.status().is_redirection() {
        return Err(format!(
            "it leads elsewhere ({}), and the text must stand there itself",
            response.status()
        ));
    }
    let text = response.body_mut().with_config().limit(LIMIT).read_to_string();
    text.map(Some).map_err(|fault| fault.to_string())
}
