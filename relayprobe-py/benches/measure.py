"""What the package costs: `measure.py WHEEL BENCH`, run with the Python in which the wheel is installed.

BENCH is the program of `bench/` (`target/release/relayprobe-bench`), which has the server and the same sweep in Rust. Everything is measured in one run.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import timeit
from pathlib import Path

HOSTS = 4096
CASES = "snd-null,snd-probe-domain,pct-domain,q-domain,bang-domain,rt-domain"
SWEEP = """
import sys, ipaddress
from relayprobe import Identity, Target, probe_many
port, count, cases = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(",")
first = ipaddress.IPv4Address("127.16.0.0")
targets = (Target(first + number, port, domains=("target.example",)) for number in range(count))
runs = probe_many(targets, identity=Identity(probe_domain="probe.example"), authorization="own-server:stub", concurrency=1024,
    per_network=10**9, network_pause=0.0, per_second=2**32 - 1, cases=cases, profile="lab", allow_private=True, budget=(65535,) * 3)
print(sum(1 for _ in runs))
"""


def timed(bench: str, command: list[str]) -> dict[str, float]:
    told = subprocess.run([bench, "timed", *command], check=True, capture_output=True, text=True).stderr
    found: dict[str, float] = json.loads(told.splitlines()[-1])
    return found


def sweeps(bench: str) -> None:
    stub = subprocess.Popen([bench, "stub", "--listen", "0.0.0.0:0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert stub.stdout is not None
    port = stub.stdout.readline().strip().rsplit(":", 1)[1]
    rust = [bench, "ours", f"127.16.0.0:{port}", "--hosts", str(HOSTS), "--in-flight", "1024", "--cases", CASES]
    python = [sys.executable, "-c", SWEEP, port, str(HOSTS), CASES]
    empty = [sys.executable, "-c", SWEEP, port, "0", CASES]
    rows: dict[str, list[float]] = {"rust": [], "python": [], "start": []}
    for _ in range(5):
        for name, command in (("rust", rust), ("python", python), ("start", empty)):
            rows[name].append(timed(bench, command)["cpu"])
    stub.kill()
    cpu = {name: statistics.median(values) for name, values in rows.items()}
    a_host = (cpu["python"] - cpu["start"]) / HOSTS * 1e6
    print(f"a host of {HOSTS}: Rust {cpu['rust'] / HOSTS * 1e6:.0f} us of CPU, Python {a_host:.0f} us and {cpu['start'] * 1e3:.0f} ms to start")
    print(f"Python to Rust: {(cpu['python'] - cpu['start']) / cpu['rust']:.2f}")


def calls() -> None:
    import relayprobe

    who = relayprobe.Identity(probe_domain="probe.example")
    plan = relayprobe.plan("127.0.0.1:2525", identity=who, authorization="own-server:x", allow_private=True)
    session = relayprobe.Session(plan, 0.0)
    stop = relayprobe.Stop()

    def empty() -> None:
        pass

    def best(call: str, names: dict[str, object]) -> float:
        return min(timeit.repeat(call, globals=names, number=200_000, repeat=7)) / 200_000 * 1e9

    base = best("f()", {"f": empty})
    print(f"an empty function {base:.0f} ns")
    for name, call in (("a flag (bool)", "s.stopped"), ("a tick (nothing)", "t(1.0)"), ("a poll (object)", "p()")):
        took = best(call, {"s": stop, "t": session.handle_tick, "p": session.poll_output})
        print(f"{name} {took:.0f} ns, {took - base:+.0f} ns")


def main(wheel: str, bench: str) -> None:
    print(f"wheel {Path(wheel).stat().st_size / 1e6:.1f} MB")
    begin = [sys.executable, "-c", "import relayprobe"]
    bare = [sys.executable, "-c", "pass"]
    loads = {name: statistics.median(timed(bench, command)["cpu"] for _ in range(15)) for name, command in (("with", begin), ("bare", bare))}
    print(f"import, of CPU {(loads['with'] - loads['bare']) * 1e3:.0f} ms")
    calls()
    sweeps(bench)


if __name__ == "__main__":
    main(*sys.argv[1:])
