#!/usr/bin/env python3
"""imapd under commands and messages made to hurt: memory does not grow with
them, work grows no faster than they do, and there is a clear answer.

Memory is imapd's anonymous memory, work its CPU time: both do not depend on
what else runs on the machine.  Limits have room for sanitizers.
"""

import glob
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

MIB = 1 << 20
SMALL = b"Subject: small\r\n\r\ntext\r\n"
CONF = {"message-max": "60M", "line-max": "64K"}


def imapd(host):
    return host.children()["imapd"][0]


def cpu_sec(host):
    total = 0
    for path in glob.glob(f"/proc/{imapd(host)}/task/*/schedstat"):
        with open(path, encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


class Client:
    """Lines and literals as they are; the reader decides how fast."""

    def __init__(self, host, n):
        self.sock = host.connect("imaps", timeout=120)
        self.left = b""
        self.line()
        self.ask(f"LOGIN {host.user(n)} {host.password(n)}")

    def line(self):
        while b"\n" not in self.left:
            more = self.sock.recv(1 << 16)
            if not more:
                raise pt.Failure("closed")
            self.left += more
        line, self.left = self.left.split(b"\n", 1)
        return line + b"\n"

    def send(self, data):
        self.sock.sendall(data)

    def ask(self, command, want="OK"):
        """All untagged lines; literals are lines among them."""
        if isinstance(command, str):
            command = command.encode()
        self.send(b"a " + command + b"\r\n")
        lines = []
        while True:
            line = self.line()
            if line.startswith(b"a "):
                break
            lines.append(line)
        if not line.startswith(b"a " + want.encode()):
            raise pt.Failure(f"{command[:60]}: {line[:200]}")
        return lines

    def append(self, text, folder="INBOX"):
        self.send(b"a APPEND %s {%d+}\r\n" % (folder.encode(), len(text)))
        self.send(text)
        self.send(b"\r\n")
        while (line := self.line()).startswith((b"+", b"*")):
            pass
        if not line.startswith(b"a OK"):
            raise pt.Failure(f"APPEND: {line}")


def opened(host, n):
    c = Client(host, n)
    c.ask("SELECT INBOX")
    return c


def grows_less(host, what, limit, work):
    before = host.memory("imapd")
    work()
    grown = host.memory("imapd") - before
    if grown > limit and pt.SLOW == 1:  # sanitizers keep what is freed
        raise pt.Failure(f"{what}: {grown >> 10} KiB more than before")


def test_slow_reader_of_ten_gigabytes(host):
    """220 copies of one message of 50 MiB, one body on disk; the peer reads
    now and then."""
    n = host.fresh()
    c = opened(host, n)
    c.append(b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n"
             + (b"y" * 78 + b"\r\n") * (50 * MIB // 80))
    count = 1
    while count < 220:
        c.ask("NOOP")
        more = min(220 - count, count)
        c.ask(f"COPY 1:{more} INBOX")
        count += more
    c.ask("NOOP")
    size = sum(int(re.search(rb"RFC822.SIZE (\d+)", x)[1])
               for x in c.ask("FETCH 1:* RFC822.SIZE"))
    if size < 10 << 30:
        raise pt.Failure(f"only {size >> 20} MiB in the folder")
    c.ask("FETCH 2 (FLAGS BODY.PEEK[]<0.1000000>)")
    before = host.memory("imapd")
    c.send(b"a FETCH 1:* (FLAGS BODY.PEEK[])\r\n")
    seen, worst = 0, 0
    for step in range(60):
        seen += len(c.sock.recv(1 << 20))
        if step % 6 == 0:
            time.sleep(0.05)
            worst = max(worst, host.memory("imapd") - before)
    if worst > MIB and pt.SLOW == 1:
        raise pt.Failure(f"{worst >> 10} KiB held for a slow reader")
    if seen == 0:
        raise pt.Failure("nothing came")
    c.sock.close()


def test_literal_over_the_limit(host):
    """100 MB announced: refused before they are sent; sent all the same,
    they are read and thrown away."""
    c = opened(host, host.fresh())

    def announced():
        c.send(b"a APPEND INBOX {100000000}\r\n")
        line = c.line()
        if not line.startswith(b"a NO [TOOBIG]"):
            raise pt.Failure(f"announced: {line}")

    def sent():
        c.send(b"b APPEND INBOX {100000000+}\r\n")
        block = b"z" * 100000
        for _ in range(1000):
            c.send(block)
        c.send(b"\r\n")
        line = c.line()
        if not line.startswith(b"b NO [TOOBIG]"):
            raise pt.Failure(f"sent: {line}")
    announced()
    grows_less(host, "announced", MIB, announced)
    grows_less(host, "sent", MIB, sent)
    c.ask("NOOP")


def many(count):
    """A folder of so many small messages."""
    def fill(c):
        c.append(SMALL)
        have = 1
        while have < count:
            c.ask("NOOP")
            more = min(have, count - have)
            c.ask(f"COPY 1:{more} INBOX")
            have += more
        c.ask("NOOP")
    return fill


def test_sequence_sets(host):
    """What a set repeats is told once; none costs more than its length and
    the folder's."""
    c = opened(host, host.fresh())
    many(2000)(c)
    sets = {
        "1:*,": b"1:*," * 12000 + b"1",
        "*:1,": b"*:1," * 12000 + b"1",
        "odd ones": b",".join(b"%d" % i for i in range(1, 2000, 2)),
        "falling": b",".join(b"%d" % i for i in range(2000, 0, -1)),
        "far": b",".join(b"%d:4294967295" % i for i in range(1, 4000)),
    }
    for name, text in sets.items():
        want = 1000 if name == "odd ones" else 2000
        before = cpu_sec(host)
        for command in (b"UID FETCH %s FLAGS", b"UID SEARCH UID %s"):
            got = c.ask(command % text)
            told = len(got) if b"FETCH" in command else len(
                got[0].split()) - 2
            if told != want:
                raise pt.Failure(f"{name}: {told} told")
        if cpu_sec(host) - before > 1 * pt.SLOW:
            raise pt.Failure(f"{name}: {cpu_sec(host) - before:.2f} s")
    c.ask(b"FETCH " + b"1," * 30000 + b"x FLAGS", "BAD")
    c.ask("FETCH 2001 FLAGS", "BAD")
    c.ask("FETCH 0 FLAGS", "BAD")
    c.ask("FETCH 4294967296 FLAGS", "BAD")


def nested(depth):
    parts = [b"MIME-Version: 1.0\r\n"]
    for i in range(depth):
        parts.append(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n"
                     b"--b%d\r\n" % (i, i))
    parts.append(b"\r\ndeep\r\n")
    return b"".join(parts)


def nested_messages(depth):
    return (b"Subject: x\r\nContent-Type: message/rfc822\r\n\r\n" * depth
            + b"\r\ndeep\r\n")


def parts(count):
    return (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
            + b"--b\r\n\r\n1\r\n" * count + b"--b--\r\n")


def boundary_lines(count):
    """Every line may be the boundary of any of many levels."""
    return nested(1000) + b"--b999x\r\n" * count


BOMBS = {
    "nested multiparts": (nested, 2500, 10000),
    "nested messages": (nested_messages, 2500, 10000),
    "parts": (parts, 25000, 100000),
    "boundaries": (boundary_lines, 25000, 100000),
    "header fields": (lambda n: b"X: y\r\n" * n + b"\r\nx\r\n",
                      50000, 200000),
    "one long field": (lambda n: b"Subject: " + b"x " * n + b"\r\n\r\nx\r\n",
                       250000, 1000000),
    "folded field": (lambda n: b"Subject: x" + b"\r\n y" * n
                     + b"\r\n\r\nx\r\n", 100000, 400000),
    "encoded words": (lambda n: b"Subject:" + b"\r\n =?utf-8?q?x?=" * n
                      + b"\r\n\r\nx\r\n", 20000, 80000),
    "addresses": (lambda n: b"To:" + b"\r\n a@b," * n + b" c@d\r\n\r\nx\r\n",
                  25000, 100000),
    "groups": (lambda n: b"To: " + b"g:" * n + b"\r\n\r\nx\r\n",
               25000, 100000),
    "comments": (lambda n: b"From: " + b"(" * n + b"\r\n\r\nx\r\n",
                 100000, 400000),
    "references": (lambda n: b"References:" + b"\r\n <a@b>" * n
                   + b"\r\n\r\nx\r\n", 25000, 100000),
    "parameters": (lambda n: b"Content-Type: text/plain"
                   + b";\r\n a*0=b" * n + b"\r\n\r\nx\r\n", 12000, 48000),
    "no line ends": (lambda n: b"x" * n, 500000, 2000000),
}

QUESTIONS = (
    "FETCH 1 (ENVELOPE BODYSTRUCTURE BODY PREVIEW)",
    "FETCH 1 (BODY.PEEK[HEADER.FIELDS (SUBJECT TO REFERENCES)])",
    "FETCH 1 (BODY.PEEK[1.MIME] BODY.PEEK[1.1.1.1.1] BINARY.SIZE[1])",
    "SEARCH SUBJECT nothing FROM nobody TO no-one",
    "SEARCH TEXT nothing",
    "SORT (SUBJECT FROM TO DATE) UTF-8 ALL",
    "THREAD REFERENCES UTF-8 ALL",
)


def costs(host, c, text):
    before = cpu_sec(host)
    c.append(text)
    c.ask("NOOP")
    for q in QUESTIONS:
        try:
            c.ask(q)
        except pt.Failure as e:
            if ": b'a NO [" not in str(e) and ": b'a BAD" not in str(e):
                raise
    took = cpu_sec(host) - before
    c.ask("STORE 1 +FLAGS.SILENT (\\Deleted)")
    c.ask("EXPUNGE")
    return took


def test_messages_made_to_hurt(host):
    """Four times the bytes, no more than about four times the work."""
    c = opened(host, host.fresh())
    for name, (make, small, large) in BOMBS.items():
        few = costs(host, c, make(small))
        lot = costs(host, c, make(large))
        if lot > 0.5 * pt.SLOW and lot > 8 * few:
            raise pt.Failure(f"{name}: {few:.2f} s, then {lot:.2f} s")
        if lot > 3 * pt.SLOW:
            raise pt.Failure(f"{name}: {lot:.2f} s of CPU")


def test_memory_is_given_back(host):
    """After all of them, imapd is as small as it was."""
    c = opened(host, host.fresh())
    for make, small, _ in BOMBS.values():
        costs(host, c, make(small))
    grows_less(host, "the same again", 4 * MIB, lambda: [
        costs(host, c, make(small)) for make, small, _ in BOMBS.values()])


def test_search_trees(host):
    """Deep ones are refused or answered, wide ones answered."""
    c = opened(host, host.fresh())
    many(500)(c)
    before = cpu_sec(host)
    for tree in (b"NOT " * 15000 + b"SEEN", b"(" * 30000 + b"SEEN",
                 b"(" * 20000 + b"SEEN" + b")" * 20000,
                 b"OR " * 7000 + b"SEEN " * 7001,
                 b"OR SEEN " * 7000 + b"SEEN"):
        c.send(b"a SEARCH " + tree + b"\r\n")
        while not (line := c.line()).startswith(b"a "):
            pass
        if not line.startswith((b"a OK", b"a BAD", b"a NO")):
            raise pt.Failure(f"{tree[:20]}: {line[:80]}")
    c.ask(b"SEARCH " + b"UNSEEN " * 8000 + b"ALL")
    c.ask(b"SEARCH " + b"NOT SUBJECT x " * 4000 + b"ALL")
    c.ask(b"SEARCH " + b"OR SEEN SUBJECT x " * 1000 + b"ALL")
    if cpu_sec(host) - before > 5 * pt.SLOW:
        raise pt.Failure(f"{cpu_sec(host) - before:.1f} s")


if __name__ == "__main__":
    pt.main(globals(), accounts=8, conf=CONF)
