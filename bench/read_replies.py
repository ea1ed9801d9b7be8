"""Reads replies as smtplib and aiosmtplib do: a line of hexadecimal in, for each of them a word out."""

import asyncio
import io
import smtplib
import sys

try:
    from aiosmtplib.protocol import SMTPProtocol
except ImportError:
    SMTPProtocol = None


class Socket:
    """What smtplib closes when it has enough."""

    def close(self):
        pass


def by_smtplib(octets):
    client = smtplib.SMTP()
    client.sock = Socket()
    client.file = io.BytesIO(octets)
    try:
        code, _text = client.getreply()
    except smtplib.SMTPServerDisconnected:
        return "more"
    except smtplib.SMTPResponseException:
        return "error"
    return "error" if code == -1 else str(code)


def by_aiosmtplib(octets, loop):
    if SMTPProtocol is None:
        return "absent"
    protocol = SMTPProtocol(loop=loop)
    protocol._buffer.extend(octets)
    try:
        response = protocol._read_response_from_buffer()
    except Exception:
        return "error"
    return "more" if response is None else str(response.code)


def main():
    loop = asyncio.new_event_loop()
    for line in sys.stdin:
        octets = bytes.fromhex(line.strip())
        print(by_smtplib(octets), by_aiosmtplib(octets, loop))


main()
