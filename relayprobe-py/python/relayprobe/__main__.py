"""``python -m relayprobe``: the command line, with the options, output and exit codes of the program."""

from __future__ import annotations

import sys

from . import _core


def main() -> int:
    """Runs the command line with the arguments of this process."""
    sys.stdout.flush()
    return _core.command(["relayprobe", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
