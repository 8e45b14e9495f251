#!/usr/bin/env python3
"""SCRAM-SHA-1 and SCRAM-SHA-256, plain and -PLUS, on every port: a client by
hand, mbsync (Cyrus SASL) and what other hosts stored."""

import base64
import hashlib
import hmac
import imaplib
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402
from scram import Scram, b64, end_point     # noqa: E402

MECHS = ("SCRAM-SHA-256", "SCRAM-SHA-1")
# port, what is said first, the command, a challenge's mark, good, bad
PORTS = {
    "imaps": (None, "a AUTHENTICATE ", "+ ", "a OK", "a NO"),
    "pop3s": (None, "AUTH ", "+ ", "+OK", "-ERR"),
    "submissions": ("EHLO c.test", "AUTH ", "334 ", "235", "535"),
}


class Lines:
    """A connection by lines, by Python's TLS."""

    def __init__(self, host, port):
        self.sock = host.connect(port)
        self.file = self.sock.makefile("rwb")
        self.file.readline()

    def binding(self):
        return "tls-server-end-point", end_point(self.sock)

    def ask(self, line):
        self.file.write(line.encode() + b"\r\n")
        self.file.flush()
        got = self.file.readline().decode().rstrip("\r\n")
        while got[3:4] == "-" and got[:3].isdigit():
            got = self.file.readline().decode().rstrip("\r\n")
        return got

    def close(self):
        self.file.close()
        self.sock.close()


