#!/usr/bin/env python3
"""POP3: what a transcript cannot say."""

import base64
import email
import email.policy
import glob
import json
import os
import re
import socket
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402
from scram import Scram, b64, end_point     # noqa: E402

MIB = 1 << 20


class Pop:
    """A connection by lines."""

    def __init__(self, host, port="pop3s"):
        self.sock = host.connect(port, 20)
        self.file = self.sock.makefile("rb")
        assert self.line().startswith("+OK")

    def line(self):
        return self.file.readline().decode().rstrip("\r\n")

    def send(self, text):
        self.sock.sendall(text.encode() + b"\r\n")

    def ask(self, text):
        self.send(text)
        return self.line()

    def good(self, text):
        answer = self.ask(text)
        assert answer.startswith("+OK"), (text, answer)
        return answer

    def lines(self):
        got = []
        while (line := self.line()) != ".":
            got.append(line)
        return got

    def login(self, host, n):
        self.good("USER " + host.user(n))
        self.good("PASS " + host.password(n))
        return self

    def close(self):
        self.file.close()
        self.sock.close()


def fill(host, n, count, size=100):
    """So many messages through one LMTP connection."""
    with host.connect("lmtp") as s:
        f = s.makefile("rb")
        f.readline()
        body = b"x" * 60 + b"\r\n"
        for i in range(count):
            text = (b"Subject: m%d\r\nFrom: a@example.net\r\n\r\n" % i
                    + body * (size // 62))
            s.sendall(b"LHLO x\r\n" if i == 0 else b"RSET\r\n")
            while f.readline()[3:4] == b"-":
                pass
            s.sendall(b"MAIL FROM:<a@example.net>\r\nRCPT TO:<%s>\r\nDATA\r\n"
                      % host.address(n).encode())
            for _ in range(3):
                f.readline()
            s.sendall(text + b".\r\n")
            answer = f.readline()
            assert answer.startswith(b"250"), answer
        s.sendall(b"QUIT\r\n")
        f.readline()


def rss(host):
    """Resident bytes of pop3d."""
    pid = host.children()["pop3d"][0]
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+) kB", f.read())[1]) * 1024


def bounded(host, before, mib):
    """pop3d has not grown by more; sanitizers keep what is freed."""
    grown = rss(host) - before
    assert grown < mib * MIB or pt.SLOW > 1, grown


# ---- SCRAM (RFC 5802, RFC 7677)

def challenge(line):
    assert line.startswith("+ "), line
    return base64.b64decode(line[2:])


def scram(c, user, password, mech="SCRAM-SHA-256", initial=True, **kw):
    """The last answer."""
    s = Scram(user, password, mech, **kw)
    if initial:
        line = c.ask(f"AUTH {mech} {b64(s.first())}")
    else:
        assert challenge(c.ask("AUTH " + mech)) == b""
        line = c.ask(b64(s.first()))
    if line.startswith("-ERR"):
        return line
    line = c.ask(b64(s.final(challenge(line))))
    if line.startswith("-ERR"):
        return line
    s.check(challenge(line))
    return c.ask("")


def test_scram(host):
    n = host.fresh()
    user, word = host.user(n), host.password(n)
    for mech in ("SCRAM-SHA-256", "SCRAM-SHA-1"):
        for initial in (True, False):
            c = Pop(host)
            assert scram(c, user, word, mech, initial).startswith("+OK")
            c.good("STAT")
            c.close()
        c = Pop(host)
        assert scram(c, user, "wrong", mech).startswith("-ERR [AUTH]")
        assert scram(c, "web999p9", word, mech).startswith("-ERR [AUTH]")
        assert scram(c, host.address(n), word, mech).startswith("+OK")
        c.close()
    c = Pop(host)
    assert scram(c, user + "+Sent", word).startswith("+OK")
    c.close()
    # Without TLS too: the password is not sent.
    c = Pop(host, "pop3")
    assert scram(c, user, word).startswith("+OK")
    c.close()


def test_scram_plus(host):
    n = host.fresh()
    user, word = host.user(n), host.password(n)
    for mech in ("SCRAM-SHA-256", "SCRAM-SHA-1"):
        for data, want in ((None, "+OK"), (b"x" * 32, "-ERR [AUTH]")):
            c = Pop(host)
            assert scram(c, user, word, mech + "-PLUS",
                         gs2="p=tls-server-end-point,,",
                         binding=data or end_point(c.sock)).startswith(want)
            c.close()
        # "I could, but you do not offer it": somebody took it off the list.
        c = Pop(host)
        assert scram(c, user, word, mech, gs2="y,,").startswith("-ERR [AUTH]")
        assert scram(c, user, word, mech).startswith("+OK")
        c.close()


def test_plain_with_a_folder(host):
    n = host.fresh()
    text = f"\0{host.user(n)}+Sent\0{host.password(n)}".encode()
    c = Pop(host)
    assert c.ask("AUTH PLAIN " + b64(text)) == "+OK 0 messages"
    c.close()
    c = Pop(host)
    text = text.replace(b"Sent", b"Nowhere")
    assert c.ask("AUTH PLAIN " + b64(text)).startswith("-ERR [AUTH]")
    c.close()


# ---- how clients end

def closing_lines(host, count):
    """The log's last lines about ended POP3 sessions of an account."""
    lines = [line for line in host.log().splitlines()
             if " pop3d " in line and " close " in line]
    return lines[-count:]


def test_outlook_no_close_notify(host):
    """Outlook ends TLS without close_notify: a clean end after QUIT."""
    n = host.fresh()
    host.deliver(n, b"Subject: x\r\n\r\nx\r\n")
    c = Pop(host).login(host, n)
    c.good("DELE 1")
    c.good("QUIT")
    # The descriptor closes under TLS; nothing more is sent.
    raw = socket.socket(fileno=c.sock.detach())
    raw.close()
    pt.wait_for("the session's end", lambda: any(
        "reason=quit" in line and f"account={host.user(n)}" in line
        for line in closing_lines(host, 50)))
    # Before QUIT it is an end like any other, and deletes nothing.
    host.deliver(n, b"Subject: x\r\n\r\nx\r\n")
    c = Pop(host).login(host, n)
    c.good("DELE 1")
    socket.socket(fileno=c.sock.detach()).close()
    pt.wait_for("the session's end", lambda: any(
        "reason=eof" in line and f"account={host.user(n)}" in line
        for line in closing_lines(host, 50)))
    c = Pop(host).login(host, n)
    assert c.good("STAT").startswith("+OK 1 ")
    c.close()


def test_half_closed_peer_gets_its_answers(host):
    n = host.fresh()
    fill(host, n, 3)
    with host.connect("pop3") as s:
        f = s.makefile("rb")
        f.readline()
        text = b64(f"\0{host.user(n)}\0{host.password(n)}".encode())
        s.sendall(f"AUTH PLAIN {text}\r\nCAPA\r\nNOOP\r\n".encode())
        s.shutdown(socket.SHUT_WR)
        rest = f.read().decode()
        # In clear PLAIN is refused, but everything is answered.
        assert rest.count("-ERR") == 2 and "STLS" in rest, rest


# ---- limits

def test_ten_minute_timer():
    with pt.Host(accounts=1, start=False) as host:
        host.set_conf({"pop3-timeout": '"9m"'})
        run = host.admin("check-config", check=False)
        assert run.returncode != 0
        text = (run.stdout + run.stderr).decode()
        assert "pop3-timeout" in text and "10m" in text, text


def greeted_early(host, port, version):
    """The greeting, if it has come before the client's Finished."""
    context = host.tls()
    context.maximum_version = version
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    with socket.create_connection(("127.0.0.1", host.port(port)), 20) as s:
        hello = True
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                if hello or version < ssl.TLSVersion.TLSv1_3:
                    s.sendall(outgoing.read())
                hello = False
                incoming.write(s.recv(1 << 16))
        for finished in (False, True):
            if finished:
                s.sendall(outgoing.read())
                incoming.write(s.recv(1 << 16))
            try:
                return tls.read(4096), not finished
            except ssl.SSLWantReadError:
                pass


def test_greeting_comes_with_the_handshake(host):
    """RFC 8446 4.4.4: not a round trip later, and once."""
    for port, word in (("pop3s", b"+OK "), ("submissions", b"220 "),
                       ("imaps", b"* OK [CAPABILITY ")):
        for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
            text, early = greeted_early(host, port, version)
            assert text.startswith(word) and text.count(b"\r\n") == 1, text
            assert early or version < ssl.TLSVersion.TLSv1_3, port
            assert b"AUTH=PLAIN" in text or port != "imaps", text


def test_silence():
    """1,000 connections that never speak: others go on, all of them end."""
    with pt.Host(accounts=1, conf={"login-timeout": '"2s"',
                                   "connections-per-address": "1100"}) as host:
        c = Pop(host).login(host, 1)
        before = rss(host)
        socks = [socket.create_connection(
            ("127.0.0.1", host.port("pop3")), 20) for _ in range(1000)]
        begin = time.monotonic()
        c.good("STAT")
        assert time.monotonic() - begin < 1 * pt.SLOW
        bounded(host, before, 64)
        for s in socks:
            s.settimeout(20 * pt.SLOW)
            text = b""
            while piece := s.recv(4096):
                text += piece
            assert b"-ERR idle" in text, text
            s.close()
        c.good("STAT")
        c.good("QUIT")
        c.close()


def test_too_many_from_one_address():
    with pt.Host(accounts=1, conf={"connections-per-address": "3"}) as host:
        def a_place():
            s = host.connect("pop3")
            return s.recv(4096).startswith(b"+OK") and s
        # The host's own probes may not have ended yet.
        socks = [pt.wait_for("a place", a_place) for _ in range(3)]
        with host.connect("pop3") as s:
            text = s.recv(4096)
            assert text.startswith(b"-ERR [SYS/TEMP]"), text
        for s in socks:
            s.close()
        pt.wait_for("a free place", a_place).close()


def flood(host, sock, data, seconds):
    """Sends without reading until nothing is taken any more."""
    sock.settimeout(0.3)
    end = time.monotonic() + seconds
    sent = 0
    try:
        while time.monotonic() < end:
            sent += sock.send(data)
    except (TimeoutError, OSError):
        pass
    return sent


def test_flood_of_commands(host):
    """A peer that sends and never reads is stopped by flow control."""
    n = host.fresh()
    fill(host, n, 2, 20000)
    c = Pop(host).login(host, n)
    before = rss(host)
    with host.connect("pop3") as s:
        flood(host, s, b"CAPA\r\n" * 1000, 5)
        bounded(host, before, 32)
        begin = time.monotonic()
        c.good("NOOP")
        assert time.monotonic() - begin < 1 * pt.SLOW
    d = Pop(host).login(host, n)
    flood(host, d.sock, b"RETR 1\r\nDELE 2\r\nRSET\r\n" * 500, 5)
    bounded(host, before, 32)
    c.good("NOOP")
    d.close()
    c.close()


def test_huge_message_to_a_slow_reader(host):
    n = host.fresh()
    line = b"x" * 76 + b"\r\n"
    text = b"Subject: huge\r\n\r\n" + line * (40 * MIB // len(line))
    host.deliver(n, text)
    c = Pop(host).login(host, n)
    c.good("STAT")
    before = rss(host)
    c.good("RETR 1")
    time.sleep(1)
    bounded(host, before, 16)
    got = b"\r\n".join(line.encode() for line in c.lines())
    assert got.endswith(text[:-2]), len(got)
    bounded(host, before, 16)
    # Gone in the middle of it: no more of it is read.
    c.good("RETR 1")
    c.close()
    c = Pop(host).login(host, n)
    assert c.good("STAT").startswith("+OK 1 ")
    c.close()


def test_long_lists():
    """LIST and UIDL past the high-water mark, to a slow reader too."""
    count = 3000
    with pt.Host(accounts=1, conf={"output-high-water": "16K"}) as host:
        fill(host, 1, count)
        c = Pop(host).login(host, 1)
        c.send("LIST\r\nUIDL\r\nLIST 3\r\nNOOP")
        time.sleep(1)
        assert c.line() == f"+OK {count} messages"
        sizes = c.lines()
        assert c.line() == f"+OK {count} messages"
        uidl = c.lines()
        assert [int(s.split()[0]) for s in sizes] == \
            list(range(1, count + 1))
        assert len({u.split()[1] for u in uidl}) == count
        assert c.line() == "+OK " + sizes[2]
        assert c.line().startswith("+OK")
        # All of them pipelined, each followed by its DELE.
        c.send("\r\n".join(f"RETR {i}\r\nDELE {i}"
                           for i in range(1, count + 1)))
        octets = 0
        for i in range(count):
            assert re.fullmatch(r"\+OK \d+ octets", c.line())
            octets += sum(len(line) + 2 for line in c.lines())
            assert c.line() == f"+OK message {i + 1} will be deleted"
        assert octets == sum(int(s.split()[1]) for s in sizes)
        assert c.good("STAT") == "+OK 0 0"
        assert c.good("QUIT").startswith(f"+OK {count} deleted")
        c.close()
        c = Pop(host).login(host, 1)
        assert c.good("STAT") == "+OK 0 0"
        c.close()


# ---- the host

def test_stop_says_goodbye():
    with pt.Host(accounts=1) as host:
        c = Pop(host).login(host, 1)
        d = Pop(host, "pop3")
        begin = time.monotonic()
        host.stop()
        assert time.monotonic() - begin < 4 * pt.SLOW
        for conn in (c, d):
            assert conn.line().startswith("-ERR [SYS/TEMP]")
            assert conn.line() == ""
            conn.close()
        host.start()


def test_new_password_ends_sessions(host):
    n = host.fresh()
    c = Pop(host).login(host, n)
    host.admin("account", "passwd", host.user(n), "--password-stdin",
               stdin=b"an-other-password\n")
    assert c.line().startswith("-ERR"), "told"
    assert c.line() == ""
    c.close()
    c = Pop(host)
    c.good("USER " + host.user(n))
    assert c.ask("PASS " + host.password(n)).startswith("-ERR [AUTH]")
    c.good("USER " + host.user(n))
    c.good("PASS an-other-password")
    c.close()


def test_login_delay_of_one_s_own():
    """RFC 2449 6.5: the largest value before the login, one's own after."""
    with pt.Host(accounts=2, conf={"pop3-login-delay-max": '"1h"'}) as host:
        def delay(c):
            c.good("CAPA")
            return [x for x in c.lines() if x.startswith("LOGIN-DELAY")]
        run = host.admin("account", "set", host.user(1),
                         "--pop3-login-delay", "2h", check=False)
        assert run.returncode == 1 and b"3600 seconds" in run.stderr, run
        host.admin("account", "set", host.user(1),
                   "--pop3-login-delay", "15m")
        c = Pop(host)
        assert delay(c) == ["LOGIN-DELAY 3600 USER"]
        assert delay(c.login(host, 1)) == ["LOGIN-DELAY 900"]
        c.close()
        c = Pop(host)
        c.good("USER " + host.user(1))
        answer = c.ask("PASS " + host.password(1))
        assert answer.startswith("-ERR [LOGIN-DELAY] wait "), answer
        for _ in range(2):
            d = Pop(host).login(host, 2)
            assert delay(d) == []
            d.close()
        text = host.admin("account", "show", host.user(1))
        assert re.search(r"Time between POP3 logins:? +15m", text), text
        host.admin("account", "set", host.user(1),
                   "--pop3-login-delay", "default")
        c.login(host, 1)
        c.close()


def test_a_damaged_message():
    """RFC 3206: [SYS/PERM] for that one; the others are had, one by one
    and pipelined."""
    with pt.Host(accounts=1) as host:
        for i in range(20):
            host.deliver(1, f"Subject: {i}\r\n\r\nmark-{i:02}-\r\n".encode())
        host.stop()
        changed = 0
        for path in glob.glob(host.state + "/mail/*"):
            with open(path, "r+b") as f:
                at = f.read().find(b"mark-11-")
                if at >= 0:
                    f.seek(at)
                    f.write(b"MARK")
                    changed += 1
        assert changed == 1
        host.start()
        c = Pop(host).login(host, 1)
        for together in (False, True):
            if together:
                c.send("\r\n".join(f"RETR {i}" for i in range(1, 21)))
            for i in range(1, 21):
                answer = c.line() if together else c.ask(f"RETR {i}")
                if i == 12:
                    assert answer.startswith("-ERR [SYS/PERM]"), answer
                    continue
                assert answer.startswith("+OK"), answer
                assert f"mark-{i - 1:02}-" in c.lines()
        assert c.good("UIDL 12").startswith("+OK 12 ")
        c.good("QUIT")
        c.close()


# ---- unique-ids

def uidl(host, n, folder=""):
    c = Pop(host)
    c.good("USER " + host.user(n) + folder)
    c.good("PASS " + host.password(n))
    c.good("UIDL")
    found = [line.split()[1] for line in c.lines()]
    for i, each in enumerate(found, 1):
        assert c.good(f"UIDL {i}") == f"+OK {i} {each}"
    c.close()
    return found


def test_uidl_formats(host):
    """An account that came from elsewhere keeps the form of its ids for what
    comes from now on; what a message was once named stays."""
    n = host.fresh()
    for bad in ("%u", "%v", "%8u%v", "%u%v%x", "a b%u%v", "%u%v" + "x" * 51):
        run = host.admin("account", "set", host.user(n), "--uidl", bad,
                         check=False)
        assert run.returncode == 2 and b"%08Xu%08Xv" in run.stderr, run
    fill(host, n, 1)
    host.admin("account", "set", host.user(n), "--uidl", "%08Xu%08Xv")
    fill(host, n, 1)
    host.admin("account", "set", host.user(n), "--uidl", "UID%u-%v")
    fill(host, n, 1)
    found = uidl(host, n)
    v = int(found[0].split(".")[0])
    want = [f"{v}.1", f"{2:08X}{v:08X}", f"UID3-{v}"]
    assert found == want, found
    shown = json.loads(host.admin("account", "show", host.user(n), "--json"))
    assert shown["uidl"] == "UID%u-%v"
    # What IMAP brings, moves or copies gets a new one, each of them once.
    c = host.imap(n)
    c.append("INBOX", None, None, b"Subject: a\r\n\r\n\r\n")
    c.select("INBOX")
    c.copy("2", "INBOX")
    c.copy("3", "Sent")
    c.logout()
    assert uidl(host, n) == [*want, f"UID4-{v}", f"UID5-{v}"]
    assert uidl(host, n, "+Sent")[0].startswith("UID1-")
    # A message that goes takes its id along; the others keep theirs.
    c = Pop(host).login(host, n)
    c.good("DELE 2")
    c.good("QUIT")
    c.close()
    host.admin("account", "set", host.user(n), "--uidl", "")
    fill(host, n, 1)
    assert uidl(host, n) == [want[0], want[2], f"UID4-{v}", f"UID5-{v}",
                             f"{v}.6"]
    shown = json.loads(host.admin("account", "show", host.user(n), "--json"))
    assert shown["uidl"] == "%v.%u"


# ---- mail left on the server

def retr(host, user, word, numbers, quit_=True):
    c = Pop(host)
    c.good("USER " + user)
    c.good("PASS " + word)
    for i in numbers:
        c.good(f"RETR {i}")
        c.lines()
    if quit_:
        c.good("QUIT")
    c.close()


def fetched(host, n):
    shown = json.loads(host.admin("account", "show", host.user(n), "--json"))
    return shown["fetched_messages"]


def test_fetched_mail_goes():
    """Two devices by two passwords; what IMAP has to do with stays."""
    with pt.Host(accounts=1, conf={"pop3-remove-min": '"1s"',
                                   "pop3-remove-time": '"1s"'}) as host:
        user, word = host.user(1), host.password(1)
        run = host.admin("account", "set", user, "--pop3-remove-after", "9x",
                         check=False)
        assert run.returncode == 2, run
        phone = json.loads(host.admin(
            "app-password", "add", user, "--label", "phone", "--json"))
        phone = phone["password"]
        fill(host, 1, 4)
        retr(host, user, phone, (1, 2, 3))
        retr(host, user, word, (1, 2, 3, 4))
        assert fetched(host, 1) == 4
        host.admin("account", "set", user, "--pop3-remove-after", "2s")
        c = host.imap(1)
        c.select("INBOX")
        c.store("1:4", "+FLAGS", r"(\Seen)")
        c.store("1", "+FLAGS", r"(\Flagged)")
        fill(host, 1, 1)
        retr(host, user, phone, (5,))

        def left():
            c.noop()
            return c.uid("SEARCH", "ALL")[1][0]
        # 1 is flagged, 4 was not fetched by the phone, 5 not by the PC.
        pt.wait_for("2 and 3 to go", lambda: left() == b"1 4 5")
        c.store("3", "+FLAGS", r"(\Seen)")
        retr(host, user, phone, (2,))
        retr(host, user, word, (3,))
        pt.wait_for("4 and 5 to go", lambda: left() == b"1")
        time.sleep(2)
        assert left() == b"1"
        c.logout()
        text = host.admin("account", "show", user)
        assert re.search(r"(?m)^Remove fetched mail after:? +2s$", text), text
        d = Pop(host)
        d.good("CAPA")
        assert "EXPIRE 0 USER" in d.lines()
        d.login(host, 1)
        host.admin("account", "set", user, "--pop3-remove-after", "30d")
        d.close()
        d = Pop(host).login(host, 1)
        d.good("CAPA")
        assert "EXPIRE 30" in d.lines()
        d.close()


DAY = 24 * 3600


def test_two_devices_and_the_clock_moved():
    """30 days after the last of two devices has fetched it, a message goes;
    what IMAP has to do with stays, and so does what one has not got."""
    with pt.Host(accounts=2, conf={"pop3-remove-time": '"1s"',
                                   "pop3-remove-min": '"1d"'}) as host:
        user, word = host.user(1), host.password(1)
        phone = json.loads(host.admin(
            "app-password", "add", user, "--label", "phone",
            "--json"))["password"]
        host.admin("account", "set", user, "--pop3-remove-after", "30d")
        host.admin("account", "set", host.user(2),
                   "--pop3-remove-after", "1d")

        def count(n):
            c = Pop(host).login(host, n)
            messages = int(c.good("STAT").split()[1])
            c.close()
            return messages

        def day(n):
            """The keeper has looked at that day: what account 2 has fetched
            a day before is gone."""
            fill(host, 2, 1)
            retr(host, host.user(2), host.password(2), (1,))
            host.clock_ahead = n * DAY
            host.restart()
            pt.wait_for("the keeper", lambda: count(2) == 0)

        def left():
            c = host.imap(1)
            c.select("INBOX")
            uids = c.uid("SEARCH", "ALL")[1][0].decode()
            c.logout()
            return uids
        fill(host, 1, 6)
        retr(host, user, phone, (1, 2, 3, 4, 5))
        c = host.imap(1)
        c.select("INBOX")
        c.store("1:2,4:6", "+FLAGS", r"(\Seen)")
        c.store("2", "+FLAGS", r"(\Flagged)")
        c.logout()
        day(10)
        assert left() == "1 2 3 4 5 6"
        retr(host, user, word, (1, 2, 3, 4, 5, 6))
        day(39)
        assert left() == "1 2 3 4 5 6"
        c = Pop(host).login(host, 1)
        c.good("CAPA")
        assert "EXPIRE 30" in c.lines()
        c.close()
        # Flagged; shown by IMAP and not read there; not on the phone.
        day(40)
        assert left() == "2 3 6"
        shown = json.loads(host.admin("account", "show", user, "--json"))
        assert shown["fetched_messages"] == 3, shown
        assert shown["pop3_remove_after"] == "30d", shown
        # Who has not come for 90 days is no device any more.
        retr(host, user, word, ())
        day(89)
        assert left() == "2 3 6"
        day(91)
        assert left() == "2 3"


def test_what_counts_as_fetched(host):
    n = host.fresh()
    user, word = host.user(n), host.password(n)
    fill(host, n, 5)
    # Without QUIT: the last one may not have arrived.
    retr(host, user, word, (1, 2), quit_=False)
    pt.wait_for("the first's mark", lambda: fetched(host, n) == 1)
    # The top of a message is not the message, all of its lines are.
    c = Pop(host).login(host, n)
    c.good("TOP 3 0")
    c.lines()
    c.good("TOP 4 99999999")
    c.lines()
    c.good("QUIT")
    c.close()
    assert fetched(host, n) == 2
    # What is deleted needs no mark.
    c = Pop(host).login(host, n)
    c.good("RETR 5")
    c.lines()
    c.good("DELE 5")
    c.good("QUIT")
    c.close()
    assert fetched(host, n) == 2


# ---- warnings

def warnings(host, n):
    """The INBOX's warnings, parsed, oldest first."""
    mails = [email.message_from_bytes(m, policy=email.policy.default)
             for m in host.mails(n)]
    return [m for m in mails if m["Auto-Submitted"] == "auto-generated"]


def test_quota_warnings():
    """At 80 and 95 percent, in the account's language, with the share of
    fetched copies; once, until there is room again."""
    with pt.Host(accounts=2, conf={"quota-time": '"1s"'}) as host:
        host.admin("account", "set", host.user(1), "--quota", "100K",
                   "--lang", "de")
        host.admin("account", "set", host.user(2), "--messages", "20",
                   "--lang", "en")
        fill(host, 1, 7, 10240)
        fill(host, 2, 15)
        retr(host, host.user(1), host.password(1), (1, 2, 3, 4))
        time.sleep(2.5)
        assert warnings(host, 2) == []
        assert warnings(host, 1) == []
        fill(host, 1, 1, 12000)
        fill(host, 2, 1)
        pt.wait_for("warnings", lambda: warnings(host, 1)
                    and warnings(host, 2))
        m = warnings(host, 1)[0]
        text = m.get_content()
        assert re.fullmatch(rf"Ihr Postfach {host.user(1)} ist zu 8\d % voll",
                            m["Subject"]), m["Subject"]
        assert "4 Nachrichten mit 4" in text and "POP3" in text, text
        assert " von 102 kB" in text and "MB" not in text, text
        m = warnings(host, 2)[0]
        assert re.search(r"is 8\d % full", m["Subject"]), m["Subject"]
        assert "POP3" not in m.get_content()
        assert m["Date"].datetime.tzinfo
        # Told once, and again at 95.
        fill(host, 2, 1)
        time.sleep(2.5)
        assert len(warnings(host, 2)) == 1
        fill(host, 2, 1)
        pt.wait_for("the second", lambda: len(warnings(host, 2)) == 2)
        assert " 9" in warnings(host, 2)[1]["Subject"]
        # Room, and full again.
        c = Pop(host).login(host, 2)
        for i in range(1, 11):
            c.good(f"DELE {i}")
        c.good("QUIT")
        c.close()
        time.sleep(2.5)
        fill(host, 2, 7)
        pt.wait_for("the third", lambda: len(warnings(host, 2)) == 3)


# ---- junk

def test_junk_for_pop3_users(host):
    """Marked mail goes to Junk, or stays in the INBOX with its mark."""
    n = host.fresh()
    junk = b"X-Spam-Flag: yes\r\nSubject: j\r\n\r\nx\r\n"
    host.deliver(n, junk)
    host.deliver(n, b"X-Spam-Flag: NO\r\nSubject: h\r\n\r\nx\r\n")
    c = Pop(host).login(host, n)
    assert c.good("STAT").startswith("+OK 1 ")
    c.close()
    c = Pop(host)
    c.good(f"USER {host.user(n)}+Junk")
    assert c.good("PASS " + host.password(n)) == "+OK 1 messages"
    c.close()
    assert host.admin("account", "set", host.user(n), "--junk", "attic",
                      check=False).returncode == 2
    host.admin("account", "set", host.user(n), "--junk", "inbox")
    host.deliver(n, junk)
    c = Pop(host).login(host, n)
    assert c.good("STAT").startswith("+OK 2 ")
    c.good("RETR 2")
    assert "X-Spam-Flag: yes" in c.lines()
    c.close()
    shown = json.loads(host.admin("account", "show", host.user(n), "--json"))
    assert shown["junk"] == "inbox"


if __name__ == "__main__":
    pt.main(globals(), conf={"auth-fail-delay": "0"})
