"""What the figures of this folder have in common: the CPU of a host's
daemons, a client that costs next to nothing, messages that differ.

CPU is that of all threads of all daemons, by schedstat; the client's own does
not count.
"""

import base64
import glob
import os
import random
import socket
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
import posthof_test as pt       # noqa: E402

END_MAX = 4096   # a tagged line is shorter


def cpu_us(host):
    """Of all daemons so far."""
    total = 0
    for pids in host.children().values():
        for pid in pids:
            for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
                try:
                    with open(path, encoding="ascii") as f:
                        total += int(f.read().split()[0])
                except OSError:
                    pass        # a thread that has just ended
    return total / 1000


def private_kib(host, program):
    return private_of(host.children()[program])


def private_of(pids):
    """KiB of their own: what would come back if they ended."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            total += sum(int(line.split()[1]) for line in f
                         if line.startswith("Private_"))
    return total


def heading():
    print(f"{'':46}{'wall':>10} {'CPU':>10} {'goal':>8} {'peer':>8}")


def say(name, wall, cpu, goal, peer, unit="us"):
    """One row; cpu is what the goal is about (None: wall is)."""
    figure = wall if cpu is None else cpu
    verdict = "" if goal is None else "ok" if figure <= goal else "missed"
    words = [f"{x:.2f}" if x is not None and x < 10 else
             f"{x:.0f}" if x is not None else "-"
             for x in (wall, cpu, goal, peer)]
    print(f"{name:46}{words[0]:>10} {words[1]:>10} {words[2]:>8} "
          f"{words[3]:>8} {unit:4} {verdict}", flush=True)


class Floor:
    """A server of a protocol ("pop3", "imap") that does nothing (floor.c);
    to the clients here it looks like a host, and what they take of it is what
    the machine itself charges for the dialogue."""

    def __init__(self, protocol):
        self.protocol = protocol
        self.dir = tempfile.mkdtemp(prefix="posthof-floor-")
        program, key, chain = (os.path.join(self.dir, name)
                               for name in ("floor", "key.pem", "chain.pem"))
        subprocess.run(["gcc", "-O2", "-o", program,
                        os.path.join(HERE, "floor.c"), "-lssl", "-lcrypto"],
                       check=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                        "-subj", "/CN=floor.test", "-keyout", key, "-out",
                        chain], check=True, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen([program, protocol, chain, key],
                                        stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.ports = [int(self.process.stdout.readline()) for _ in range(2)]

    def port(self, name):
        return self.ports[name == self.protocol + "s"]

    def user(self, n):
        return f"web100p{n}"

    def password(self, n):
        return f"floor-{n}"

    def children(self):
        return {self.protocol + "d": [self.process.pid]}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(self.dir)


class Meter:
    """with Meter(host) as m: work ...; m.say(name, count, goal, peer)"""

    def __init__(self, host):
        self.host = host

    def __enter__(self):
        self.cpu = cpu_us(self.host)
        self.wall = time.monotonic()
        return self

    def __exit__(self, *_):
        self.wall = (time.monotonic() - self.wall) * 1e6
        self.cpu = cpu_us(self.host) - self.cpu

    def say(self, name, count, goal, peer):
        say(name, self.wall / count, self.cpu / count, goal, peer)


class Imap:
    """As little as will do: sends, and reads up to a tagged line."""

    context = None

    def __init__(self, host, n=None, tls=False):
        self.host = host
        self.count = 0
        self.bytes = 0
        self.space = memoryview(bytearray(1 << 20))
        self.sock = socket.create_connection(
            ("127.0.0.1", host.port("imaps" if tls else "imap")))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            if Imap.context is None:
                Imap.context = ssl._create_unverified_context()
            self.sock = Imap.context.wrap_socket(self.sock)
        self.quick_ack = getattr(host, "quick_ack", False)
        self.tail = self.read()
        if n is not None:
            self.ask(b"LOGIN %s %s" % (host.user(n).encode(),
                                       host.password(n).encode()))

    def _acknowledge(self):
        if self.quick_ack:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def read(self):
        self._acknowledge()
        data = self.sock.recv(1 << 16)
        if not data:
            raise pt.Failure("closed")
        self.bytes += len(data)
        return data

    def send(self, command):
        """Sends only; the tag to wait for."""
        self.count += 1
        tag = b"T%07d" % self.count
        self.sock.sendall(tag + b" " + command + b"\r\n")
        return tag

    def wait(self, tag, keep=False):
        """Reads to this tag's line; all of it if to be kept."""
        want, tail, all_of_it = b"\r\n" + tag + b" ", b"\r\n", []
        while True:
            self._acknowledge()
            n = self.sock.recv_into(self.space)
            if n == 0:
                raise pt.Failure("closed")
            self.bytes += n
            if keep:
                all_of_it.append(bytes(self.space[:n]))
            tail += bytes(self.space[max(0, n - END_MAX):n])
            at = tail.rfind(want)
            if at >= 0 and tail.endswith(b"\r\n"):
                line = tail[at + len(want):]
                if not line.startswith(b"OK"):
                    raise pt.Failure(f"{tag}: {line}")
                return b"".join(all_of_it)
            tail = tail[-END_MAX:]

    def ask(self, command, keep=False):
        return self.wait(self.send(command), keep)

    def ask_many(self, commands, window=100):
        """Pipelined, so many at a time; the last tag of each is waited
        for."""
        for at in range(0, len(commands), window):
            lines = []
            for command in commands[at:at + window]:
                self.count += 1
                lines.append(b"T%07d %s\r\n" % (self.count, command))
            self.sock.sendall(b"".join(lines))
            self.wait(b"T%07d" % self.count)

    def append(self, folder, messages, window=250):
        """MULTIAPPEND with non-synchronising literals (RFC 3502)."""
        for at in range(0, len(messages), window):
            parts = []
            self.count += 1
            tag = b"T%07d" % self.count
            parts.append(b"%s APPEND %s" % (tag, folder))
            for text in messages[at:at + window]:
                parts.append(b" {%d+}\r\n" % len(text))
                parts.append(text)
            parts.append(b"\r\n")
            self.sock.sendall(b"".join(parts))
            self.wait(tag)

    def close(self):
        self.sock.close()


