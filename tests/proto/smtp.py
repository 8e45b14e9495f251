#!/usr/bin/env python3
"""SMTP and LMTP: what a transcript cannot say."""

import os
import random
import smtplib
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

SENDER = "sender@example.net"
HEAD = b"From: <sender@example.net>\r\nSubject: %s\r\n\r\n"


class Talk:
    """A connection by lines."""

    def __init__(self, host, port="smtp"):
        self.sock = host.connect(port, 30)
        self.file = self.sock.makefile("rb")
        assert self.reply()[:3] == "220"
        self.ask("LHLO x.test" if port == "lmtp" else "EHLO x.test", "250")

    def reply(self):
        """The last line of a reply; "" at the end of the connection."""
        line = self.file.readline().decode()
        while line[3:4] == "-":
            line = self.file.readline().decode()
        return line.rstrip("\r\n")

    def send(self, data):
        self.sock.sendall(data)

    def ask(self, text, want=""):
        self.send(text.encode() + b"\r\n")
        got = self.reply()
        assert got.startswith(want), (text, got)
        return got

    def data(self, rcpts, data, sender=SENDER):
        """The replies behind the data, one a recipient with LMTP."""
        self.ask(f"MAIL FROM:<{sender}>", "250")
        for rcpt in rcpts:
            self.ask(f"RCPT TO:<{rcpt}>", "250")
        self.ask("DATA", "354")
        self.send(data)
        return self.reply()

    def close(self):
        self.file.close()
        self.sock.close()


def body(message):
    return message.split(b"\r\n\r\n", 1)[1]


# A dot line in every dress but the right one, and commands behind it.
SMUGGLES = [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n", b"\r\n.\n",
            b"\r\n.\r", b"\n.\r", b"\r.\n", b"\r\n\x00.\r\n",
            b"\r\n.\x00\r\n", b"\r\n\r.\r\n", b"\r\r\n.\n", b"\r\n.\r\r\n"]


def test_smuggling(host):
    n = host.fresh()
    address = host.address(n)
    inner = (f"MAIL FROM:<evil@example.net>\r\nRCPT TO:<{address}>\r\n"
             "DATA\r\nSubject: smuggled\r\n\r\nevil").encode()
    for dots in SMUGGLES:
        c = Talk(host)
        got = c.data([address], HEAD % b"outer" + b"text" + dots + inner
                     + b"\r\n.\r\n")
        assert got.startswith("554 5.6.0"), (dots, got)
        c.ask("QUIT", "221")
        c.close()
    # These are text: dots at the start of lines that go on.
    c = Talk(host)
    for text in (b"..\r\n", b"...\r\n", b"..x\r\n", b".x\r\n"):
        assert c.data([address], HEAD % b"good" + text
                      + b".\r\n").startswith("250")
    c.close()
    assert [body(m) for m in host.mails(n)] == [
        b".\r\n", b"..\r\n", b".x\r\n", b"x\r\n"]


def test_big_ones(host):
    """Past message-memory it goes through a file, and comes out the same."""
    n = host.fresh()
    rng = random.Random(1)
    lines = [bytes(rng.choices(range(32, 127), k=rng.randrange(77)))
             for _ in range(100000)]
    text = HEAD % b"big" + b"\r\n".join(lines) + b"\r\n"
    stuffed = text.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    c = Talk(host)
    for _ in range(2):
        assert c.data([host.address(n)], stuffed).startswith("250")
    c.ask(f"MAIL FROM:<{SENDER}>", "250")
    c.ask(f"RCPT TO:<{host.address(n)}>", "250")
    half = len(text) // 2
    c.send(b"BDAT %d\r\n" % half + text[:half]
           + b"BDAT %d LAST\r\n" % (len(text) - half) + text[half:])
    assert c.reply().startswith("250")
    assert c.reply().startswith("250")
    c.close()
    got = host.mails(n)
    assert len(got) == 3
    for message in got:
        assert message[message.index(b"From: <sender"):] == text


