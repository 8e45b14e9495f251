"""The hosts that peers.py measures side by side: ours, Debian's Dovecot and
Cyrus (tools/mtas), each with its own group for the CPU (cpu.py).

All speak TLS 1.3 with the same P-256 key and keep messages that they say
they have (fsync); Dovecot's flags may go with the power, which is its default.
The peers are set up as one does who wants speed: processes that are there
already and stay, logins without a login process each, cheap password checks,
plain passwords.
"""

import os
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "../lib"))
import cpu                      # noqa: E402
import mtas                     # noqa: E402
import outside                  # noqa: E402
import posthof_test as pt       # noqa: E402
from meter import Floor, Imap, private_of   # noqa: E402

CONF = {"connections-per-address": 50000, "sessions-per-account": 50000,
        "plaintext-without-tls": "true", "store-cache": "512M",
        "line-max": "64K"}


class Ours(pt.Host):
    """With a group; cpu_us() is of the supervisor and all its daemons."""

    title = "posthof"

    def __init__(self, accounts, conf=None):
        self.group = cpu.group("posthof")
        super().__init__(accounts, {**CONF, **(conf or {})})

    def start(self):
        with self.group.inside():
            super().start()

    def cpu_us(self):
        return self.group.us()

    def private_kib(self):
        return private_of(self.group.pids())

    def done(self):
        """What was taken is where it belongs: here, with the reply."""

    def log_tail(self):
        return super().log_tail()[-1000:]

    def _abandon(self):
        super()._abandon()
        self.group.close()


class Bare(Floor):
    """What the machine charges for a dialogue (floor.c)."""

    title = "floor"

    def __init__(self, protocol):
        self.group = cpu.group("floor")
        with self.group.inside():
            super().__init__(protocol)

    def cpu_us(self):
        return self.group.us()

    def done(self):
        """At once."""

    def __exit__(self, *what):
        super().__exit__(*what)
        self.group.close()


class Peer(mtas.Tree):
    """A server of theirs, with what the drivers ask a Host for."""

    title = ""
    quick_ack = False
    ports = ("pop3", "pop3s", "imap", "imaps")
    deliver = pt.Host.deliver
    users = {"root": 0, "mail": 8, "nobody": 65534, "dovecot": 711,
             "dovenull": 712, "cyrus": 713}

    def __init__(self, accounts, ours):
        self.accounts = accounts
        self._ports = {name: free_port() for name in self.ports}
        self.group = cpu.group(self.name)
        super().__init__("127.0.0.1", self._ports["imap"])
        try:
            self.copy()
            self._run_in_memory()
            self.certificate(ours)
            self.configure()
            self.start()
            self.ready()
        except BaseException as e:
            print(f"# {self.name}: {e}\n" + self.log())
            self.close()
            raise

    def start(self):
        with self.group.inside():
            super().start()

    def restart(self):
        self.stop()
        self.start()

    def _run_in_memory(self):
        """As /run is on any Debian: Cyrus keeps locks and lists there."""
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "posthof",
                        os.path.join(self.root, "run")], check=False)

    def configure(self):
        raise NotImplementedError

    def ready(self):
        """Once, after the first start."""

    def cpu_us(self):
        return self.group.us()

    def private_kib(self):
        return private_of(self.group.pids())

    def done(self):
        """As ours."""

    def log(self):
        return super().log()[-1000:]

    def close(self):
        self.stop()
        subprocess.run(["umount", os.path.join(self.root, "run")],
                       check=False, stderr=subprocess.DEVNULL)
        super().close()
        self.group.close()

    def port(self, name):
        return self._ports[name]

    def user(self, n):
        return f"web100p{n}"

    def password(self, n):
        return f"pw-{n}"

    def address(self, n):
        return f"web100p{n}@posthof.test"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Dovecot(Peer):
    """mdbox is the fastest of its formats for what is measured here."""

    title = name = "dovecot"
    program = ("/usr/sbin/dovecot", "-F")
    box = "mdbox"

    @property
    def lmtp_socket(self):
        return os.path.join(self.root, "run/dovecot/lmtp")

    def configure(self):
        for path in ("run/dovecot", "var/lib/dovecot", "var/log",
                     "etc/dovecot"):
            self.make(path)
        self.make("mail", user="mail")
        self.write("etc/users", "".join(
            f"{self.user(n)}:{{PLAIN}}{self.password(n)}::::::\n"
            for n in range(1, self.accounts + 1)))
        os.chmod(os.path.join(self.root, "etc/users"), 0o644)
        self.write("etc/dovecot/dovecot.conf", DOVECOT.format(
            box=self.box, **self._ports))

    def ready(self):
        """Two deliveries that both make a mailbox: it refuses one."""
        for n in range(1, self.accounts + 1):
            c = Imap(self, n)
            c.ask(b"SELECT INBOX")
            c.close()

    def _logs(self):
        yield os.path.join(self.root, "var/log/dovecot.log")


class PostfixDovecot(Dovecot):
    """Debian's Postfix in front of a Dovecot, which knows its users and keeps
    its mail.  What is not for here goes to relay_port of 127.0.0.2."""

    title = "postfix"
    ports = Peer.ports + ("submissions",)

    def __init__(self, accounts, ours, relay_port):
        self.relay_port = relay_port
        self.postfix = None
        super().__init__(accounts, ours)

    def ready(self):
        super().ready()
        with self.group.inside():
            self.postfix = Postfix(self)

    def done(self):
        """All that was taken has gone on."""
        queue = os.path.join(self.postfix.dir, "queue")
        pt.wait_for("an empty queue", lambda: not any(
            os.listdir(os.path.join(queue, name))
            for name in ("incoming", "active", "deferred", "maildrop")), 60)

    def log(self):
        return (self.postfix.log()[-2000:] if self.postfix else "") \
            + super().log()

    def close(self):
        if self.postfix is not None:
            self.postfix.close()
        super().close()