class Exported(Lines):
    """The same by openssl, which tells the key that RFC 9266 binds to."""

    def __init__(self, host, port):    # pylint: disable=super-init-not-called
        self.run = subprocess.Popen(
            ["openssl", "s_client", "-connect",
             f"127.0.0.1:{host.port(port)}", "-CAfile", host.ca, "-crlf",
             "-nocommands", "-keymatexport", "EXPORTER-Channel-Binding",
             "-keymatexportlen", "32"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.key = None
        while self.key is None:
            line = self.run.stdout.readline().decode()
            assert line, "openssl ended"
            found = re.search("Keying material: ([0-9A-F]{64})", line)
            self.key = found and bytes.fromhex(found.group(1))
        # The first "---" ends what openssl says, the greeting follows; what
        # it tells of tickets may come in between, line by line.
        while not re.match(r"\* OK|\+OK|220 ", self.line()):
            pass

    def line(self):
        line = self.run.stdout.readline().decode()
        assert line, "openssl ended"
        return line.rstrip("\r\n")

    def binding(self):
        return "tls-exporter", self.key

    def ask(self, line):
        self.run.stdin.write(line.encode() + b"\n")
        self.run.stdin.flush()
        while True:
            got = self.line()
            if re.match(r"\+|-ERR|a (OK|NO|BAD)|\d\d\d ", got):
                return got

    def close(self):
        self.run.stdin.close()
        self.run.stdout.close()
        self.run.kill()
        self.run.wait()


def login(c, port, mech, user, word, **kw):
    """The last line."""
    hello, verb, mark, good, _ = PORTS[port]
    s = Scram(user, word, mech, **kw)
    if hello:
        c.ask(hello)
    line = c.ask(f"{verb}{mech} {b64(s.first())}")
    if line.startswith(mark):
        line = c.ask(b64(s.final(base64.b64decode(line[len(mark):]))))
    if line.startswith(mark):
        s.check(base64.b64decode(line[len(mark):]))
        line = c.ask("")
    assert (s.server_key is not None) or not line.startswith(good)
    return line


def test_every_port(host):
    n = host.fresh()
    user, word = host.user(n), host.password(n)
    for port, (_, _, _, good, bad) in PORTS.items():
        for mech in MECHS:
            for name, password, want in ((user, word, good),
                                         (host.address(n), word, good),
                                         (user, word + "x", bad),
                                         ("web999p9", word, bad)):
                c = Lines(host, port)
                got = login(c, port, mech, name, password)
                assert got.startswith(want), (port, mech, name, got)
                c.close()


def bound(host, kind, port, mech, change=None):
    """A login bound to the channel; change: what the client binds to."""
    c = kind(host, port)
    name, data = c.binding()
    got = login(c, port, mech + "-PLUS", host.user(1), host.password(1),
                gs2=f"p={change or name},,", binding=data)
    c.close()
    return got


def test_plus(host):
    """Both kinds of binding; bound to the other's bytes it is refused."""
    for port, (_, _, _, good, bad) in PORTS.items():
        for mech in MECHS:
            for kind, other in ((Lines, "tls-exporter"),
                                (Exported, "tls-server-end-point")):
                got = bound(host, kind, port, mech)
                assert got.startswith(good), (port, mech, kind, got)
            got = bound(host, kind, port, mech, other)
            assert got.startswith(bad), (port, mech, got)
            # RFC 5802 6: who could bind and was not offered it is told no.
            c = Lines(host, port)
            got = login(c, port, mech, host.user(1), host.password(1),
                        gs2="y,,")
            assert got.startswith(bad), (port, mech, got)
            c.close()


def dovecot(scheme, name, word, salt):
    """What doveadm pw -s SCRAM-SHA-1 prints."""
    salted = hashlib.pbkdf2_hmac(name, word, salt, 4096)
    client = hmac.digest(salted, b"Client Key", name)
    return "{%s}4096,%s,%s,%s" % (
        scheme, b64(salt), b64(hashlib.new(name, client).digest()),
        b64(hmac.digest(salted, b"Server Key", name)))


def can(host, user, word, mech):
    c = host.imap()
    try:
        if mech == "LOGIN":
            c.login(user, word)
        else:
            c.authenticate(mech, Scram(user, word, mech).answer)
        return True
    except imaplib.IMAP4.error:
        return False
    finally:
        c.shutdown()


def test_dovecot_keys(host):
    """Brought along: the mechanism works at once, the other one after the
    first login that shows the password."""
    host.admin("package", "add", "web61")
    salt, n = b"0123456789abcdef", 0
    for scheme, name, has in (("SCRAM-SHA-1", "sha1", "SCRAM-SHA-1"),
                              ("SCRAM-SHA-256", "sha256", "SCRAM-SHA-256"),
                              ("SCRAM-SHA-1", "sha1", None)):
        n += 1
        user = f"web61p{n}"
        hashed = dovecot(scheme, name, b"Geheim-4711",
                         salt if has else b"kurz")
        host.admin("account", "add", user, "--password-hash", hashed)
        for mech in MECHS:
            assert can(host, user, "Geheim-4711", mech) == (mech == has)
        assert not can(host, user, "geheim-4711", "LOGIN")
        for mech in ("LOGIN",) + MECHS:
            assert can(host, user, "Geheim-4711", mech), (hashed, mech)
            assert not can(host, user, "Geheim", mech)
    run = host.admin("account", "add", "web61p9", "--password-hash",
                     "{SCRAM-SHA-1}4096,AAAA,AAAA", check=False)
    assert run.returncode == 1, run


def test_withheld():
    """scram-sha-1 = false: no port offers it or takes it, no keys are made;
    a reload brings it, and with the first good PLAIN login its keys."""
    with pt.Host(accounts=1, conf={"scram-sha-1": "false",
                                   "auth-fail-delay": "0"}) as host:
        user, word = host.user(1), host.password(1)
        host.admin("account", "passwd", user, "--password-stdin",
                   stdin=word.encode() + b"\n")
        app = host.admin("app-password", "add", user, "--label",
                         "x").split()[-1]

        def offers(port, line):
            with host.connect(port) as s:
                s.sendall(line + b"\r\nQUIT\r\n")
                return b"SCRAM-SHA-1" in s.makefile("rb").read()

        asked = (("imaps", b"a CAPABILITY\r\nb LOGOUT"), ("pop3s", b"CAPA"),
                 ("submissions", b"EHLO c.test"))
        assert not [p for p, line in asked if offers(p, line)]
        assert not can(host, user, word, "SCRAM-SHA-1")
        assert can(host, user, word, "LOGIN")
        assert can(host, user, word, "SCRAM-SHA-256")
        host.set_conf({"scram-sha-1": "true", "auth-cache-time": "0"})
        host.admin("reload")
        assert [p for p, line in asked if offers(p, line)] == [
            p for p, _ in asked]
        assert not can(host, user, word, "SCRAM-SHA-1")
        for password in (word, app):
            assert can(host, user, password, "LOGIN")
            assert can(host, user, password, "SCRAM-SHA-1")
        assert can(host, user, word, "SCRAM-SHA-1")


RC = """
IMAPAccount a
Host localhost
Port {port}
User {user}
Pass {password}
SSLType IMAPS
CertificateFile {ca}
AuthMechs {mech}

IMAPStore far
Account a

MaildirStore near
Path {dir}/mail/
Inbox {dir}/mail/INBOX

Channel all
SyncState *
Far :far:
Near :near:
"""


def test_mbsync(host):
    """mbsync's SASL is Cyrus's client side."""
    n = host.fresh()
    host.deliver(n, b"Subject: scram\r\n\r\ntext\r\n")
    for mech in MECHS:
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(f"{folder}/mail")
            with open(f"{folder}/rc", "w", encoding="utf-8") as f:
                f.write(RC.format(port=host.port("imaps"), mech=mech,
                                  user=host.user(n), ca=host.ca,
                                  password=host.password(n), dir=folder))
            run = subprocess.run(
                ["mbsync", "-c", f"{folder}/rc", "all"], check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=60)
            assert run.returncode == 0, (mech, run.stdout)
            new = os.listdir(f"{folder}/mail/INBOX/new")
            assert len(new) == 1, (mech, new)
        assert f'mech={mech} ' in host.log()


if __name__ == "__main__":
    pt.main(globals(), conf={"auth-fail-delay": "0"})