def test_every_split():
    """Where the packets end changes nothing."""
    with pt.Host(accounts=1, conf={"loops": 1}) as host:
        to = host.address(1)
        whole = (f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{to}>\r\nDATA\r\n"
                 "A: b\r\n\r\n..\r\n.\r\nNOOP\r\n").encode()
        c = Talk(host)
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(1, len(whole)):
            c.send(whole[:at])
            time.sleep(0.002)
            c.send(whole[at:])
            codes = [c.reply()[:3] for _ in range(5)]
            assert codes == ["250", "250", "354", "250", "250"], (at, codes)
        c.close()
        assert {body(m) for m in host.mails(1)} == {b".\r\n"}


def test_full_box_by_lmtp():
    with pt.Host(accounts=4) as host:
        host.admin("account", "set", host.user(2), "--quota", "20K")
        host.admin("address", "add", "both@posthof.test", "--to",
                   host.user(2), "--to", host.user(3))
        fill = HEAD % b"fill" + (b"x" * 70 + b"\r\n") * 200 + b".\r\n"
        c = Talk(host, "lmtp")
        first = c.data([host.address(1), host.address(2), host.user(2),
                        "both@posthof.test", host.address(4)], fill)
        answers = [first] + [c.reply() for _ in range(4)]
        assert [a[:3] for a in answers] == ["250"] * 5, answers
        # Who leads to the full one is told so, and the others have it.
        first = c.data([host.address(1), host.address(2), host.user(2),
                        "both@posthof.test", host.address(4)], fill)
        answers = [first] + [c.reply() for _ in range(4)]
        assert [a[:9] for a in answers] == [
            "250 2.0.0", "452 4.2.2", "452 4.2.2", "452 4.2.2",
            "250 2.0.0"], answers
        counts = [len(host.mails(n)) for n in (1, 2, 3, 4)]
        assert counts == [2, 1, 1, 2], counts
        # All that was asked for is full.
        assert c.data([host.address(2)], fill).startswith("452 4.2.2")
        # It is told at RCPT, when the size is known (O7).
        c.ask(f"MAIL FROM:<{SENDER}> SIZE=15000", "250")
        c.ask(f"RCPT TO:<{host.address(2)}>", "452 4.2.2")
        c.ask(f"RCPT TO:<{host.address(1)}>", "250")
        c.ask("RSET", "250")
        c.close()
        # From outside it is all or nothing.
        c = Talk(host)
        assert c.data([host.address(1), host.address(2)],
                      fill).startswith("452 4.2.2")
        c.close()
        assert len(host.mails(1)) == 2


def test_addresses_and_forwards():
    # A resolver that does not answer keeps the mail in the queue.
    with pt.Host(accounts=3, conf={"resolver": '"127.0.0.1@1"'}) as host:
        host.admin("address", "add", "team@posthof.test", "--to",
                   host.user(1), "--to", host.user(2), "--to",
                   "out@elsewhere.test")
        host.admin("address", "add", "@posthof.test", "--to", host.user(3))
        c = Talk(host)
        assert c.data(["team@posthof.test", "Team@Posthof.TEST",
                       host.address(1), "anything@posthof.test"],
                      HEAD % b"to all" + b".\r\n").startswith("250")
        c.close()
        boxes = [host.mails(n) for n in (1, 2, 3)]
        assert [len(b) for b in boxes] == [1, 1, 1]
        assert b"Delivered-To: team@posthof.test\r\n" in boxes[0][0]
        assert b"Delivered-To: anything@posthof.test\r\n" in boxes[2][0]
        assert b"for <" not in boxes[0][0]
        pt.wait_for("the queue", lambda: "out@elsewhere.test" in
                    host.admin("queue", "list", "--json"))


def test_suspended_while_logged_in():
    with pt.Host(accounts=2) as host:
        c = host.submit(1)
        c.sendmail(host.address(1), [host.address(2)], "\r\n")
        host.admin("account", "suspend", host.user(1), "--mail", "refuse")

        def gone():
            try:
                return c.noop()[0] != 250
            except smtplib.SMTPServerDisconnected:
                return True
        pt.wait_for("the end of the session", gone)
        c = Talk(host)
        c.ask(f"MAIL FROM:<{SENDER}>", "250")
        c.ask(f"RCPT TO:<{host.address(1)}>", "550 5.7.1")
        c.close()


def greeting(host, port="smtp", source=None):
    """The first line, of a connection that stays open."""
    s = socket.create_connection(
        ("127.0.0.1", host.port(port)), 30,
        source_address=(source, 0) if source else None)
    f = s.makefile("rb")
    return s, f, f.readline().decode()


