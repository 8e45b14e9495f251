#!/usr/bin/env python3
"""storm.py - a password storm, and how long one honest login takes in it.

    tests/bench/storm.py [RATE [SECONDS]]         (1000 a second, for 20 s)

RATE attempts a second from 50 addresses (127.0.0.2 ...) with ever new wrong
passwords for 20 accounts, on IMAP without TLS (what the attackers' side would
cost is not ours to measure); beside them one account logs in from 127.0.0.1 with
TLS every 200 ms, each time on a new connection and with a whole key derivation.
Prints one line.
"""

import asyncio
import base64
import os
import resource
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

ADDRESSES = 50
TARGETS = 20
TRIES = 4       # on a connection, below auth-tries-max


class Storm:
    def __init__(self, host, rate):
        self.host, self.rate = host, rate
        self.started = self.answered = self.n = 0
        self.end = False
        self.tls = host.tls()

    async def attack(self, k):
        """From one address, connection after connection."""
        await asyncio.sleep(k / self.rate)
        ip = f"127.0.0.{2 + k % ADDRESSES}"
        while not self.end:
            try:
                await self.connection(ip)
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.05)

    async def turn(self):
        """Waits until the next attempt is due."""
        self.n += 1
        due = self.began + self.n / self.rate
        wait = due - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)

    async def connection(self, ip):
        r, w = await asyncio.open_connection(
            "127.0.0.1", self.host.port("imap"), local_addr=(ip, 0))
        try:
            await r.readline()
            for _ in range(TRIES):
                if self.end:
                    return
                await self.turn()
                self.started += 1
                user = self.host.user(2 + self.started % TARGETS)
                word = base64.b32encode(os.urandom(10)).decode()
                w.write(f"a LOGIN {user} {word}\r\n".encode())
                line = await r.readline()
                if not line:
                    return
                self.answered += 1
        finally:
            w.close()

    async def honest(self, seconds, tries):
        user, word = self.host.user(1), self.host.password(1)
        stop = time.monotonic() + seconds
        while time.monotonic() < stop:
            start = time.monotonic()
            r, w = await asyncio.open_connection(
                "127.0.0.1", self.host.port("imaps"), ssl=self.tls,
                server_hostname=pt.DOMAIN)
            await r.readline()
            w.write(f"a LOGIN {user} {word}\r\n".encode())
            line = await r.readline()
            if b"a OK" not in line:
                raise pt.Failure(f"the honest login: {line!r}")
            tries.append((time.monotonic() - start) * 1000)
            w.close()
            await asyncio.sleep(0.2)

    async def run(self, seconds):
        self.began = time.monotonic()
        quiet, loud = [], []
        await self.honest(3, quiet)
        self.began = time.monotonic()
        crowd = [asyncio.create_task(self.attack(k))
                 for k in range(max(ADDRESSES, self.rate))]
        await asyncio.sleep(2)
        done = self.answered
        start = time.monotonic()
        await self.honest(seconds, loud)
        rate = (self.answered - done) / (time.monotonic() - start)
        self.end = True
        for task in crowd:
            task.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)
        return quiet, loud, rate


def main():
    rate = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    resource.setrlimit(resource.RLIMIT_NOFILE, (
        resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    # A remembered login would show nothing of the work that waits.
    conf = {"auth-cache-time": "0", "plaintext-without-tls": "true"}
    with pt.Host(accounts=TARGETS + 1, conf=conf) as host:
        quiet, loud, got = asyncio.run(Storm(host, rate).run(seconds))
    print(f"storm: {got:.0f} attempts/s answered from {ADDRESSES} addresses; "
          f"honest login alone median {statistics.median(quiet):.0f} ms, "
          f"in the storm median {statistics.median(loud):.0f} ms, "
          f"95% {sorted(loud)[int(len(loud) * .95)]:.0f} ms, "
          f"worst {max(loud):.0f} ms of {len(loud)}")


if __name__ == "__main__":
    main()
