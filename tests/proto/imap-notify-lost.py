#!/usr/bin/env python3
"""Notifications that get lost: a session hears of what changed all the same
(IDLE, RFC 2177), and one by NOTIFY is told that too much has changed (RFC 5465
5.8)."""

import os
import re
import select
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402


class Line:
    def __init__(self, host, n, timeout=60):
        self.s = host.connect("imaps", timeout * pt.SLOW)
        self.f = self.s.makefile("rwb")
        self.f.readline()
        self.tags = 0
        self.do(f"LOGIN {host.user(n)} {host.password(n)}")

    def send(self, text):
        self.tags += 1
        self.f.write(b"t%d %s\r\n" % (self.tags, text.encode()))
        self.f.flush()
        return b"t%d " % self.tags

    def until(self, pattern):
        lines = []
        while not lines or not re.match(pattern, lines[-1]):
            lines.append(self.f.readline().decode())
            assert lines[-1], lines[-5:]
        return lines

    def do(self, text):
        tag = self.send(text).decode()
        lines = self.until(tag)
        assert lines[-1].startswith(tag + "OK"), lines[-1]
        return lines


def test_full_socket():
    """imapd does not read while 100 messages come, one notification each: its
    socket holds a few, the sender keeps a few, the rest is lost, and that of
    another account's one message behind them, too."""
    with pt.Host(accounts=2) as host:
        idle, other, known = Line(host, 1), Line(host, 1), Line(host, 2)
        for c in (idle, known):
            c.do("SELECT INBOX")
        other.do("SELECT Sent")
        other.do("NOTIFY SET (PERSONAL (MessageNew MessageExpunge))")
        idle.send("IDLE")
        idle.until(r"\+ ")
        host.deliver(1, b"Subject: 0\r\n\r\n")
        idle.until(r"\* 1 EXISTS")
        other.until(r'\* STATUS "INBOX" \(MESSAGES 1 ')
        pids = host.children()["imapd"]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            for k in range(100):
                host.deliver(2, b"Subject: %d\r\n\r\n" % k)
            host.deliver(1, b"Subject: x\r\n\r\n")
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        idle.until(r"\* 2 EXISTS")
        other.until(r'\* STATUS "INBOX" \(MESSAGES 2 ')
        assert [x for x in known.do("NOOP") if "* 100 EXISTS" in x]
        # And the next one is told as ever.
        host.deliver(1, b"Subject: last\r\n\r\n")
        idle.until(r"\* 3 EXISTS")
        other.until(r'\* STATUS "INBOX" \(MESSAGES 3 ')


def test_overflow(host):
    """More changes of annotations than are kept for a session that is busy
    sending: NOTIFICATIONOVERFLOW, and it is as after NOTIFY NONE."""
    n = host.fresh()
    big = b"Subject: big\r\n\r\n" + b"x" * 75 * 1000 + b"\r\n"
    with host.connect("imaps") as s:
        f = s.makefile("rwb")
        f.readline()
        f.write(f"a LOGIN {host.user(n)} {host.password(n)}\r\n".encode())
        for _ in range(100):
            f.write(b"b APPEND INBOX {%d+}\r\n%s\r\n" % (len(big), big))
        f.write(b"c LOGOUT\r\n")
        f.flush()
        assert b"\r\nc OK" in f.read()
    slow, busy = Line(host, n), Line(host, n)
    slow.do("SELECT INBOX")
    slow.do("NOTIFY SET (SELECTED (MessageNew MessageExpunge)) "
            "(PERSONAL (MailboxMetadataChange ServerMetadataChange))")
    tag = slow.send("FETCH 1:* BODY.PEEK[]").decode()
    time.sleep(0.2)             # it has begun, and fills all buffers
    for k in range(300):
        busy.do(f'SETMETADATA Sent (/shared/comment "{k}")')
    lines = slow.until(tag)
    if not any("NOTIFICATIONOVERFLOW" in x for x in lines):
        lines += slow.until(r"\* OK \[NOTIFICATIONOVERFLOW\] ")
    # Nothing of other folders, nor of its own, is told from here on.
    busy.do('SETMETADATA Sent (/shared/comment "after")')
    lines = slow.do("NOOP") + slow.do("NOOP")
    assert not [x for x in lines if "METADATA" in x], lines
    # It may ask again.
    slow.do("NOTIFY SET (PERSONAL (MailboxMetadataChange))")
    busy.do('SETMETADATA Sent (/shared/comment "again")')
    slow.until(r'\* METADATA "Sent" /shared/comment')


def test_large_copy(host):
    """What others put between the parts of a large COPY is told (5465 5)."""
    n = host.fresh()
    copier, other = Line(host, n, 120), Line(host, n)
    copier.f.write(b"x APPEND INBOX {14+}\r\nSubject: a\r\n\r\n" +
                   b" {14+}\r\nSubject: a\r\n\r\n" * 20 + b"\r\n")
    copier.f.flush()
    copier.until("x OK")
    copier.do("SELECT INBOX")
    have = 21
    while have < (10050 if pt.SLOW == 1 else 500):  # sanitizers: no batches
        copier.do("COPY 1:* INBOX")
        have *= 2
    copier.do("NOTIFY SET (PERSONAL (MessageNew MessageExpunge))")
    tag = copier.send("COPY 1:* Sent").decode()
    put = 0
    while not put or not readable(copier.s):
        other.f.write(b"y APPEND Sent {14+}\r\nSubject: b\r\n\r\n\r\n")
        other.f.flush()
        other.until("y OK")
        put += 1
    told = rf'\* STATUS "Sent" \(MESSAGES {have + put} '
    if not [x for x in copier.until(tag) if re.match(told, x)]:
        copier.until(told)


def readable(s):
    return s.pending() or select.select([s], [], [], 0)[0]


if __name__ == "__main__":
    pt.main(globals(), accounts=6)
