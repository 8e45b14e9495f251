"""Transcripts: tests/proto/*.txt, the format of tests/README."""

import base64
import codecs
import os
import re
import socket
import time
import uuid
import zlib

import posthof_test as pt

DIRECTIVES = {"LOGIN", "STARTTLS", "TLS", "DEFLATE", "DELIVER", "RESTART",
              "OPEN", "SLOW", "FAST", "EOF", "QUIET", "CLOSE", "WAIT"}
READ_SEC = 10
SHOWN_LINES = 40
SHOWN_CHARS = 400

DEFAULT_MESSAGE = """From: Sender <sender@example.net>
To: someone@posthof.test
Subject: A small message
Date: Thu, 1 Feb 2024 10:00:00 +0100
Message-ID: <small@example.net>

Text.
"""


class BadTranscript(Exception):
    """The file itself is wrong."""


class Step:
    """One line that does something."""

    def __init__(self, line, conn, kind, text):
        self.line = line
        self.conn = conn
        self.kind = kind    # "C:" "C\\:" "S:" "S*" "S!" or a directive
        self.text = text


class Transcript:
    """A parsed file."""

    def __init__(self, path):
        self.path = path
        self.port = None
        self.raw = False
        self.accounts = 2
        self.conf = {}
        self.steps = []
        self.own_host = False
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                self._line(number, line.rstrip("\n"))
        if self.port is None:
            raise BadTranscript(f"{path}:1: no '# port: title'")
        self.own_host = bool(self.conf) or any(
            s.kind == "RESTART" for s in self.steps)

    def _line(self, number, line):
        if self.port is None:
            found = re.match(r"# (\w+)[:;]", line)
            if not found or (found[1] not in pt.PORTS and
                             found[1] != "lmtp"):
                raise BadTranscript(f"{self.path}:{number}: not a title")
            self.port = found[1]
        elif line.startswith("#"):
            self._header(line[1:].strip())
        elif line.strip():
            self._step(number, line)

    def _header(self, text):
        if text == "raw":
            self.raw = True
        elif text.startswith("accounts:"):
            self.accounts = int(text.split(":")[1])
        elif text.startswith("conf:"):
            name, value = text[len("conf:"):].split("=", 1)
            self.conf[name.strip()] = value.strip()

    def _step(self, number, line):
        conn = "A"
        found = re.match(r"([A-Z])> ?(.*)$", line)
        if found:
            conn, line = found[1], found[2]
        if line.startswith("|"):
            if not self.steps or self.steps[-1].kind != "DELIVER":
                raise BadTranscript(f"{self.path}:{number}: | belongs to "
                                    "DELIVER")
            text = line[1:].removeprefix(" ")
            self.steps[-1].text += "\n" + text
            return
        found = re.match(r"(C:|C\\:|S:|S\*|S!) ?(.*)$", line)
        if found:
            self.steps.append(Step(number, conn, found[1], found[2]))
            return
        kind, _, text = line.strip().partition(" ")
        if kind not in DIRECTIVES:
            raise BadTranscript(f"{self.path}:{number}: not a line of a "
                                f"transcript: {line}")
        self.steps.append(Step(number, conn, kind, text.strip()))


class Conn:
    """One connection: bytes out, lines in."""

    def __init__(self, host, port):
        self.host = host
        self.port = port
        self.sock = host.connect(port, READ_SEC)
        self.tls = port in pt.TLS_AT_ONCE
        self.pending = b""
        self.closed = False
        self.slow = False
        self.packer = self.unpacker = None

    def send(self, data):
        if self.packer:
            data = (self.packer.compress(data)
                    + self.packer.flush(zlib.Z_SYNC_FLUSH))
        try:
            if not self.slow:
                self.sock.sendall(data)
                return
            for i in range(len(data)):
                self.sock.sendall(data[i:i + 1])
        except (BrokenPipeError, ConnectionResetError):
            pass        # what it said before is still to be read

    def _fill(self, seconds):
        """More bytes within so many seconds; false when none come."""
        if self.closed:
            return False
        self.sock.settimeout(seconds)
        try:
            data = self.sock.recv(65536)
        except TimeoutError:
            return False
        except (ConnectionResetError, OSError):
            data = b""
        if data == b"":
            self.closed = True
            return False
        self.pending += self.unpacker.decompress(data) if self.unpacker \
            else data
        return True

    def line(self):
        """The next line without CRLF; None at the end."""
        end = time.monotonic() + READ_SEC * pt.SLOW
        while b"\n" not in self.pending:
            left = end - time.monotonic()
            if left <= 0 or not self._fill(left):
                break
        line, found, rest = self.pending.partition(b"\n")
        if not found:
            return None
        self.pending = rest
        return line.removesuffix(b"\r").decode("utf-8", "surrogateescape")

    def quiet(self, seconds):
        return not self.pending and not self._fill(seconds)

    def at_end(self):
        """Waits for the other side's close; what came before it."""
        end = time.monotonic() + READ_SEC * pt.SLOW
        while not self.closed and time.monotonic() < end:
            if not self._fill(end - time.monotonic()):
                break
        return self.pending

    def start_tls(self):
        self.sock.settimeout(READ_SEC * pt.SLOW)
        self.sock = self.host.tls().wrap_socket(self.sock,
                                                server_hostname=pt.DOMAIN)
        self.tls = True
        self.pending = b""

    def deflate(self):
        self.packer = zlib.compressobj(wbits=-15)
        self.unpacker = zlib.decompressobj(wbits=-15)

    def close(self):
        try:
            self.sock.close()
        except OSError:
            pass


