//! What goes into a session. Input for a connection that has ended is ignored.

use core::ffi::c_char;

use relayprobe::link::{ConnId, TlsFacts};
use relayprobe::moment::Moment;
use relayprobe::octets::Octets;
use relayprobe::session::Input;

use super::relayprobe_session;
use crate::guard::{guard, text, values};
use crate::handle::handle;
use crate::numbers::{LOSSES, value};
use crate::status::{Fault, relayprobe_status};

/// The connection was made: connect() succeeded, or the socket became writable without an error (SO_ERROR). `session`
/// must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_connected(
    session: *mut relayprobe_session,
    connection: u32,
    now: u64,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut running = unsafe { handle(session, "session")? };
        running.session()?.handle_input(Input::Connected(ConnId(connection)), Moment::from_micros(now));
        Ok(())
    })
}

/// Everything of the last RELAYPROBE_OUTPUT_KIND_SEND was written. `session` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_sent(
    session: *mut relayprobe_session,
    connection: u32,
    now: u64,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut running = unsafe { handle(session, "session")? };
        let id = ConnId(connection);
        running.session()?.handle_input(Input::Sent(id), Moment::from_micros(now));
        running.sending.retain(|(sending, _)| *sending != id);
        Ok(())
    })
}

/// Octets came; inside TLS once it is on. `session` must not be NULL, nor `octets` unless `length` is 0, which changes
/// nothing: the end of a connection is relayprobe_session_lost(). The octets are copied.
///
/// Give them as they come, cut anywhere. Keep none back across RELAYPROBE_OUTPUT_KIND_START_TLS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_received(
    session: *mut relayprobe_session,
    connection: u32,
    octets: *const u8,
    length: usize,
    now: u64,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut running, octets) =
            unsafe { (handle(session, "session")?, values(octets, length, "octets")?) };
        let input = Input::Received(ConnId(connection), octets);
        running.session()?.handle_input(input, Moment::from_micros(now));
        Ok(())
    })
}

/// A certificate of the server, in DER, for the relayprobe_session_secured() that follows; the leaf first. `session` and
/// `der` must not be NULL. The octets are copied; certificates of more than 64 KiB, or more than 16, are refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_add_certificate(
    session: *mut relayprobe_session,
    connection: u32,
    der: *const u8,
    length: usize,
) -> relayprobe_status {
    guard(|| {
        if der.is_null() {
            return Err(Fault::null("der"));
        }
        // SAFETY: passed on to the caller.
        let (mut running, der) = unsafe { (handle(session, "session")?, values(der, length, "der")?) };
        running.session()?;
        let id = ConnId(connection);
        let count = running.certificates.iter().filter(|(of, _)| *of == id).count();
        if der.len() > 1 << 16 || count >= 16 {
            return Err(Fault::argument(format_args!("certificate {count} of {length} octets is too much")));
        }
        running.certificates.push((id, Octets::from(der)));
        Ok(())
    })
}

/// The TLS handshake is done: the protocol version, such as "TLSv1.3", and the cipher suite, by its registered name. No
/// pointer may be NULL.
///
/// No certificate has to be valid for a test to go on: take any, and report what there was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_secured(
    session: *mut relayprobe_session,
    connection: u32,
    version: *const c_char,
    cipher: *const c_char,
    now: u64,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut running = unsafe { handle(session, "session")? };
        // SAFETY: passed on to the caller.
        let (version, cipher) = unsafe { (text(version, "version")?, text(cipher, "cipher")?) };
        running.session()?;
        let id = ConnId(connection);
        let named = running.certificates.extract_if(.., |(of, _)| *of == id).map(|(_, der)| der);
        let facts = TlsFacts::new(version.into(), cipher.into(), named.collect());
        running.session()?.handle_input(Input::Secured(id, facts), Moment::from_micros(now));
        Ok(())
    })
}

/// The connection could not be made, or has ended, or its handshake failed: `loss` is one of relayprobe_loss. `session`
/// must not be NULL.
///
/// First hand over what had arrived before. The socket is yours to close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_lost(
    session: *mut relayprobe_session,
    connection: u32,
    loss: i32,
    now: u64,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut running = unsafe { handle(session, "session")? };
        let (id, loss) = (ConnId(connection), value(&LOSSES, loss, "relayprobe_loss")?);
        running.session()?.handle_input(Input::Lost(id, loss), Moment::from_micros(now));
        running.sending.retain(|(sending, _)| *sending != id);
        Ok(())
    })
}

/// The moment of RELAYPROBE_OUTPUT_KIND_WAIT has come, and everything that has arrived was handed over. `session` must
/// not be NULL. It may be called at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_tick(
    session: *mut relayprobe_session,
    now: u64,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut running = unsafe { handle(session, "session")? };
        running.session()?.handle_input(Input::Tick, Moment::from_micros(now));
        Ok(())
    })
}
