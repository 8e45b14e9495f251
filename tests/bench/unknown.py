#!/usr/bin/env python3
"""unknown.py - does the time of an answer tell which accounts exist?

    tests/bench/unknown.py [TRIES]          (400 of each)

For PLAIN and the first step of SCRAM (IMAP) and for USER and PASS
(POP3): wrong passwords for accounts that exist and for names that do not, in
random order, each from an address and for a name not seen before, so that no
block comes between.  Prints median and 95 % of the time from the question to
its answer, and by how much the medians differ; exits 1 when that is more than
5 %.  A wrong password is answered auth-fail-delay after it came, whatever
was done about it; the last figures are those without, and judge nothing.
"""

import base64
import os
import random
import socket
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

MOST = 5.0      # percent
PAUSE = "40ms"  # auth-fail-delay; the default is 1 s
QUICK = 5       # times as many questions that take no password
ABSENT = 500000  # no account of the host has such a number


class Sources:
    """Addresses of the loopback, each given once."""

    def __init__(self):
        self.n = 0

    def connect(self, port):
        self.n += 1
        ip = f"127.{1 + self.n // 62500}.{self.n // 250 % 250}" \
             f".{1 + self.n % 250}"
        s = socket.create_connection(("127.0.0.1", port), 30, (ip, 0))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.recv(4096)
        return s


def ask(s, line):
    """The answer, and the microseconds to it."""
    start = time.perf_counter()
    s.sendall(line + b"\r\n")
    got = s.recv(4096)
    return got, (time.perf_counter() - start) * 1e6


def b64(text):
    return base64.b64encode(text.encode()).decode()


def plain(host, sources, user):
    with sources.connect(host.port("imap")) as s:
        return ask(s, b"a AUTHENTICATE PLAIN "
                   + b64(f"\0{user}\0falsch-{sources.n}").encode())


def scram(host, sources, user, mech=b"SCRAM-SHA-256"):
    with sources.connect(host.port("imap")) as s:
        got = ask(s, b"a AUTHENTICATE " + mech + b" "
                  + b64(f"n,,n={user},r=nonce{sources.n}").encode())
        s.sendall(b"*\r\n")
        s.recv(4096)
    return got


def scram_sha1(host, sources, user):
    return scram(host, sources, user, b"SCRAM-SHA-1")


def pop_user(host, sources, user):
    with sources.connect(host.port("pop3")) as s:
        return ask(s, f"USER {user}".encode())


def pop_pass(host, sources, user):
    with sources.connect(host.port("pop3")) as s:
        ask(s, f"USER {user}".encode())
        return ask(s, b"PASS falsch-%d" % sources.n)


def percentile(v, share):
    return sorted(v)[int(len(v) * share)]


def measure(name, way, host, sources, tries):
    times = {True: [], False: []}
    texts = {True: set(), False: set()}
    # What is quick is asked oftener: a few us of chance are 5 % of it.
    times_each = 1 if way in (plain, pop_pass) else QUICK
    turns = [(known, n) for n in range(1, tries + 1)
             for known in (True, False)] * times_each
    random.shuffle(turns)
    for known, n in turns:
        got, us = way(host, sources, host.user(n + (0 if known else ABSENT)))
        times[known].append(us)
        texts[known].add(got)
    medians = {k: statistics.median(v) for k, v in times.items()}
    apart = abs(medians[True] - medians[False]) / min(medians.values()) * 100
    for known, word in ((True, "known"), (False, "unknown")):
        print(f"{name:24}{word:8}{len(times[known]):6} tries  median "
              f"{medians[known]:7.0f} us, 95 % "
              f"{percentile(times[known], .95):7.0f} us", flush=True)
    print(f"{name:24}medians differ by {apart:.1f} %")
    if way not in (scram, scram_sha1) and texts[True] != texts[False]:
        raise pt.Failure(f"{name}: {texts}")
    return apart <= MOST


def run(tries, pause, ways):
    conf = {"plaintext-without-tls": "true", "auth-fail-delay": f'"{pause}"'}
    sources = Sources()
    with pt.Host(accounts=tries, conf=conf) as host:
        return all([measure(name, way, host, sources, tries)
                    for name, way in ways])


def main():
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    paused = (("IMAP PLAIN", plain), ("POP3 PASS", pop_pass))
    good = run(tries, PAUSE, paused)
    good &= run(tries, "0", (("IMAP SCRAM-SHA-256, 1st", scram),
                             ("IMAP SCRAM-SHA-1, 1st", scram_sha1),
                             ("POP3 USER", pop_user)))
    print("# without any pause, which the default of 1 s is not:")
    run(tries, "0", paused)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
