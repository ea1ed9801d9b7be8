//! Stands in for TLS where the feature `tls` is off: a value of it never comes to be.

use core::net::IpAddr;
use std::io::{Read, Write};

use super::loss::Halt;
use crate::link::{Loss, TlsFacts};

#[derive(Debug)]
pub(super) enum Tls {}

impl Tls {
    pub(super) fn new(_name: String, _remote: IpAddr) -> Result<Self, Loss> {
        Err(Loss::Tls)
    }

    pub(super) fn shake(&mut self, _socket: &mut (impl Read + Write)) -> Result<TlsFacts, Halt> {
        match *self {}
    }

    pub(super) fn receive(&mut self, _socket: &mut impl Read, _buffer: &mut [u8]) -> Result<usize, Halt> {
        match *self {}
    }

    pub(super) fn queue(&mut self, _octets: &[u8]) {
        match *self {}
    }

    pub(super) fn is_writing(&self) -> bool {
        match *self {}
    }

    pub(super) fn flush(&mut self, _socket: &mut impl Write) -> Result<(), Halt> {
        match *self {}
    }

    pub(super) fn close(&mut self, _socket: &mut impl Write) {
        match *self {}
    }
}
