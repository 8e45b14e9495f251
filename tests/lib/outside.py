"""The world outside a Posthof host, all of it on loopback: a DNS zone by
dnsmasq, a mail server that answers as it is told, and Debian's postfix."""

import base64
import contextlib
import os
import pwd
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time

import posthof_test as pt


def free_port(address="127.0.0.1"):
    with socket.socket() as s:
        s.bind((address, 0))
        return s.getsockname()[1]


class Zone:
    """A name server for test domains: Zone(["--mx-host=...", ...])."""

    def __init__(self, records, address="127.0.0.1", port=None):
        self.address = address
        self.port = port or free_port(address)
        self.process = subprocess.Popen(
            ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
             "--no-resolv", "--no-hosts", "--user=root",
             "--pid-file=", f"--port={self.port}",
             f"--listen-address={address}", "--bind-interfaces",
             "--local=/test/", "--auth-ttl=1", "--local-ttl=1", *records],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        pt.wait_for("dnsmasq", self._answers)

    def _answers(self):
        if self.process.poll() is not None:
            raise pt.Failure("dnsmasq: "
                             + self.process.stderr.read().decode())
        with contextlib.suppress(OSError):
            socket.create_connection((self.address, self.port), 1).close()
            return True
        return False

    @property
    def resolver(self):
        return f'"{self.address}@{self.port}"'

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Taken:
    """A mail that a Sink has taken.  heard: after our last reply the peer went
    on on this connection, so it had the reply."""

    def __init__(self, text, connection):
        self.text, self.connection = text, connection
        self.heard = False


