#!/usr/bin/env python3
"""kill -9 on the way out: between the end of DATA and 250, between commit and
relay, during the remote's last reply.  What was accepted goes out, and twice
only where the remote's answer did not reach the queue.
"""

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

KILLS = 15 if os.environ.get("POSTHOF_LONG") else 4
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

    def send(self, c, n):
        with self.lock:
            word = f"out-{n}-{len(self.tried)}"
            self.tried.add(word)
        c.sendmail(self.host.address(n), ["b@remote.test"],
                   f"X-Id: {word}\r\nMessage-ID: <{word}@c>\r\n\r\nx\r\n"
                   .encode())
        with self.lock:
            self.acked.add(word)

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join(60)


def ids(sink):
    return [re.search(rb"X-Id: (\S+)", m[2])[1].decode() for m in sink.mails]


def test_killed_while_relaying():
    port = outside.free_port("127.0.0.2")
    sink = outside.Sink("127.0.0.2", port)
    sink.end_delay = 0.02       # so that kills fall into the last reply
    kills = 0
    with sink, pt.Host(SENDERS, conf={
            "smarthost": f'"127.0.0.2:{port}"', "queue-retry-first": '"1s"',
            "queue-retry-max": '"1s"'}) as host:
        host.expect_restarts = True
        load = Load(host)
        try:
            while kills < KILLS:
                time.sleep(random.uniform(0.5, 1.5))
                for pid in host.children().get("submitd", ()):
                    os.kill(pid, signal.SIGKILL)
                    kills += 1
        finally:
            load.end()
        host.wait_ready()
        pt.wait_for("an empty queue", lambda: host.admin(
            "queue", "list", "--json").strip() in ("[]", ""), 60)
        came = ids(sink)
        lost = load.acked - set(came)
        twice = len(came) - len(set(came))
        print(f"# {kills} kills: {len(load.acked)} accepted, {len(came)} came, "
              f"{len(lost)} lost, {twice} twice",
              flush=True)
        assert load.acked, "nothing was accepted"
        assert not lost, sorted(lost)[:10]
        assert not set(came) - load.tried
        # The last answers to what was under way died with the process: at
        # most one for each connection, and those that were being written.
        assert twice <= kills * 2 * 20, twice


if __name__ == "__main__":
    pt.main(globals())
