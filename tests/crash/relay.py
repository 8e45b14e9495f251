#!/usr/bin/env python3
"""kill -9 on the way out, under load and at every stage: between the end of
DATA and 250, between commit and relay, before and behind the remote's last
reply.  What was accepted goes out, and twice only where that reply was cut:
on each connection the last mail at most.
"""

import collections
import os
import random
import re
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import outside              # noqa: E402
import posthof_test as pt   # noqa: E402

ROUNDS = 5 if os.environ.get("POSTHOF_LONG") else 1
SENDERS = 3


class Load:
    """Threads that submit, and remember what was said to be accepted."""

    def __init__(self, host):
        self.host = host
        self.stop = threading.Event()
        self.acked, self.tried = set(), set()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(n,))
                        for n in range(1, SENDERS + 1)]
        for t in self.threads:
            t.start()

    def run(self, n):
        while not self.stop.is_set():
            try:
                c = self.host.submit(n, timeout=20)
                for _ in range(20):
                    self.send(c, n)
                c.close()
            except (OSError, EOFError, pt.smtplib.SMTPException):
                time.sleep(0.05)    # killed under us, as was to be shown

    def send(self, c, n, before_250=None):
        with self.lock:
            word = f"out-{n}-{len(self.tried)}"
            self.tried.add(word)
        text = (f"X-Id: {word}\r\nMessage-ID: <{word}@c>\r\n\r\nx\r\n"
                .encode())
        c.mail(self.host.address(n))
        c.rcpt("b@remote.test")
        c.docmd("DATA")
        c.send(text + b".\r\n")
        if before_250:
            before_250()
        if c.getreply()[0] == 250:
            with self.lock:
                self.acked.add(word)

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join(60)


class Killer:
    """Kills submitd, at once when told to: who it is was looked up before."""

    def __init__(self, host, sink, load):
        self.host, self.sink, self.load = host, sink, load
        self.kills = collections.Counter()
        self.pids = []
        self.stage = None
        self.done = threading.Event()

    def aim(self, stage):
        self.pids = pt.wait_for("submitd", lambda: self.host.children().get(
            "submitd"))
        self.stage = stage
        self.done.clear()

    def strike(self, stage, most_ms=2):
        if self.stage != stage:
            return
        self.stage = None
        time.sleep(random.uniform(0, most_ms) / 1000)
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        self.kills[stage] += 1
        self.done.set()

    def submit(self, behind):
        """A mail of ours; killed before the 250, or behind it."""
        stage = "commit and relay" if behind else "DATA's end and 250"
        c = self.host.submit(1)
        self.aim(stage)
        try:
            self.load.send(c, 1, None if behind else
                           lambda: self.strike(stage, 4))
        except (OSError, EOFError, pt.smtplib.SMTPException):
            pass
        self.strike(stage)

    def reply(self, behind):
        stage = "behind the remote's reply" if behind else \
            "during the remote's reply"
        self.aim(stage)
        pt.wait_for(stage, self.done.is_set, 20)

    def run(self):
        self.sink.before_end = lambda _: self.strike(
            "during the remote's reply", 0)
        self.sink.after_end = lambda _: self.strike(
            "behind the remote's reply")
        for step in (self.submit, self.reply):
            for behind in (False, True):
                time.sleep(random.uniform(0.1, 0.4))
                step(behind)
                self.host.wait_ready()


def word_of(text):
    return re.search(rb"X-Id: (\S+)", text)[1].decode()


def check_twice(sink, what):
    """Of the copies of a mail all but the last were cut off; how many there
    were too many."""
    copies = collections.defaultdict(list)
    for t in sink.taken:
        copies[word_of(t.text)].append(t)
    twice = [t for v in copies.values() for t in v[:-1]]
    cut = [t for t in sink.taken if not t.heard]
    heard = [t for t in twice if t.heard]
    per_connection = collections.Counter(t.connection for t in twice)
    print(f"# {what}: {len(sink.taken)} came, {len(cut)} replies cut, "
          f"{len(twice)} twice, {len(heard)} of them with the reply heard",
          flush=True)
    assert not heard, [word_of(t.text) for t in heard][:10]
    assert max(per_connection.values(), default=0) <= 1
    return copies


def four_kills():
    port = outside.free_port("127.0.0.2")
    sink = outside.Sink("127.0.0.2", port)
    sink.end_delay = 0.01
    with sink, pt.Host(SENDERS, conf={
            "smarthost": f'"127.0.0.2:{port}"', "queue-retry-first": '"1s"',
            "queue-retry-max": '"1s"'}) as host:
        host.expect_restarts = True
        load = Load(host)
        killer = Killer(host, sink, load)
        try:
            killer.run()
        finally:
            load.end()
        host.wait_ready()
        pt.wait_for("an empty queue", lambda: host.admin(
            "queue", "list", "--json").strip() in ("[]", ""), 60)
        assert sum(killer.kills.values()) == 4, killer.kills
        copies = check_twice(sink, f"4 kills, {len(load.acked)} accepted")
        lost = load.acked - set(copies)
        assert len(load.acked) > 4, "nothing was accepted"
        assert not lost, sorted(lost)[:10]
        assert not set(copies) - load.tried
        # Nobody got a report about what was delivered.
        assert "action=failed" not in host.log()


def test_killed_while_relaying():
    # A host of its own each: who is killed often is started late.
    for _ in range(ROUNDS):
        four_kills()


if __name__ == "__main__":
    pt.main(globals())
