#!/usr/bin/env python3
"""submission.py [NAME ...] - mail from people, by TLS with AUTH: rate, CPU.

The sender is the C program smtp.c, whose CPU does not count; what its figures
are of is the same there.  relay.py has the way on from here.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from meter import Meter, main_smtp, pt, private_kib, say    # noqa: E402

SIZE = 5600
BOXES = 10      # that get it, in turn
CONF = {"connections-per-address": 50000, "sessions-per-account": 50000}


def submit(host, program, how, connections, count, n=1):
    done = subprocess.run(
        [program, how, str(host.port("submissions")), str(connections),
         str(count), str(SIZE), host.user(n), host.password(n),
         host.address(n), host.address(1).replace("1@", "%d@"), str(BOXES)],
        stdout=subprocess.PIPE, check=True, timeout=600)
    return [float(x) for x in done.stdout.split()]


def row(host, program, how, name, connections, count, goal, peer, n=1):
    with Meter(host) as m:
        seconds, _ = submit(host, program, how, connections, count, n)
    m.say(f"{name} {count / seconds:.0f}/s", count, goal, peer)


def bench_kept(program):
    with pt.Host(BOXES, CONF) as host:
        row(host, program, "submit", "warm up", 8, 2000, None, None)
        for connections in (1, 8, 32):
            row(host, program, "submit", f"kept connections, {connections}:",
                connections, 4000 if connections == 1 else 20000, 150, 4180)
        host.admin("account", "set", host.user(2), "--sent-copy", "on")
        row(host, program, "submit", "with a copy in Sent, 32:", 32, 20000,
            None, None, 2)
        host.admin("account", "set", host.user(2), "--sent-copy", "off",
                   "--messages-per-hour", "1000000")
        row(host, program, "submit", "within a limit, 32:", 32, 20000, None,
            None, 2)


def bench_each(program):
    with pt.Host(BOXES, CONF) as host:
        row(host, program, "each", "warm up", 8, 500, None, None)
        row(host, program, "each", "a connection a message, 8:", 8, 4000, 700,
            5769)


def bench_idle(program, count=5000):
    with pt.Host(1, CONF) as host:
        before = private_kib(host, "submitd")
        with subprocess.Popen(
                [program, "idle", str(host.port("submissions")), str(count),
                 host.user(1), host.password(1)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE) as idle:
            assert idle.stdout.readline() == b"ready\n"
            used = private_kib(host, "submitd") - before
            idle.stdin.close()
        say(f"{count} idle connections, each", used / count, None, 24, None,
            "KiB")


if __name__ == "__main__":
    main_smtp(globals())