FIRST = ("Anna Bert Clara David Emma Felix Greta Hans Ida Jonas Klara Leon "
         "Mia Noah Olga Paul Rosa Simon Tina Ulf").split()
LAST = ("Albrecht Bauer Conrad Dietrich Eberhard Fischer Gruber Hofmann "
        "Imhof Jung Keller Lehmann Maurer Neumann Otto Peters").split()
WORDS = ("meeting report invoice server update question about the new plan "
         "weekly summary draft contract holiday photos travel offer order "
         "delivery status reminder release notes budget review").split()


def text_of(r, size):
    """Lines of words; costs little to make."""
    line = " ".join(r.choices(WORDS, k=11))[:72] + "\r\n"
    block = "".join(" ".join(r.choices(WORDS, k=11))[:72] + "\r\n"
                    for _ in range(4)) + line
    text = (block * (size // len(block) + 1))[:size]
    return text.rstrip("\r") + "\r\n"      # no bare CR where it was cut


def message(i, seed=1):
    """The i-th of a corpus: 5.6 KiB on average, one in four with two parts,
    one in two an answer, dates that rise with some disorder."""
    r = random.Random(i * 7919 + seed)
    size = r.choice((1200, 2500, 4000, 5000, 7300, 8700))
    name = f"{r.choice(FIRST)} {r.choice(LAST)}"
    topic = " ".join(r.choices(WORDS, k=4))
    when = 1700000000 + i * 60 + r.randrange(-3600, 3600)
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(when))
    head = (f"Return-Path: <{name.lower().replace(' ', '.')}@example.net>\r\n"
            f"Received: from mx{i % 9}.example.net (mx.example.net "
            f"[192.0.2.{i % 250}])\r\n\tby mail.posthof.test with ESMTPS id "
            f"{i:08x}\r\n\tfor <you@posthof.test>; {date}\r\n"
            f"From: {name} <{name.lower().replace(' ', '.')}@example.net>\r\n"
            f"To: You <you@posthof.test>\r\n"
            f"Date: {date}\r\nMessage-ID: <{i}.{seed}@example.net>\r\n")
    if i % 2 and i > 20:
        of = i - r.randrange(1, 20)
        head += (f"Subject: Re: {topic}\r\nIn-Reply-To: "
                 f"<{of}.{seed}@example.net>\r\nReferences: "
                 f"<{of // 2}.{seed}@example.net>"
                 f"\r\n <{of}.{seed}@example.net>\r\n")
    else:
        head += f"Subject: {topic} {i % 100}\r\n"
    head += "MIME-Version: 1.0\r\nX-Mailer: bench 1.0\r\n"
    if i % 4:
        return (head + "Content-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: 8bit\r\n\r\n"
                + text_of(r, size)).encode()
    data = base64.encodebytes(r.randbytes(57) * (size // 80)).decode()
    return (head + 'Content-Type: multipart/mixed; boundary="=_b"\r\n\r\n'
            "--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
            + text_of(r, size // 4) +
            "--=_b\r\nContent-Type: application/pdf; name=x.pdf\r\n"
            "Content-Disposition: attachment; filename=x.pdf\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n"
            + data.replace("\n", "\r\n") + "--=_b--\r\n").encode()


def build_smtp(program):
    subprocess.run(["gcc", "-O2", "-o", program,
                    os.path.join(HERE, "smtp.c"), "-lssl", "-lcrypto",
                    "-lpthread"], check=True)


def main_smtp(names):
    """Runs the bench_*(program) of a module that its arguments name, or all,
    with smtp.c built."""
    program = f"/tmp/posthof-smtp-{os.getpid()}"
    build_smtp(program)
    heading()
    try:
        for name, f in list(names.items()):
            if name.startswith("bench_") and (
                    not sys.argv[1:] or name[6:] in sys.argv[1:]):
                f(program)
    finally:
        os.unlink(program)
