#!/usr/bin/env python3
"""Measures relayprobe against other clients, all in one run against one server: `bench/compare.py [--quick] [--write]`.

Needs root for the delayed link, and strace and nmap, which it installs with apt; packages of Python go into a folder of their own
below target/. `--write` makes docs/performance.md and its plot anew; `--quick` shows in a minute that everything runs, without
nmap and without those that a server's limits hold up for long.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import link
import page

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE.parent / "target"
BENCH = TARGET / "release" / "relayprobe-bench"
PYTHON = TARGET / "bench-venv" / "bin" / "python"
# The 16 forms that people try, as the widespread script does.
CASES = """snd-null snd-probe-domain snd-own-domain snd-own-ip snd-localhost pct-domain pct-ip pct-nohost
q-nohost q-domain q-ip rt-host bang-nohost bang-domain bang-ip syn-no-brackets""".split()
HOSTS = 4096


def say(text):
    print(text, file=sys.stderr, flush=True)


def install(tools):
    missing = [name for name in tools if not shutil.which(name)]
    if missing:
        say(f"installing {' '.join(missing)}")
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing], check=True, stdout=sys.stderr)
    if not PYTHON.exists():
        say("installing aiosmtplib, matplotlib")
        subprocess.run([sys.executable, "-m", "venv", PYTHON.parent.parent], check=True)
        subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "aiosmtplib", "matplotlib"], check=True)
    environment = os.environ | {"CARGO_TARGET_DIR": str(TARGET)}
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--release"], check=True, cwd=HERE, env=environment)


class Stub:
    """The server, and what it counts."""

    def __init__(self, *options, listen="127.0.0.1:0", inside=None):
        command = [str(BENCH), "stub", "--listen", listen, *options]
        command = link.within(inside, command) if inside else command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address, self.port = self.process.stdout.readline().strip().rsplit(":", 1)

    def counts(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


# Left out when there is no time.
SLOW = set()


def clients(address, port, envelopes, hosts=1, lockstep=False, in_flight=256):
    """Command lines by name; the first is the floor that the others are held against."""
    common = [f"{address}:{port}", "--hosts", str(hosts), "--in-flight", str(in_flight)] + ["--lockstep"] * lockstep
    same = ["--envelopes", envelopes]
    ours = [str(BENCH), "ours", *common, "--cases", ",".join(CASES)]
    python = [str(PYTHON), str(HERE / "smtplib_client.py"), address, port, str(hosts), str(in_flight), envelopes]
    script = ["nmap", "-Pn", "-n", "-p", port, "--script", "+smtp-open-relay", "--script-args",
              "smtp-open-relay.from=a@probe.example,smtp-open-relay.to=b@probe.example,smtp-open-relay.domain=probe.example"]
    if hosts > 1:
        script += ["-T5", "--min-hostgroup", "1024", "--min-parallelism", "256"]
    range_ = address if hosts == 1 else f"{address}/{32 - (hosts - 1).bit_length()}"
    all_ = {
        "floor": [str(BENCH), "floor", *common, *same],
        "relayprobe": ours,
        "relayprobe, 3 connections": [*ours, "--connections", "3"],
        "relayprobe, as it comes": [*ours, "--cautious", "--connections", "3"],
        "mail-send": [str(BENCH), "mail-send", *common, *same],
        "smtplib": [*python, "smtplib"],
        "aiosmtplib": [*python, "aiosmtplib"],
        "nmap": [*script, range_],
    }
    return {name: command for name, command in all_.items() if name not in SLOW}


def measure(command, stub, inside=None):
    command = [str(BENCH), "timed", *command]
    command = link.within(inside, command) if inside else command
    stub.counts()
    told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    return json.loads(told.splitlines()[-1]) | stub.counts()


def median(rows):
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def rounds(named, stub, times, inside=None):
    """Every client in turn, so many times: what disturbs the machine disturbs all."""
    rows = {name: [] for name in named}
    for number in range(times):
        for name, command in named.items():
            say(f"  {name} ({number + 1} of {times})")
            rows[name].append(measure(command, stub, inside))
    return {name: median(found) for name, found in rows.items()}


def system_calls(command):
    with tempfile.NamedTemporaryFile("r") as file:
        subprocess.run(["strace", "-f", "-c", "-o", file.name, *command], check=False, capture_output=True)
        total = re.search(r"^100\.00\s+\S+\s+(?:\S+\s+)?(\d+)(?:\s+\d+)?\s+total$", file.read(), re.MULTILINE)
        return int(total[1]) if total else None


def envelopes_of(stub, folder):
    path = folder / "envelopes"
    command = [str(BENCH), "envelopes", f"{stub.address}:{stub.port}", *CASES]
    path.write_text(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = len(path.read_text().splitlines())
    assert found == len(CASES), f"{found} envelopes for {len(CASES)} cases"
    return str(path)


def only(named, *names):
    return {name: named[name] for name in names if name in named}


def one_host(envelopes, times):
    with Stub() as stub:
        return rounds(clients(stub.address, stub.port, envelopes), stub, times)


def far_host(envelopes, times, *options):
    listen = f"{link.ADDRESS[link.FAR]}:2525"
    with link.delayed(0.05), Stub(*options, listen=listen, inside=link.FAR) as stub:
        lockstep = "--lockstep" in options
        named = clients(stub.address, stub.port, envelopes, lockstep=lockstep)
        if "--limits" in options:
            # With limits it is the plan that counts, and the floor has none.
            named = only(named, "relayprobe, as it comes", *[] if SLOW else ["floor", "smtplib", "nmap"])
        elif lockstep:
            named = only(named, "floor", "relayprobe", "relayprobe, 3 connections", "smtplib", "nmap")
        return rounds(named, stub, times, link.NEAR)


def many_hosts(envelopes, hosts, times, lockstep=False):
    with Stub(*["--lockstep"] * lockstep, listen="0.0.0.0:0") as stub:
        named = clients("127.16.0.0", stub.port, envelopes, hosts, lockstep, in_flight=1024)
        names = ["floor", "relayprobe", "mail-send", "smtplib"] + ["nmap"] * (not lockstep)
        found = rounds(only(named, *names[:3]), stub, times) | rounds(only(named, *names[3:]), stub, 1)
        for name in names[:3]:
            calls = {count: system_calls(clients("127.16.0.0", stub.port, envelopes, count, lockstep)[name]) for count in (64, 320)}
            found[name]["calls"] = (calls[320] - calls[64]) / 256
        return found


def in_flight(envelopes, hosts):
    """All hosts at once: what a host in flight takes."""
    with Stub(listen="0.0.0.0:0") as stub:
        found = {}
        for count in (hosts // 16, hosts):
            named = clients("127.16.0.0", stub.port, envelopes, count, in_flight=count)
            for name, row in rounds(only(named, "floor", "relayprobe", "mail-send"), stub, 1).items():
                found.setdefault(name, {})[str(count)] = row
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    times, hosts = (1, 64) if options.quick else (5, HOSTS)
    if options.quick:
        SLOW.add("nmap")
    install(["strace"] if options.quick else ["strace", "nmap"])
    found = {"machine": f"{os.cpu_count()} cores, Linux {platform.release()}", "date": time.strftime("%Y-%m-%d", time.gmtime())}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        envelopes = envelopes_of(stack.enter_context(Stub()), pathlib.Path(folder))
        for name, work in {
            "one host": lambda: one_host(envelopes, times),
            "one host, 50 ms away": lambda: far_host(envelopes, times),
            "one host, 50 ms away, without PIPELINING": lambda: far_host(envelopes, 1, "--lockstep"),
            "one host, 50 ms away, limits of Postfix": lambda: far_host(envelopes, 1, "--limits", "postfix"),
            "one host, 50 ms away, limits of Exim": lambda: far_host(envelopes, 1, "--limits", "exim"),
            f"{hosts} hosts": lambda: many_hosts(envelopes, hosts, times),
            f"{hosts} hosts, one command at a time": lambda: many_hosts(envelopes, hosts, min(times, 3), lockstep=True),
            f"{hosts} hosts in flight": lambda: in_flight(envelopes, hosts),
        }.items():
            say(name)
            found[name] = work()
    (TARGET / "performance.json").write_text(json.dumps(found, indent=1))
    text = page.text(found)
    print(text)
    if options.write:
        page.write(found, text, HERE.parent / "docs", PYTHON)


if __name__ == "__main__":
    main()
