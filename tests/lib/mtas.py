"""Debian's exim4 and opensmtpd as tools/mtas has taken them apart: each runs
from a copy of its tree, in a chroot, with a configuration of the test's."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import outside
import posthof_test as pt

TREES = next((d for d in (os.path.join(pt.BIN, "mtas"),
                          os.path.join(pt.REPO, "build", "mtas"))
              if os.path.isdir(d)), "build/mtas")

# Who they want to run as; nobody else sees these.
USERS = {"root": 0, "nobody": 65534, "Debian-exim": 701, "opensmtpd": 702,
         "opensmtpq": 703, "box": 704}

MODES = {"var/spool": 0o711, "var/lib/opensmtpd/empty": 0o711,
         "tmp": 0o1777, "run": 0o755, "etc/exim4": 0o755, "home": 0o755}


class Tree:
    """One of the trees, copied and entered: what every server out of it has
    in common."""

    program = ()        # words, within the tree
    name = ""           # of the tree
    users = USERS

    def __init__(self, address, port):
        self.place = (address, port)
        self.dir = tempfile.mkdtemp(prefix="posthof-mta-")
        self.root = os.path.join(self.dir, "root")
        self.process = None

    def copy(self):
        source = os.path.join(TREES, self.name)
        if not os.path.isdir(source):
            raise pt.Failure(f"no {source}: tools/mtas {TREES} {self.name}")
        os.chmod(self.dir, 0o755)
        shutil.copytree(source, self.root, symlinks=True)
        for path, mode in MODES.items():
            self.make(path, mode)
        os.chmod(os.path.join(self.root, "var"), 0o755)
        self.write("etc/passwd", "".join(
            f"{n}:x:{i}:{i}::/home/{n}:/bin/sh\n"
            for n, i in self.users.items()))
        self.write("etc/group", "".join(f"{n}:x:{i}:\n"
                                        for n, i in self.users.items()))
        self.write("etc/hosts", "127.0.0.1 localhost\n")
        self.write("etc/nsswitch.conf", "passwd: files\ngroup: files\n"
                   "hosts: files dns\n")
        null = os.path.join(self.root, "dev/null")
        try:
            os.mknod(null, 0o20666, os.makedev(1, 3))
        except OSError:         # a container; an empty file does as well
            self.write("dev/null", "")
        os.chmod(null, 0o666)

    def make(self, path, mode=0o755, user=None):
        """A directory; its path outside."""
        full = os.path.join(self.root, path)
        os.makedirs(full, exist_ok=True)
        os.chmod(full, mode)
        if user is not None:
            os.chown(full, self.users[user], self.users[user])
        return full

    def certificate(self, host):
        """A Posthof host's, with its key."""
        for name in ("cert.pem", "key.pem"):
            with open(os.path.join(host.dir, "tls", name),
                      encoding="ascii") as f:
                self.write("etc/" + name, f.read())
            os.chmod(os.path.join(self.root, "etc", name), 0o600)

    def write(self, path, text):
        with open(os.path.join(self.root, path), "w",
                  encoding="utf-8") as f:
            f.write(text)

    def start(self):
        self.process = subprocess.Popen(
            self.program, preexec_fn=self._enter, stdin=subprocess.DEVNULL,
            stdout=open(os.path.join(self.dir, "out"), "ab"),
            stderr=subprocess.STDOUT, start_new_session=True,
            env={"PATH": "/usr/sbin:/bin"})
        pt.wait_for(self.name, self.listens)

    def _enter(self):
        os.chroot(self.root)
        os.chdir("/")

    def run(self, *words, text=""):
        """One of its programs, inside, with this to read."""
        done = subprocess.run(
            words, preexec_fn=self._enter, input=text.encode(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
            env={"PATH": "/usr/sbin:/bin"}, check=False)
        if done.returncode != 0:
            raise pt.Failure(f"{words}: " + done.stdout.decode())
        return done.stdout.decode()

    def listens(self):
        if self.process.poll() is not None:
            raise pt.Failure(f"{self.name} ended: " + self.log())
        with contextlib.suppress(OSError):
            socket.create_connection(self.place, 1).close()
            return True
        return False

    def log(self):
        text = ""
        for path in (os.path.join(self.dir, "out"), *self._logs()):
            with contextlib.suppress(OSError):
                with open(path, encoding="utf-8", errors="replace") as f:
                    text += f.read()
        return text

    def _logs(self):
        return ()

    def _ours(self):
        """Whoever runs in our tree."""
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):
                    at = os.readlink(f"/proc/{entry}/root")
                    if f"{at}/".startswith(self.root + "/"):
                        yield int(entry)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        end = time.monotonic() + 10
        while (left := list(self._ours())) and time.monotonic() < end:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    def close(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            print("# the end of its log:\n# "
                  + self.log()[-4000:].replace("\n", "\n# "))
        self.close()


class Mta(Tree):
    """What both have in common.  They take mail for box@`domain` at
    address:port, and find where the other mail goes through `zone`, a
    Zone on port 53; for posthof.test it goes to `to_port` there."""

    def __init__(self, address, port, domain, zone, to_port, host):
        super().__init__(address, port)
        self.address, self.port, self.domain = address, port, domain
        self.to_port = to_port
        try:
            self.copy()
            self.write("etc/resolv.conf", f"nameserver {zone.address}\n")
            self.make("home/box", user="box")
            self.certificate(host)
            self.configure()
            self.start()
        except BaseException:
            self.close()
            raise

    def configure(self):
        raise NotImplementedError

    def received(self):
        """The messages that have come, as bytes."""
        new = os.path.join(self.root, "home/box/Maildir/new")
        mails = []
        for name in sorted(os.listdir(new)) if os.path.isdir(new) else []:
            with open(os.path.join(new, name), "rb") as f:
                mails.append(f.read())
        return mails


class Exim(Mta):
    """Greets late whom it does not know yet: grey@ is told to come back until
    welcome() is called.  nobody@ does not exist."""

    program = ("/usr/sbin/exim4", "-bdf", "-q2s")
    name = "exim4"

    def configure(self):
        for name in ("var/spool/exim4", "var/log/exim4", "home/box"):
            path = os.path.join(self.root, name)
            os.makedirs(path, exist_ok=True)
            os.chown(path, USERS["Debian-exim"], USERS["Debian-exim"])
        for name in ("cert.pem", "key.pem"):
            os.chown(os.path.join(self.root, "etc", name),
                     USERS["Debian-exim"], -1)
        self.write("etc/exim4/exim4.conf", f"""\
primary_hostname = mx.{self.domain}
local_interfaces = {self.address}
daemon_smtp_ports = {self.port}
tls_advertise_hosts = *
tls_certificate = /etc/cert.pem
tls_privatekey = /etc/key.pem
chunking_advertise_hosts = *
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
message_size_limit = 2M
log_selector = +tls_peerdn +smtp_confirmation +pipelining +received_recipients
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
deliver_drop_privilege
disable_ipv6 = true
begin acl
rcpt:
  deny local_parts = nobody
       message = 5.1.1 nobody of that name lives here
  defer local_parts = grey
       condition = ${{if exists{{/etc/welcome}}{{no}}{{yes}}}}
       message = 4.7.1 greylisted, come back
  accept
begin routers
here:
  driver = accept
  domains = {self.domain}
  transport = box
out:
  driver = dnslookup
  transport = smtp
  self = send
  no_more
begin transports
box:
  driver = appendfile
  directory = /home/box/Maildir
  maildir_format
  create_directory
smtp:
  driver = smtp
  port = {self.to_port}
  allow_localhost
  interface = {self.address}
begin retry
* * F,1d,1s
""")

    def welcome(self):
        self.write("etc/welcome", "")

    def _logs(self):
        yield os.path.join(self.root, "var/log/exim4/mainlog")
        yield os.path.join(self.root, "var/log/exim4/paniclog")


class Opensmtpd(Mta):
    """grey@ is told to come back until welcome() is called; nobody@ does not
    exist.  Debian 12's offers a STARTTLS that breaks off: it is older than
    OpenSSL 3 (OpenSMTPD issue 1239)."""

    program = ("/usr/sbin/smtpd", "-d", "-v")
    name = "opensmtpd"

    def configure(self):
        for name, mode, user in (
                ("var/spool/smtpd", 0o711, "root"),
                ("var/empty", 0o755, "root")):
            path = os.path.join(self.root, name)
            os.makedirs(path, exist_ok=True)
            os.chmod(path, mode)
            os.chown(path, USERS[user], -1)
        os.makedirs(os.path.join(self.root, "var"), exist_ok=True)
        os.symlink("/run", os.path.join(self.root, "var/run"))
        self.write("etc/grey", "grey@" + self.domain + "\n")
        smtpctl = os.path.join(self.root, "usr/sbin/smtpctl")
        os.chown(smtpctl, 0, USERS["opensmtpq"])
        os.chmod(smtpctl, 0o2755)
        self.write("etc/smtpd.conf", f"""\
pki here cert "/etc/cert.pem"
pki here key "/etc/key.pem"
table grey file:/etc/grey
filter grey phase rcpt-to match rcpt-to <grey> reject "451 4.7.1 come back"
queue ttl 1d
listen on {self.address} port {self.port} hostname mx.{self.domain} \\
    tls pki here filter grey
action box maildir virtual {{ "nobody@else" = nobody, "@" = box }}
action away relay host smtp://mail.posthof.test:{self.to_port} \\
    src {self.address} helo mx.{self.domain}
match from any for domain {self.domain} rcpt-to regex "^(box|grey)@" \\
    action box
match from any for domain posthof.test action away
""")

    def welcome(self):
        self.write("etc/grey", "nobody@else\n")
        self.run("/usr/sbin/smtpctl", "update", "table", "grey")


def zone(records):
    """A Zone where a resolver that knows no ports finds it."""
    for i in range(200):
        address = f"127.53.{(os.getpid() + i) % 250}.{i + 1}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, \
                contextlib.suppress(OSError):
            s.bind((address, 53))
            break
    return outside.Zone(records, address, 53)