class Sink:
    """A mail server whose answers are ours.

    answers: {"MAIL": ["450 later", ...], ...}: the next answer to that verb
    is taken off the list; an empty or missing list is the good answer.  Verbs
    besides SMTP's are "BANNER" and "END" (behind the final dot).  An answer
    "DROP" closes the connection, "SLOW" keeps silent for a while, "DRIP 250
    ok" says the rest a byte every drip_sec.
    """

    GOOD = {"BANNER": "220 sink.test ESMTP", "HELO": "250 sink.test",
            "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok",
            "DATA": "354 go ahead", "END": "250 2.0.0 taken",
            "RSET": "250 2.0.0 ok", "QUIT": "221 2.0.0 bye",
            "STARTTLS": "220 2.0.0 go"}

    def __init__(self, address, port, keywords=("PIPELINING", "8BITMIME",
                                                "SIZE 10000000"),
                 tls=None):
        self.answers = {}
        self.keywords = list(keywords)
        self.tls = tls
        self.name = "sink.test"
        self.logins = {}        # name: password; then AUTH is a must
        self.mechanisms = "PLAIN LOGIN"
        self.early = None       # said in the middle of the data, then closed
        self.mails = []         # (sender, [recipients], bytes, was_tls)
        self.taken = []
        self.before_end = self.after_end = None     # called with a Taken
        self.commands = []
        self.connections = 0
        self.resumed = 0        # TLS sessions
        self.peers = set()
        self.drip_sec = 1
        self.end_delay = 0      # seconds before the last reply
        self.stuck = False      # takes a byte of the data every drip_sec
        sink = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                sink.connections += 1
                sink.peers.add(self.client_address[0])
                with contextlib.suppress(OSError, _Dropped):
                    _Talk(sink, self.request).run()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 100

        self.server = Server((address, port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       args=(0.05,))
        self.thread.start()

    def answer(self, verb):
        queue = self.answers.get(verb)
        return queue.pop(0) if queue else self.GOOD.get(verb,
                                                        "502 5.5.1 what?")

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Dropped(Exception):
    pass


class _Talk:
    """One connection to a Sink."""

    def __init__(self, sink, sock):
        self.sink = sink
        self.sock = sock
        self.buffer = b""
        self.secure = False
        self.sender, self.rcpts = None, []
        self.chunks, self.known = b"", False
        self.number, self.last = sink.connections, None

    def say(self, text):
        if text == "DROP":
            raise _Dropped
        if text == "SLOW":
            time.sleep(30)
            raise _Dropped
        drips = False
        if text.startswith("DRIP "):
            text, drips = text[5:], True
        for byte in text * drips:
            self.sock.sendall(byte.encode())
            time.sleep(self.sink.drip_sec)
        self.sock.sendall(text.encode() + b"\r\n")
        return text[0] in "23"

    def read_until(self, mark):
        while mark not in self.buffer:
            got = self.sock.recv(65536)
            if not got:
                raise _Dropped
            self.buffer += got
            if self.last:
                self.last.heard = True
        head, self.buffer = self.buffer.split(mark, 1)
        return head

    def ehlo(self):
        words = [self.sink.name, *self.sink.keywords]
        if self.sink.logins:
            words.append("AUTH " + self.sink.mechanisms)
        if self.sink.tls and not self.secure:
            words.append("STARTTLS")
        for word in words[:-1]:
            self.say("250-" + word)
        self.say("250 " + words[-1])

    def starttls(self):
        if not self.say(self.sink.answer("STARTTLS")):
            return
        self.sock = self.sink.tls.wrap_socket(self.sock, server_side=True)
        self.secure = True
        self.sink.resumed += bool(self.sock.session_reused)

    def data(self):
        if not self.rcpts:
            self.say("503 5.5.1 RCPT first")
            return
        if not self.say(self.sink.answer("DATA")):
            return
        while self.sink.stuck:
            if not self.sock.recv(1):
                raise _Dropped
            time.sleep(self.sink.drip_sec)
        if self.sink.early:
            self.sock.recv(1000)
            self.say(self.sink.early)
            raise _Dropped
        self.buffer = b"\r\n" + self.buffer    # "." may be the first line
        text = self.read_until(b"\r\n.\r\n") + b"\r\n"
        text = text.replace(b"\r\n..", b"\r\n.")[2:]
        self.take(text, self.sink.answer("END"))

    def take(self, text, reply):
        if reply[0] == "2" or reply == "DROP":
            self.sink.mails.append((self.sender, self.rcpts, text,
                                    self.secure))
            self.last = Taken(text, self.number)
            self.sink.taken.append(self.last)
        time.sleep(self.sink.end_delay)
        if self.sink.before_end:
            self.sink.before_end(self.last)
        self.say(reply)
        if self.sink.after_end:
            self.sink.after_end(self.last)
        self.sender, self.rcpts = None, []

    def bdat(self, words):
        size = int(words[1])
        while len(self.buffer) < size:
            got = self.sock.recv(65536)
            if not got:
                raise _Dropped
            self.buffer += got
        self.chunks += self.buffer[:size]
        self.buffer = self.buffer[size:]
        if not self.rcpts:
            self.chunks = b""
            self.say("503 5.5.1 RCPT first")
        elif words[-1] == "LAST":
            text, self.chunks = self.chunks, b""
            self.take(text, self.sink.answer("END"))
        else:
            self.say("250 2.0.0 go on")

    def auth(self, words):
        def ask(text):
            self.say("334 " + base64.b64encode(text).decode())
            return base64.b64decode(self.read_until(b"\r\n")).decode()
        if words[1] == "PLAIN":
            _, name, password = base64.b64decode(words[2]).decode().split("\0")
        else:
            name, password = ask(b"Username:"), ask(b"Password:")
        self.known = self.sink.logins.get(name) == password
        self.say("235 2.7.0 welcome" if self.known
                 else "535 5.7.8 who are you?")

    def run(self):
        if not self.say(self.sink.answer("BANNER")):
            return
        while True:
            line = self.read_until(b"\r\n").decode(errors="replace")
            self.sink.commands.append(line)
            verb = line.split(" ")[0].upper()
            if verb == "EHLO" and "EHLO" not in self.sink.answers:
                self.ehlo()
            elif verb == "STARTTLS":
                self.starttls()
            elif verb == "DATA":
                self.data()
            elif verb == "BDAT":
                self.bdat(line.split())
            elif verb == "AUTH":
                self.auth(line.split())
            elif verb == "MAIL" and self.sink.logins and not self.known:
                self.say("530 5.7.0 log in first")
            else:
                if verb == "RCPT" and self.sender is None:
                    self.say("503 5.5.1 MAIL first")
                    continue
                good = self.say(self.sink.answer(verb))
                if verb == "MAIL" and good:
                    self.sender, self.rcpts = _path(line), []
                elif verb == "RSET":
                    self.sender, self.rcpts = None, []
                elif verb == "RCPT" and good:
                    self.rcpts.append(_path(line))
                elif verb == "QUIT":
                    return


def _path(line):
    return line[line.index("<") + 1:line.index(">")]


def server_tls(host):
    """A server's TLS context with a Posthof host's own certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls = os.path.join(host.dir, "tls")
    context.load_cert_chain(os.path.join(tls, "cert.pem"),
                            os.path.join(tls, "key.pem"))
    return context


MASTER = """\
{smtpd} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Debian's postfix in a scratch directory: takes mail for `domain` into
    maildirs and hands what is for `away` to address:port."""

    def __init__(self, address, port, domain, away, to):
        self._make(address, port)
        nobody = pwd.getpwnam("nobody")
        os.chown(self.mail, nobody.pw_uid, nobody.pw_gid)
        self._begin(f"""\
myhostname = mx.{domain}
mydestination =
mynetworks = 127.0.0.0/8
smtp_bind_address = {address}
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {self.mail}
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:{nobody.pw_uid}
virtual_gid_maps = static:{nobody.pw_gid}
transport_maps = inline:{{{away}=smtp:[{to[0]}]:{to[1]}}}
smtp_tls_security_level = may
minimal_backoff_time = 300s
smtputf8_enable = no
""")

    def _make(self, address, port):
        self.dir = tempfile.mkdtemp(prefix="posthof-postfix-")
        os.chmod(self.dir, 0o755)
        self.mail = os.path.join(self.dir, "mail")
        self.port, self.address = port, address
        user = pwd.getpwnam("postfix")
        for name in ("conf", "queue", "data", "mail"):
            os.mkdir(os.path.join(self.dir, name), 0o755)
        os.chown(os.path.join(self.dir, "data"), user.pw_uid, user.pw_gid)

    def _begin(self, main):
        self._write("main.cf", f"""\
compatibility_level = 3.6
queue_directory = {self.dir}/queue
data_directory = {self.dir}/data
maillog_file = {self.dir}/log
maillog_file_prefixes = {self.dir}
inet_protocols = ipv4
disable_dns_lookups = yes
smtp_host_lookup = native
alias_maps =
alias_database =
""" + main)
        self._write("master.cf", MASTER.format(
            smtpd=f"{self.address}:{self.port}"))
        self._run("check")
        self._run("start")
        pt.wait_for("postfix", self._listens)

    def _write(self, name, text):
        with open(os.path.join(self.dir, "conf", name), "w",
                  encoding="ascii") as f:
            f.write(text)

    def _run(self, verb):
        done = subprocess.run(
            ["postfix", "-c", os.path.join(self.dir, "conf"), verb],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=60, check=False)
        if done.returncode != 0:
            raise pt.Failure(f"postfix {verb}: " + done.stdout.decode()
                             + self.log())

    def log(self):
        with contextlib.suppress(OSError):
            with open(os.path.join(self.dir, "log"), encoding="utf-8") as f:
                return f.read()
        return ""

    def _listens(self):
        with contextlib.suppress(OSError):
            socket.create_connection((self.address, self.port), 1).close()
            return True
        return False

    def received(self):
        """The messages that have come, as bytes."""
        new = os.path.join(self.mail, "box", "new")
        mails = []
        for name in sorted(os.listdir(new)) if os.path.isdir(new) else []:
            with open(os.path.join(new, name), "rb") as f:
                mails.append(f.read())
        return mails

    def close(self):
        with contextlib.suppress(Exception):
            self._run("stop")
        pid_file = os.path.join(self.dir, "queue", "pid", "master.pid")
        with contextlib.suppress(OSError, ValueError):
            with open(pid_file, encoding="ascii") as f:
                pid = int(f.read())
            with open(f"/proc/{pid}/cmdline", encoding="ascii") as f:
                if "master" in f.read():
                    os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
