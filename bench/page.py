"""What was measured, as a page and a plot."""

import json
import subprocess

COLUMNS = {
    "wall": ("wall, ms", lambda row, _: f"{row['wall'] * 1000:,.0f}"),
    "cpu": ("CPU, ms", lambda row, _: f"{row['cpu'] * 1000:,.1f}"),
    "rss": ("peak memory, MiB", lambda row, _: f"{row['rss'] / 1024:,.1f}"),
    "connections": ("connections", lambda row, hosts: f"{row['connections'] / hosts:,.1f}"),
    "commands": ("commands", lambda row, hosts: f"{row['commands'] / hosts:,.0f}"),
    "rounds": ("rounds", lambda row, hosts: f"{row['rounds'] / hosts:,.0f}"),
    "octets": ("octets out/in", lambda row, hosts: f"{row['received'] / hosts:,.0f}/{row['sent'] / hosts:,.0f}"),
    "answered": ("cases answered", lambda row, hosts: f"{row['answered'] / hosts:,.0f}"),
    "delayed": ("delayed answers", lambda row, hosts: f"{row['delayed'] / hosts:,.0f}"),
    "cut_off": ("cut off", lambda row, hosts: f"{row['cut_off'] / hosts:,.0f}"),
    "early": ("early octets", lambda row, hosts: f"{row['early'] / hosts:,.0f}"),
    "host_cpu": ("CPU a host, µs", lambda row, hosts: f"{row['cpu'] / hosts * 1e6:,.0f}"),
    "host_user": ("of it in the program", lambda row, hosts: f"{row['user'] / hosts * 1e6:,.0f}"),
    "rate": ("hosts a second", lambda row, hosts: f"{hosts / row['wall']:,.0f}"),
    "calls": ("system calls a host", lambda row, _: f"{row['calls']:,.1f}" if row.get("calls") else "–"),
}


def table(rows, names, hosts=1):
    floor = rows.get("floor", next(iter(rows.values())))
    lines = ["| client | " + " | ".join(COLUMNS[name][0] for name in names) + " | CPU to floor |"]
    lines.append("|---" * (len(names) + 2) + "|")
    for client, row in rows.items():
        cells = [COLUMNS[name][1](row, hosts) for name in names]
        failed = " (failed)" if row["failed"] else ""
        lines.append(f"| {client}{failed} | " + " | ".join(cells) + f" | {row['cpu'] / floor['cpu']:.2f} |")
    return "\n".join(lines)


def in_flight(found):
    lines = ["| client | hosts in flight | peak memory, MiB | octets for each further host |", "|---|---|---|---|"]
    for client, rows in found.items():
        (few, small), (many, large) = rows.items()
        each = (large["rss"] - small["rss"]) * 1_024 / (int(many) - int(few))
        lines.append(f"| {client} | {many} | {large['rss'] / 1024:,.1f} | {each:,.0f} |")
    return "\n".join(lines)


def text(found):
    parts = []
    for name, rows in found.items():
        if name in ("machine", "date"):
            continue
        if name.endswith("in flight"):
            body = in_flight(rows)
        elif name.startswith("one host"):
            limits = ["answered", "delayed", "cut_off"] if "limits" in name else []
            early = ["early"] if "PIPELINING" in name else []
            body = table(rows, ["wall", "cpu", "rss", "connections", "commands", "rounds", "octets", *limits, *early])
        else:
            body = table(rows, ["host_cpu", "host_user", "rate", "calls", "rss", "rounds"], int(name.split()[0]))
        parts.append(f"## {name[0].upper()}{name[1:]}\n\n{body}\n")
    return "\n".join(parts)


HEAD = """# Performance

`bench/compare.py --write` makes this page: every client in turn, in one run, against one closed server that answers at once. Seconds
depend on the machine and on what else it does; rounds, commands, answers, system calls and ratios do not. This run: {machine}, {date}.

16 cases of the kind everybody tries. `floor` is a bare event loop without timers, evidence, TLS or judgement: the least that
any client can take. It and all others but `nmap` send the same commands; `relayprobe` adds its controls. `relayprobe` alone asks
everything on one connection; `as it comes` keeps to what unknown servers stand, as programs do that nobody tells more. A round is
one reading of the server's that brings commands. CPU and memory are the client's whole process from its start, as the system counts them.

![Milliseconds for one host 50 ms away, and CPU a host of many, by client](performance.svg)

"""

PLOT = """
import json, sys
import matplotlib
matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "relayprobe"
import matplotlib.pyplot as plot
found, path = json.load(open(sys.argv[1])), sys.argv[2]
many = next(name for name in found if name.endswith(" hosts"))
figure, (left, right) = plot.subplots(1, 2, figsize=(10, 3.6))
for axes, name, value, label in (
    (left, "one host, 50 ms away", lambda row: row["wall"] * 1000, "ms for 16 cases, 50 ms away"),
    (right, many, lambda row: row["cpu"] / int(many.split()[0]) * 1e6, "µs of CPU a host, of " + many),
):
    rows = list(found[name].items())[::-1]
    bars = axes.barh([client for client, _ in rows], [value(row) for _, row in rows],
                     color=["#2a6f97" if client.startswith("relayprobe") else "#a9b4bf" for client, _ in rows])
    axes.bar_label(bars, fmt="%.0f", padding=3, fontsize=8)
    axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.set_title(label, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
figure.savefig(path, metadata={"Date": None})
"""


def write(found, body, folder, python):
    (folder / "performance.md").write_text(HEAD.format(**found) + body)
    subprocess.run([python, "-c", PLOT, "/dev/stdin", folder / "performance.svg"], check=True, input=json.dumps(found), text=True)
