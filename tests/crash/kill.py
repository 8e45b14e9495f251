#!/usr/bin/env python3
"""kill -9 under load: what was acknowledged is there, once, and stays.

Short by default; POSTHOF_LONG=1 goes on for minutes.
"""

import os
import random
import re
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

LONG = bool(os.environ.get("POSTHOF_LONG"))
SECONDS = 60 if LONG else 8
KILLS = 50 if LONG else 3
ACCOUNTS = 6
PROGRAMS = ("imapd", "pop3d", "submitd", "keeper")


class Load:
    """Threads that deliver, append and read, and remember what was said
    to be done."""

    def __init__(self, host):
        self.host = host
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.acked = {}         # account: set of ids
        self.tried = set()
        self.validity = {}      # account: UIDVALIDITY
        self.wrong = []
        self.threads = []

    def begin(self):
        for n in range(1, ACCOUNTS + 1):
            for work in (self.deliver, self.append, self.read):
                t = threading.Thread(target=self.loop, args=(work, n))
                t.start()
                self.threads.append(t)

    def loop(self, work, n):
        while not self.stop.is_set():
            try:
                work(n)
            except (OSError, EOFError, pt.smtplib.SMTPException,
                    pt.imaplib.IMAP4.error, pt.poplib.error_proto,
                    ValueError, IndexError):
                time.sleep(0.05)    # killed under us, as was to be shown
            except Exception as e:  # anything else is a finding
                self.wrong.append(f"{work.__name__}: {e!r}")
                return

    def new_id(self, n, how):
        with self.lock:
            word = f"{how}-{n}-{len(self.tried)}"
            self.tried.add(word)
        size = random.choice((10, 500, 5000, 60000))
        text = (f"From: a@example.net\r\nSubject: {word}\r\n"
                f"X-Id: {word}\r\n\r\n" + "x" * 70 + "\r\n")
        return word, (text + ("y" * 70 + "\r\n") * (size // 72)).encode()

    def done(self, n, word):
        with self.lock:
            self.acked.setdefault(n, set()).add(word)

    def deliver(self, n):
        with pt.smtplib.LMTP(self.host.lmtp_socket, timeout=20) as c:
            for _ in range(20):
                word, text = self.new_id(n, "lmtp")
                if c.sendmail("a@example.net", [self.host.address(n)],
                              text) == {}:
                    self.done(n, word)

    def append(self, n):
        c = self.host.imap(n, timeout=20)
        for _ in range(20):
            word, text = self.new_id(n, "append")
            if c.append("INBOX", None, None, text)[0] == "OK":
                self.done(n, word)
        c.shutdown()

    def read(self, n):
        c = self.host.imap(n, timeout=20)
        c.select("INBOX")
        validity = c.response("UIDVALIDITY")[1][0]
        with self.lock:
            if self.validity.setdefault(n, validity) != validity:
                self.wrong.append(f"UIDVALIDITY of {n} changed")
        c.store("1:*", "+FLAGS", r"(\Seen)")
        c.fetch("1:*", "(UID FLAGS RFC822.SIZE)")
        p = self.host.pop3(n, timeout=20)
        p.stat()
        p.quit()
        c.shutdown()

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join(60)


def ids_of(host, n):
    """Every X-Id in the INBOX, with its UID, in order."""
    c = host.imap(n)
    c.select("INBOX")
    data = c.uid("FETCH", "1:*",
                 "(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-Id)])")[1]
    found = []
    for item in data:
        if isinstance(item, tuple):
            uid = int(re.search(rb"UID (\d+)", item[0])[1])
            word = re.search(rb"X-Id: (\S+)", item[1])
            if not word:
                raise pt.Failure(f"message {uid} of {n}: {item!r}")
            found.append((uid, word[1].decode()))
    c.logout()
    return found


def check(host, load):
    """Each acknowledged message once, none twice, UIDs rising."""
    for n in range(1, ACCOUNTS + 1):
        found = ids_of(host, n)
        uids = [uid for uid, _ in found]
        words = [word for _, word in found]
        if uids != sorted(set(uids)):
            raise pt.Failure(f"UIDs of {n}: {uids}")
        if len(words) != len(set(words)):
            raise pt.Failure(f"messages of {n} are there twice")
        lost = load.acked.get(n, set()) - set(words)
        if lost:
            raise pt.Failure(f"lost from {n}: {sorted(lost)[:10]} "
                             f"of {len(load.acked[n])}")
        strange = set(words) - load.tried
        if strange:
            raise pt.Failure(f"never sent to {n}: {sorted(strange)[:10]}")
    if load.wrong:
        raise pt.Failure("\n".join(load.wrong[:10]))


def bodies_are_whole(host):
    """What was written is what is read: sizes agree, the ends are there."""
    for n in range(1, ACCOUNTS + 1):
        c = host.imap(n)
        c.select("INBOX")
        for item in c.fetch("1:*", "(RFC822.SIZE BODY.PEEK[])")[1]:
            if isinstance(item, tuple):
                size = int(re.search(rb"RFC822.SIZE (\d+)", item[0])[1])
                if size != len(item[1]) or not item[1].endswith(b"\r\n"):
                    raise pt.Failure(f"{n}: {item[0]!r}, {len(item[1])} "
                                     "bytes came")
        c.logout()


def under_load(host, chaos, enough=lambda: False):
    load = Load(host)
    load.begin()
    try:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and not enough():
            time.sleep(random.uniform(0.2, 1.5))
            chaos()
    finally:
        load.end()
    host.wait_ready()
    acked = sum(len(s) for s in load.acked.values())
    print(f"# {acked} messages acknowledged, {len(load.tried)} tried")
    if acked == 0:
        raise pt.Failure("nothing was acknowledged")
    check(host, load)
    bodies_are_whole(host)


def fsck(host):
    run = host.admin("fsck", check=False)
    if run.returncode != 0:
        raise pt.Failure("fsck: " + (run.stdout + run.stderr).decode())


def kill_some(kills):
    """One of the children at a time, chosen at random.  Five of a host: with
    more in a minute the supervisor takes longer and longer pauses."""
    with pt.Host(ACCOUNTS) as host:
        host.expect_restarts = True
        before = len(kills)

        def chaos():
            children = host.children()
            program = random.choice(PROGRAMS)
            for pid in children.get(program, ()):
                os.kill(pid, signal.SIGKILL)
                kills.append(program)
        under_load(host, chaos, lambda: len(kills) - before >= 5)
        fsck(host)


def test_daemons_killed():
    kills = []
    while len(kills) < KILLS:
        kill_some(kills)
    print(f"# {len(kills)} kills: "
          + ", ".join(f"{kills.count(p)} {p}" for p in PROGRAMS))


def test_supervisor_killed():
    """The whole host at once, as in a power cut without the disk's part."""
    with pt.Host(ACCOUNTS) as host:
        host.expect_restarts = True

        def chaos():
            pid = host.process.pid
            children = [p for pids in host.children().values() for p in pids]
            host.process.kill()
            host.process.wait()
            pt.wait_for("the end of the children", lambda: not any(
                os.path.exists(f"/proc/{p}") for p in children))
            assert not os.path.exists(f"/proc/{pid}")
            host.start()
        under_load(host, chaos)
        fsck(host)


def test_damage_to_a_body_is_one_message_s():
    """A byte changed in a segment: that message is an error, others are
    not, and the host serves on."""
    with pt.Host(2) as host:
        for i in range(20):
            host.deliver(1, (f"Subject: {i}\r\nX-Id: d{i}\r\n\r\n"
                             f"marker-{i:04}-" + "z" * 3000
                             + "\r\n").encode())
        host.stop()
        changed = 0
        for where, _, files in os.walk(os.path.join(host.state, "mail")):
            for name in files:
                with open(os.path.join(where, name), "r+b") as f:
                    data = f.read()
                    at = data.find(b"marker-0007-")
                    if at >= 0:
                        f.seek(at)
                        f.write(b"MARKER")
                        changed += 1
        assert changed == 1, changed
        host.start()
        c = host.imap(1)
        c.select("INBOX")
        good = bad = 0
        for i in range(1, 21):
            kind, data = c.fetch(str(i), "(BODY.PEEK[])")
            # imaplib hands what a NO left unread to the next command.
            body = b"".join(d[1] for d in data if isinstance(d, tuple))
            assert b"MARKER" not in body
            if kind == "OK" and b"marker-%04d-" % (i - 1) in body:
                good += 1
            else:
                bad += 1
        assert (good, bad) == (19, 1), (good, bad)
        host.deliver(1, b"Subject: after\r\n\r\n\r\n")


def test_idle_connections_survive_a_reload():
    """SIGHUP takes no session with it."""
    with pt.Host(2) as host:
        c = host.imap(1)
        c.select("INBOX")
        host.process.send_signal(signal.SIGHUP)
        time.sleep(1)
        assert c.noop()[0] == "OK"
        with socket.create_connection(("127.0.0.1", host.port("imap"))) as s:
            assert s.recv(4) == b"* OK"


if __name__ == "__main__":
    pt.main(globals())
