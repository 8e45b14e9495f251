"""A scratch Posthof host for tests, and a small runner of test functions.

    import posthof_test as pt

    def test_select(host):
        assert host.imap(1).select("INBOX")[0] == "OK"

    if __name__ == "__main__":
        pt.main(globals())

Only the standard library.  POSTHOF_BIN names the build directory.
"""

import contextlib
import fcntl
import imaplib
import inspect
import os
import poplib
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback

REPO = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BIN = os.path.abspath(os.environ.get("POSTHOF_BIN",
                                     os.path.join(REPO, "build")))
# Sanitizers make everything several times slower.
SLOW = 4 if re.search("asan|tsan", BIN) else 1
DOMAIN = "posthof.test"
PACKAGE = "web100"

PORTS = {"smtp": 25, "pop3": 110, "imap": 143, "submissions": 465,
         "submission": 587, "imaps": 993, "pop3s": 995}
# Servers that wait for the client to speak.
QUIET_PORTS = {"http": 880, "metrics": 943}
TLS_AT_ONCE = ("imaps", "pop3s", "submissions")

# Never to be seen in a log.
BAD_LOG = re.compile(r"assertion|AddressSanitizer|LeakSanitizer|"
                     r"ThreadSanitizer|UndefinedBehavior|runtime error|"
                     r"out of memory|stack smashing")
RESTART_LOG = re.compile(r" posthof restart ")

LOG_TAIL_LINES = 60


class Failure(AssertionError):
    """A test's own finding, with a text fit to be shown."""


