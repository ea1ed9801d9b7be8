"""A link with a delay between two network namespaces: packets of one end come out at the other so many seconds later."""

import contextlib
import fcntl
import os
import queue
import struct
import subprocess
import threading
import time

TUNSETIFF, TUN_WITHOUT_HEADER = 0x400454CA, 0x1001
NEAR, FAR = "relaybench-near", "relaybench-far"
ADDRESS = {NEAR: "10.87.0.1", FAR: "10.87.0.2"}


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


def end(namespace, name):
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), TUN_WITHOUT_HEADER))
    run("ip", "netns", "add", namespace)
    run("ip", "link", "set", name, "netns", namespace)
    inside = ["ip", "-n", namespace]
    run(*inside, "link", "set", "lo", "up")
    run(*inside, "addr", "add", f"{ADDRESS[namespace]}/24", "dev", name)
    run(*inside, "link", "set", name, "up")
    return device


def carry(source, sink, delay):
    packets = queue.SimpleQueue()

    def take():
        with contextlib.suppress(OSError):
            while True:
                packet = os.read(source, 65536)
                packets.put((time.monotonic() + delay, packet))

    def give():
        with contextlib.suppress(OSError):
            while True:
                due, packet = packets.get()
                time.sleep(max(0.0, due - time.monotonic()))
                os.write(sink, packet)

    for work in (take, give):
        threading.Thread(target=work, daemon=True).start()


@contextlib.contextmanager
def delayed(round_trip):
    """Namespaces NEAR and FAR, `round_trip` seconds apart."""
    for namespace in (NEAR, FAR):
        subprocess.run(["ip", "netns", "del", namespace], capture_output=True)
    near, far = end(NEAR, "relaynear"), end(FAR, "relayfar")
    carry(near, far, round_trip / 2)
    carry(far, near, round_trip / 2)
    try:
        yield
    finally:
        for namespace in (NEAR, FAR):
            run("ip", "netns", "del", namespace)


def within(namespace, command):
    return ["ip", "netns", "exec", namespace, *command]
