//! stub
use crate::identity::{AuthorizationKind, Identity};
use crate::moment::Date;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
#[expect(dead_code)]
pub(crate) struct Letter<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) authorization: AuthorizationKind,
    pub(crate) target: SocketAddr,
    pub(crate) source: Option<IpAddr>,
    pub(crate) run: &'a str,
    pub(crate) case: &'a str,
    pub(crate) number: u16,
    pub(crate) of: u16,
    pub(crate) token: &'a str,
    pub(crate) date: Date,
    pub(crate) mail: &'a str,
    pub(crate) rcpt: &'a str,
}
impl Letter<'_> {
    pub(crate) const LIMIT: usize = 2048;
    pub(crate) fn compose(&self) -> Vec<u8> {
        alloc::format!(
            "Message-ID: <{}.{}@{}>\r\nSubject: x\r\n\r\nbody {}\r\n",
            self.token,
            self.case,
            self.identity.probe_domain,
            self.token
        )
        .into_bytes()
    }
}
/// stub
pub fn encode(content: &[u8]) -> Vec<u8> {
    [content, b".\r\n"].concat()
}