class Postfix(outside.Postfix):
    """Submission with TLS from the start."""

    def __init__(self, dovecot):
        self._make("127.0.0.1", dovecot.port("submissions"))
        run = os.path.join(dovecot.root, "run/dovecot")
        self._begin(f"""\
myhostname = mail.posthof.test
mydestination =
mynetworks = 127.0.0.9/32
virtual_mailbox_domains = posthof.test
virtual_mailbox_maps = static:box
virtual_transport = lmtp:unix:{run}/lmtp
relayhost = [127.0.0.2]:{dovecot.relay_port}
smtpd_tls_wrappermode = yes
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {dovecot.root}/etc/cert.pem
smtpd_tls_key_file = {dovecot.root}/etc/key.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {run}/auth-postfix
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_event_limit_exceptions = static:all
in_flow_delay = 0
max_use = 10000
""")


DOVECOT = """\
protocols = imap pop3 lmtp
listen = 127.0.0.1
log_path = /var/log/dovecot.log
stats_writer_socket_path =
ssl = yes
ssl_cert = </etc/cert.pem
ssl_key = </etc/key.pem
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_cache_size = 16M
auth_cache_verify_password_with_worker = no
auth_username_format = %Ln
mail_location = {box}:/mail/%n
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 0
mail_fsync = optimized
pop3_fast_size_lookups = yes
pop3_no_flag_updates = yes
passdb {{
  driver = passwd-file
  args = /etc/users
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home=/mail/%n
}}
default_vsz_limit = 2G
default_client_limit = 15000
default_process_limit = 5000
service imap-login {{
  service_count = 0
  process_min_avail = 2
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  service_count = 0
  process_min_avail = 2
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
  }}
}}
service imap {{
  service_count = 10000
  process_min_avail = 2
}}
service pop3 {{
  service_count = 10000
  process_min_avail = 2
}}
service auth {{
  unix_listener auth-postfix {{
    mode = 0666
  }}
}}
service lmtp {{
  process_min_avail = 2
  service_count = 0
  unix_listener lmtp {{
    mode = 0666
  }}
}}
"""


class Cyrus(Peer):
    """Logs to nobody, there being no syslog in its tree.  It has no
    TCP_NODELAY, so its clients acknowledge at once, or its figures of time
    were all of theirs."""

    quick_ack = True
    title = name = "cyrus"
    program = ("/usr/lib/cyrus/bin/master", "-C", "/etc/imapd.conf", "-M",
               "/etc/cyrus.conf", "-p", "/run/cyrus/master.pid")

    @property
    def lmtp_socket(self):
        return os.path.join(self.root, "run/cyrus/lmtp")

    def configure(self):
        for path in ("var/lib/cyrus", "var/spool/cyrus", "run/cyrus",
                     "run/cyrus/proc", "run/cyrus/lock", "var/lib/cyrus/db",
                     "var/lib/cyrus/socket"):
            self.make(path, user="cyrus")
        self.make("usr/share/zoneinfo")
        self.write("usr/share/zoneinfo/zone.tab",       # it wants some
                   "DE\t+5230+01322\tEurope/Berlin\n")
        self.write("etc/imapd.conf", IMAPD)
        self.write("etc/cyrus.conf", CYRUS.format(**self._ports))
        for name in ("cert.pem", "key.pem"):
            os.chown(os.path.join(self.root, "etc", name),
                     self.users["cyrus"], -1)
        for n in range(1, self.accounts + 1):
            self._secret(self.user(n), self.password(n))
        self._secret("cyrus", "cyrus")
        os.chown(os.path.join(self.root, "etc/sasldb2"),
                 self.users["cyrus"], -1)

    def _secret(self, user, password):
        self.run("/usr/sbin/saslpasswd2", "-p", "-c", "-u", "posthof.test",
                 "-f", "/etc/sasldb2", user, text=password)

    def ready(self):
        c = Imap(self)
        c.ask(b"LOGIN cyrus cyrus")
        for n in range(1, self.accounts + 1):
            c.ask(b"CREATE user/%s" % self.user(n).encode())
        c.close()


IMAPD = """\
configdirectory: /var/lib/cyrus
partition-default: /var/spool/cyrus
defaultpartition: default
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
servername: posthof.test
unixhierarchysep: yes
virtdomains: off
admins: cyrus
allowplaintext: yes
sasl_mech_list: PLAIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: /etc/sasldb2
tls_server_cert: /etc/cert.pem
tls_server_key: /etc/key.pem
duplicatesuppression: no
popminpoll: 0
tls_session_timeout: 0
idlesocket: /run/cyrus/idle
lmtpsocket: /run/cyrus/lmtp
"""

CYRUS = """\
START {{
  recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -r"
}}
SERVICES {{
  imap cmd="/usr/lib/cyrus/bin/imapd -U 100000" listen="127.0.0.1:{imap}" prefork=5 maxchild=20000
  imaps cmd="/usr/lib/cyrus/bin/imapd -s -U 100000" listen="127.0.0.1:{imaps}" prefork=5 maxchild=20000
  pop3 cmd="/usr/lib/cyrus/bin/pop3d -U 100000" listen="127.0.0.1:{pop3}" prefork=2 maxchild=20000
  pop3s cmd="/usr/lib/cyrus/bin/pop3d -s -U 100000" listen="127.0.0.1:{pop3s}" prefork=2 maxchild=20000
  lmtp cmd="/usr/lib/cyrus/bin/lmtpd -U 100000" listen="/run/cyrus/lmtp" prefork=2 maxchild=100
}}
DAEMON {{
  idled cmd="/usr/lib/cyrus/bin/idled"
}}
"""