def test_connections_a_minute():
    """smtp-connections-per-minute; in whatever minute the test begins."""
    with pt.Host(accounts=1,
                 conf={"smtp-connections-per-minute": 5}) as host:
        held = [greeting(host) for _ in range(12)]
        words = [w for _, _, w in held]
        good = [w for w in words if w.startswith("220 ")]
        bad = [w for w in words
               if w.startswith("421 4.7.0 ") and "too often" in w]
        assert len(good) + len(bad) == 12 and len(good) <= 10, words
        # Those who were taken in stay, those refused are closed; our people
        # are not concerned.
        for s, f, w in held:
            if w.startswith("220"):
                s.sendall(b"NOOP\r\n")
                assert f.readline().startswith(b"250"), w
            else:
                assert f.readline() == b""
        assert greeting(host, "submission")[2].startswith("220")


def test_errors_a_minute():
    with pt.Host(accounts=1, conf={"smtp-errors-per-minute": 3}) as host:
        def offend():
            c = Talk(host)
            for _ in range(4):
                c.ask("BLAH", "500")
            c.close()
            return pt.wait_for("a refusal", lambda: greeting(host)[2]
                               .startswith("421 4.7.0 "), 5)
        try:
            offend()
        except (pt.Failure, AssertionError):
            offend()        # the minute had turned in between
        assert greeting(host, "submission")[2].startswith("220")


def test_connections_per_network():
    with pt.Host(accounts=1, conf={"connections-per-network": 4}) as host:
        held = []

        def three():
            held[:] = [greeting(host, source=f"127.0.0.{k}")
                       for k in (1, 2, 3)]
            return all(w.startswith("220") for _, _, w in held)
        pt.wait_for("the host's own probes to end", three)
        fourth = greeting(host, source="127.0.0.4")
        assert fourth[2].startswith("220"), fourth
        for port in ("smtp", "submission"):
            _, f, words = greeting(host, port, "127.0.0.5")
            words += f.read().decode()  # people are told in two languages
            assert "421 4.7.0 " in words and "network" in words, words
        assert greeting(host, source="127.0.9.1")[2].startswith("220")
        # Room comes back.
        fourth[1].close()
        fourth[0].close()
        pt.wait_for("a place", lambda: greeting(host, source="127.0.0.6")[2]
                    .startswith("220"))


def test_deaf_peer():
    """Who takes no replies gets no more made, and costs little."""
    with pt.Host(accounts=1, conf={"smtp-timeout": '"10s"',
                                   "loops": 1}) as host:
        c = Talk(host)
        c.sock.settimeout(1)
        sent = 0
        try:
            for _ in range(2000):
                c.sock.sendall(b"NOOP\r\n" * 5000)
                sent += 5000
        except TimeoutError:
            pass
        assert sent < 2000 * 5000, "nothing held us back"
        pid = host.children()["submitd"][0]
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            rss = [line for line in f if line.startswith("VmRSS")][0]
        assert int(rss.split()[1]) < 400000 * pt.SLOW, rss
        # It is not lost: replies come once they are read.
        c.sock.settimeout(20)
        for _ in range(sent // 2):
            assert c.reply().startswith("250")
        c.close()


def test_stop_under_load():
    """A host that stops lets everybody finish or tells them; what was
    accepted is there."""
    with pt.Host(accounts=4) as host:
        accepted, stop = [0] * 4, threading.Event()

        def load(k):
            try:
                c = Talk(host, "lmtp")
                while not stop.is_set():
                    got = c.data([host.address(k + 1)],
                                 HEAD % b"load" + b"x\r\n.\r\n")
                    if not got.startswith("250"):
                        break
                    accepted[k] += 1
            except (OSError, AssertionError):
                pass
        threads = [threading.Thread(target=load, args=(k,))
                   for k in range(4)]
        for t in threads:
            t.start()
        time.sleep(0.5)
        host.restart()
        stop.set()
        for t in threads:
            t.join()
        for k in range(4):
            n = len(host.mails(k + 1))
            assert accepted[k] <= n <= accepted[k] + 1, (accepted[k], n)
        assert sum(accepted) > 20, accepted


if __name__ == "__main__":
    pt.main(globals())
