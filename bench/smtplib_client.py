"""The same commands with smtplib or aiosmtplib: FIRST_ADDRESS PORT HOSTS IN_FLIGHT ENVELOPES smtplib|aiosmtplib"""

import asyncio
import concurrent.futures
import ipaddress
import smtplib
import sys


def read(path):
    with open(path, encoding="ascii") as file:
        return [line.rstrip("\n").split("\t") for line in file]


def one(host, port, envelopes):
    client = smtplib.SMTP(local_hostname="probe.example", timeout=60)
    client.connect(host, port)
    client.ehlo()
    for number, envelope in enumerate(envelopes):
        for command in ([] if number == 0 else ["RSET"]) + envelope:
            client.putcmd(command)
            client.getreply()
    client.quit()


async def one_async(host, port, envelopes):
    import aiosmtplib

    client = aiosmtplib.SMTP(hostname=host, port=port, local_hostname="probe.example", timeout=60, start_tls=False)
    await client.connect()
    await client.ehlo()
    for number, envelope in enumerate(envelopes):
        for command in ([] if number == 0 else ["RSET"]) + envelope:
            await client.execute_command(command.encode())
    await client.quit()


async def all_async(hosts, port, in_flight, envelopes):
    places = asyncio.Semaphore(in_flight)

    async def guarded(host):
        async with places:
            await one_async(host, port, envelopes)

    await asyncio.gather(*(guarded(host) for host in hosts))


def main():
    first, port, count, in_flight, path, library = sys.argv[1:]
    start = ipaddress.IPv4Address(first)
    hosts = [str(start + offset) for offset in range(int(count))]
    envelopes = read(path)
    if library == "aiosmtplib":
        asyncio.run(all_async(hosts, int(port), int(in_flight), envelopes))
    elif len(hosts) == 1:
        one(hosts[0], int(port), envelopes)
    else:
        with concurrent.futures.ThreadPoolExecutor(min(int(in_flight), 64)) as pool:
            list(pool.map(lambda host: one(host, int(port), envelopes), hosts))


main()