class PortBlock:
    """An offset at which all ports are free, held by a lock file so that
    hosts starting side by side do not meet."""

    def __init__(self):
        self.offset = None
        self.lock = None
        for offset in self._candidates():
            if self._take(offset):
                return
        raise Failure("no free block of ports")

    @staticmethod
    def _candidates():
        # Steps at which no two hosts share a port.
        base = [10000 + 1000 * k + j for j in (0, 1, 5, 6)
                for k in range(22)]
        turn = os.getpid() * 7 % len(base)
        return base[turn:] + base[:turn]

    def _take(self, offset):
        path = os.path.join(tempfile.gettempdir(),
                            f"posthof-ports-{offset}.lock")
        lock = open(path, "w", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return False
        if not all(self._free(offset + p) for p in
                   (*PORTS.values(), *QUIET_PORTS.values())):
            os.unlink(path)
            lock.close()
            return False
        self.offset, self.lock = offset, lock
        return True

    @staticmethod
    def _free(port):
        for family, address in ((socket.AF_INET, "127.0.0.1"),
                                (socket.AF_INET6, "::1")):
            try:
                with socket.socket(family) as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind((address, port))
            except OSError as e:
                if e.errno in (98, 13):     # in use, not allowed
                    return False
        return True

    def release(self):
        if self.lock:
            os.unlink(self.lock.name)
            self.lock.close()
            self.lock = None


class Host:
    """A whole host in a temporary directory on free loopback ports."""

    def __init__(self, accounts=4, conf=None, start=True):
        self.accounts = accounts
        self.expect_restarts = False
        self.clock_ahead = 0    # seconds, from the next start on
        self.process = None
        self._next = 0
        self._lock = threading.Lock()
        self._open = []
        self.ports = PortBlock()
        self.dir = tempfile.mkdtemp(prefix="posthof-")
        self.conf_path = os.path.join(self.dir, "posthof.conf")
        self.log_path = os.path.join(self.dir, "log")
        try:
            self._quickstart()
            self.set_conf(conf or {})
            if start:
                self.start()
        except BaseException:
            self._abandon()
            raise

    # -- making, starting, stopping

    def _quickstart(self):
        # Daemons of a host started by root run as someone else.
        os.chmod(self.dir, 0o711)
        self._passwords = {self.user(n): "pw-" + os.urandom(9).hex()
                           for n in range(1, self.accounts + 1)}
        password_file = os.path.join(self.dir, "passwords")
        with open(password_file, "w", encoding="ascii") as f:
            f.writelines(f"{name}:{word}\n"
                         for name, word in self._passwords.items())
        run = subprocess.run(
            [self.program, "quickstart", self.dir, "--domain", DOMAIN,
             "--accounts", str(self.accounts), "--port-offset",
             str(self.ports.offset), "--password-file", password_file],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=120 * SLOW, check=False)
        if run.returncode != 0:
            raise Failure("quickstart: " + run.stdout.decode(errors="replace"))

    @property
    def program(self):
        return os.path.join(BIN, "posthof")

    def set_conf(self, options):
        """Appends options; the last one set counts.  A value is written as
        it is, so texts with blanks bring their own quotes."""
        with open(self.conf_path, "a", encoding="utf-8") as f:
            for name, value in options.items():
                f.write(f"\n{name} = {value}\n")

    def start(self):
        env = dict(os.environ, POSTHOF_CLOCK_AHEAD=str(self.clock_ahead))
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", self.conf_path, "serve"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env=env)
        self.wait_ready()

    def wait_ready(self, seconds=30):
        """Until every port greets."""
        end = time.monotonic() + seconds * SLOW
        for name in (*PORTS, "lmtp"):
            while not self._greets(name):
                if self.process.poll() is not None:
                    raise Failure(f"serve ended with "
                                  f"{self.process.returncode}\n"
                                  + self.log_tail())
                if time.monotonic() > end:
                    raise Failure(f"no greeting on {name}\n"
                                  + self.log_tail())
                time.sleep(0.02)

    def _greets(self, name):
        try:
            with self.connect(name, timeout=5) as s:
                return s.recv(1) != b""
        except OSError:
            return False

    def stop(self):
        """SIGTERM, and SIGKILL to what does not go; the exit status."""
        for client in self._open:
            with contextlib.suppress(Exception):
                client.close()
        self._open = []
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(20 * SLOW)
        except subprocess.TimeoutExpired:
            status = None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        return status

    def restart(self):
        status = self.stop()
        if status != 0:
            raise Failure(f"serve ended with {status}\n" + self.log_tail())
        self.start()

    def close(self):
        """Stops and removes the host; a Failure when its end or its log is
        not as it should be."""
        wrong = None
        status = self.stop()
        if status is None:
            wrong = "serve did not stop when told to"
        elif status != 0:
            wrong = f"serve ended with {status}"
        wrong = self.log_wrong() or wrong
        tail = self.log_tail() if wrong else ""
        self._abandon()
        if wrong:
            raise Failure(wrong + "\n" + tail)

    def _abandon(self):
        self.stop()
        if os.environ.get("POSTHOF_KEEP"):
            print("# kept:", self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
        self.ports.release()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.close()
        else:
            print("# the end of the host's log:")
            print("# " + self.log_tail().replace("\n", "\n# "))
            self._abandon()

    # -- what is where

    @property
    def state(self):
        return os.path.join(self.dir, "state")

    @property
    def run_dir(self):
        return os.path.join(self.dir, "run")

    @property
    def ca(self):
        return os.path.join(self.dir, "tls", "ca.pem")

    @property
    def lmtp_socket(self):
        return os.path.join(self.run_dir, "lmtp.sock")

    def port(self, name):
        return {**PORTS, **QUIET_PORTS}[name] + self.ports.offset

    def user(self, n):
        return f"{PACKAGE}p{n}"

    def password(self, n):
        return self._passwords[self.user(n)]

    def address(self, n):
        return f"{self.user(n)}@{DOMAIN}"

    def fresh(self, count=1):
        """The first of so many accounts nobody else was given."""
        with self._lock:
            first = self._next + 1
            self._next += count
        if self._next > self.accounts:
            raise Failure("the host has too few accounts")
        return first

    # -- talking

    def tls(self):
        """A client's TLS context that trusts this host's CA only."""
        context = ssl.create_default_context(cafile=self.ca)
        context.check_hostname = False
        return context

    def connect(self, name, timeout=10):
        """A socket to a port, TLS on those that start with it."""
        timeout *= SLOW
        if name == "lmtp":
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(timeout)
            s.connect(self.lmtp_socket)
            return s
        s = socket.create_connection(("127.0.0.1", self.port(name)), timeout)
        at_once(s)
        if name in TLS_AT_ONCE:
            s = self.tls().wrap_socket(s, server_hostname=DOMAIN)
        return s

    def imap(self, n=None, timeout=30):
        """imaplib over TLS, logged in as account n if given."""
        c = imaplib.IMAP4_SSL("127.0.0.1", self.port("imaps"),
                              ssl_context=self.tls(), timeout=timeout * SLOW)
        at_once(c.sock)
        self._open.append(_Closer(c.shutdown))
        if n is not None:
            c.login(self.user(n), self.password(n))
        return c

    def pop3(self, n=None, timeout=30):
        c = poplib.POP3_SSL("127.0.0.1", self.port("pop3s"),
                            context=self.tls(), timeout=timeout * SLOW)
        self._open.append(c)
        if n is not None:
            c.user(self.user(n))
            c.pass_(self.password(n))
        return c

    def submit(self, n=None, timeout=30):
        """smtplib on the submissions port, logged in as account n."""
        c = smtplib.SMTP_SSL("127.0.0.1", self.port("submissions"),
                             local_hostname="client.test",
                             context=self.tls(), timeout=timeout * SLOW)
        self._open.append(c)
        if n is not None:
            c.login(self.user(n), self.password(n))
        return c

    def smtp(self, timeout=30):
        """smtplib on port 25, as another host would come."""
        c = smtplib.SMTP("127.0.0.1", self.port("smtp"),
                         local_hostname="mx.example.net",
                         timeout=timeout * SLOW)
        self._open.append(c)
        return c

    def deliver(self, n, message, sender="sender@example.net"):
        """A message for account n (or a list of them) through LMTP."""
        numbers = n if isinstance(n, (list, tuple)) else [n]
        with smtplib.LMTP(self.lmtp_socket, timeout=30 * SLOW) as c:
            refused = c.sendmail(sender, [self.address(i) for i in numbers],
                                 message)
        if refused:
            raise Failure(f"LMTP refused: {refused}")

    def admin(self, *words, stdin=None, check=True):
        """posthof -c ... WORDS; its output, or a Failure with it."""
        run = subprocess.run(
            [self.program, "-c", self.conf_path, *words], input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=120 * SLOW, check=False)
        if check and run.returncode != 0:
            raise Failure(f"posthof {' '.join(words)}: exit "
                          f"{run.returncode}: "
                          + run.stderr.decode(errors="replace"))
        return run.stdout.decode(errors="replace") if check else run

    def mails(self, n, folder="INBOX"):
        """The messages of account n's folder, as bytes."""
        c = self.imap(n)
        count = int(c.select(folder, readonly=True)[1][0])
        got = [c.fetch(str(i), "(BODY.PEEK[])")[1][0][1]
               for i in range(1, count + 1)]
        c.logout()
        return got

    # -- its processes and its log

    def children(self):
        """{program: [pid, ...]} of the supervisor's children; posthof's own
        are "keeper" and "recover"."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            with contextlib.suppress(OSError, IndexError):
                with open(f"/proc/{entry}/stat", encoding="ascii") as f:
                    words = f.read().rsplit(")", 1)[1].split()
                if words[0] == "Z" or int(words[1]) != self.process.pid:
                    continue
                with open(f"/proc/{entry}/cmdline", "rb") as f:
                    argv = f.read().decode().split("\0")
                name = os.path.basename(argv[0])
                if name == "posthof":
                    name = argv[1]
                found.setdefault(name, []).append(int(entry))
        return found

    def memory(self, program):
        """Bytes of its own; what is mapped of a segment is the page cache's."""
        pid = self.children()[program][0]
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            return int(re.search(r"RssAnon:\s+(\d+)", f.read())[1]) << 10

    def kill(self, program, sig=signal.SIGKILL):
        """Kills one child by its program's name."""
        self.expect_restarts = True
        pids = self.children().get(program)
        if not pids:
            raise Failure(f"no {program} runs: {self.children()}")
        os.kill(pids[0], sig)
        return pids[0]

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8",
                      errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def log_tail(self):
        return "\n".join(self.log().splitlines()[-LOG_TAIL_LINES:])

    def log_wrong(self):
        """The first line that must not be in a log, or None."""
        for line in self.log().splitlines():
            if BAD_LOG.search(line):
                return "in the log: " + line
            if RESTART_LOG.search(line) and not self.expect_restarts:
                return "in the log: " + line
        return None


def same(got, want):
    assert got == want, f"{got!r} is not {want!r}"


def at_once(sock):
    """What is written in pieces does not wait for the peer's delayed ACK."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class _Closer:
    """Anything that ends by one call."""

    def __init__(self, call):
        self.close = call


def wait_for(what, condition, seconds=10):
    """Until condition() is true; a Failure that names what did not come."""
    end = time.monotonic() + seconds * SLOW
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            raise Failure("did not come: " + what)
        time.sleep(0.02)


def report(name, error=None):
    """One line of the protocol of tools/runtests; error: what to show."""
    if error is None:
        text = f"ok - {name}\n"
    else:
        shown = "".join(f"#   {line}\n" for line in error.splitlines())
        text = f"not ok - {name}\n{shown}"
    sys.stdout.write(text)
    sys.stdout.flush()
    return error is None


def attempt(name, call):
    """Runs and reports; true when it went well."""
    try:
        call()
    except Failure as e:
        return report(name, str(e))
    except Exception:       # a test may fail in any way
        return report(name, traceback.format_exc())
    return report(name)


def main(names, accounts=40, conf=None):
    """Runs every test_* of a module, in the order of its lines.  Those with
    a parameter get one shared host.  Arguments choose tests by name."""
    prefix = os.path.basename(sys.argv[0]).removesuffix(".py")
    tests = [(name, f) for name, f in names.items()
             if name.startswith("test_") and callable(f)
             and (not sys.argv[1:] or name in sys.argv[1:])]
    good = True
    host = None
    for name, f in tests:
        title = f"{prefix}: {name[len('test_'):]}"
        if inspect.signature(f).parameters:
            if host is None:
                made = []
                if not attempt(f"{prefix}: the host starts",
                               lambda: made.append(Host(accounts, conf))):
                    sys.exit(1)
                host = made[0]
            good &= attempt(title, lambda: f(host))
        else:
            good &= attempt(title, f)
    if host is not None:
        good &= attempt(f"{prefix}: the host stops, its log is clean",
                        host.close)
    sys.exit(0 if good else 1)