class Run:
    """A transcript being worked down against a host."""

    def __init__(self, transcript, host):
        self.t = transcript
        self.host = host
        self.conns = {}
        self.shown = []
        self.step = None
        self.vars = {"domain": pt.DOMAIN, "CRLF": "\r\n",
                     "id": uuid.uuid4().hex[:12],
                     "host": host.dir}
        first = host.fresh(transcript.accounts)
        self.numbers = list(range(first, first + transcript.accounts))
        for i, n in enumerate(self.numbers, 1):
            user, word = host.user(n), host.password(n)
            plain = f"\0{user}\0{word}".encode()
            self.vars.update({
                f"user{i}": user, f"pass{i}": word,
                f"addr{i}": host.address(n),
                f"plain{i}": base64.b64encode(plain).decode()})

    def fail(self, why):
        where = f"{os.path.relpath(self.t.path, pt.REPO)}:{self.step.line}"
        lines = [s if len(s) < SHOWN_CHARS else s[:SHOWN_CHARS] + "..."
                 for s in self.shown[-SHOWN_LINES:]]
        raise pt.Failure(f"{where}: {why}\n" + "\n".join(lines))

    def expand(self, text, quote=lambda s: s):
        def value(found):
            name = found[1]
            times = re.match(r"(.+)\*(\d+)$", name)
            if times:
                return times[1] * int(times[2])
            if name not in self.vars:
                self.fail(f"no such variable: {name}")
            return quote(self.vars[name])
        return re.sub(r"\$\{([^}]+)\}", value, text)

    def matches(self, pattern, line):
        if pattern.startswith("~"):
            found = re.fullmatch(self.expand(pattern[1:], re.escape), line)
            if found:
                self.vars.update({k: v for k, v in
                                  found.groupdict().items() if v is not None})
            return bool(found)
        want = self.expand(pattern)
        if want.endswith("..."):
            return line.startswith(want[:-3])
        return line == want

    # -- connections

    def conn(self):
        if self.step.conn not in self.conns:
            self.fail(f"connection {self.step.conn} is not open")
        return self.conns[self.step.conn]

    def open(self, port, raw=False):
        old = self.conns.pop(self.step.conn, None)
        if old:
            old.close()
        self.conns[self.step.conn] = conn = Conn(self.host, port)
        if raw:
            return
        start = {"imap": "* OK", "pop3": "+OK"}.get(port.removesuffix("s"),
                                                    "220")
        line = self.read(conn)
        if not line.startswith(start):
            self.fail(f"greeting: {line}")
        while re.match(r"\d\d\d-", line):
            line = self.read(conn)

    def read(self, conn):
        line = conn.line()
        if line is None:
            left = conn.pending[:200]
            self.fail(("the server closed" if conn.closed else
                       f"nothing for {READ_SEC} seconds")
                      + (f", after {left!r}" if left else ""))
        self.shown.append(f"{self.step.conn}> S: {line}")
        return line

    def write(self, conn, data):
        text = data.decode("utf-8", "surrogateescape")
        self.shown.append(f"{self.step.conn}> C: {text.rstrip()}")
        conn.send(data)

    def ask(self, conn, text, want):
        """Sends a line; the line that matches want, others skipped."""
        self.write(conn, text.encode() + b"\r\n")
        while True:
            line = self.read(conn)
            if re.match(want, line):
                return line
            if re.match(r"x\d|-ERR|[45]\d\d", line):
                self.fail(f"{text.split()[0]}: {line}")

    # -- what lines do

    def expect(self, group):
        """S* and S! lines and the S: line that ends them."""
        wants = [s for s in group[:-1] if s.kind == "S*" and s.text]
        nots = [s for s in group[:-1] if s.kind == "S!"]
        last, conn = group[-1], self.conn()
        while True:
            line = self.read(conn)
            if self.matches(last.text, line):
                break
            if len(group) == 1:
                self.fail(f"expected: {self.expand(last.text)}")
            for s in nots:
                if self.matches(s.text, line):
                    self.step = s
                    self.fail(f"must not come: {line}")
            wants = [s for s in wants if not self.matches(s.text, line)]
        if wants:
            self.step = wants[0]
            self.fail(f"did not come: {self.expand(wants[0].text)}")

    def login(self, which):
        conn, i = self.conn(), which or "1"
        kind = conn.port.removesuffix("s")
        if not conn.tls and conn.port != "lmtp":
            self.starttls()
        user, word = self.vars[f"user{i}"], self.vars[f"pass{i}"]
        if kind == "imap":
            self.ask(conn, f"x1 LOGIN {user} {word}", "x1 OK")
        elif kind == "pop3":
            self.ask(conn, f"USER {user}", r"\+OK")
            self.ask(conn, f"PASS {word}", r"\+OK")
        else:
            self.ask(conn, "EHLO client.test", "250 ")
            self.ask(conn, "AUTH PLAIN " + self.vars[f"plain{i}"], "235 ")

    def starttls(self):
        conn = self.conn()
        if conn.port == "imap":
            self.ask(conn, "x0 STARTTLS", "x0 OK")
        elif conn.port == "pop3":
            self.ask(conn, "STLS", r"\+OK")
        else:
            self.ask(conn, "EHLO client.test", "250 ")
            self.ask(conn, "STARTTLS", "220 ")
        conn.start_tls()

    def deliver(self, text):
        number, _, message = text.partition("\n")
        message = self.expand(message) or DEFAULT_MESSAGE
        if not message.endswith("\n"):
            message += "\n"
        data = message.replace("\n", "\r\n").encode("utf-8",
                                                    "surrogateescape")
        self.host.deliver(self.numbers[int(number) - 1], data)

    def restart(self):
        for conn in self.conns.values():
            conn.close()
        self.conns = {}
        self.host.restart()

    def eof(self, skip):
        came = self.conn().at_end()
        if not self.conn().closed:
            self.fail("the server does not close")
        if came and not skip:
            self.fail(f"before the end came: {came[:200]!r}")

    def send_line(self, text):
        self.write(self.conn(), self.expand(text).encode(
            "utf-8", "surrogateescape") + b"\r\n")

    def send_exactly(self, text):
        text = self.expand(text)
        data = codecs.escape_decode(text.encode("utf-8"))[0]
        self.write(self.conn(), data)

    def quiet(self, text):
        if not self.conn().quiet(int(text) / 1000):
            self.fail(f"came: {self.conn().pending[:200]!r}")

    def set_slow(self, slow):
        self.conn().slow = slow

    def close(self):
        self.conn().close()
        del self.conns[self.step.conn]

    def directive(self, kind, text):
        {
            "C:": lambda: self.send_line(text),
            "C\\:": lambda: self.send_exactly(text),
            "LOGIN": lambda: self.login(text),
            "STARTTLS": self.starttls,
            "TLS": lambda: self.conn().start_tls(),
            "DEFLATE": lambda: self.conn().deflate(),
            "DELIVER": lambda: self.deliver(text),
            "RESTART": self.restart,
            "OPEN": lambda: self.open(text),
            "SLOW": lambda: self.set_slow(True),
            "FAST": lambda: self.set_slow(False),
            "QUIET": lambda: self.quiet(text),
            "CLOSE": self.close,
            "WAIT": lambda: time.sleep(int(text) / 1000),
        }[kind]()

    def work(self):
        group = []
        for step in self.t.steps:
            self.step = step
            if step.kind in ("S*", "S!"):
                group.append(step)
            elif step.kind == "S:":
                self.expect(group + [step])
                group = []
            elif step.kind == "EOF":
                self.eof(bool(group))
                group = []
            elif group:
                self.fail("S* and S! need an S: on the same connection")
            else:
                self.directive(step.kind, step.text)
        if group:
            self.fail("S* and S! need an S: behind them")

    def go(self):
        self.step = Step(1, "A", "OPEN", self.t.port)
        try:
            self.open(self.t.port, self.t.raw)
            self.work()
        except (OSError, socket.timeout) as e:
            self.fail(f"{type(e).__name__}: {e}")
        finally:
            for conn in self.conns.values():
                conn.close()
