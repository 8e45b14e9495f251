#!/usr/bin/env python3
"""fetchmail and mpop: mail carried home by POP3 and IMAP."""

import glob
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402


def fill(host, n, count):
    for i in range(count):
        host.deliver(n, f"From: x@example.net\r\nSubject: f{i}\r\n"
                     f"Message-ID: <f{i}@example.net>\r\n\r\n"
                     f".line {i}\r\n..\r\n".encode())


def run(words, codes=(0,), env=None):
    done = subprocess.run(words, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=120, check=False, env=env)
    out = done.stdout.decode(errors="replace")
    if done.returncode not in codes:
        raise pt.Failure(f"{words[0]}: exit {done.returncode}\n{out}")
    return done.returncode, out


class Fetchmail:
    """A fetchmail with its files in a folder; mail goes to FOLDER/mbox."""

    def __init__(self, host, n, folder, protocol, options):
        self.folder = folder
        port = {"POP3": "pop3s", "IMAP": "imaps"}[protocol]
        self.rc = f"{folder}/rc"
        with open(self.rc, "w", encoding="utf-8") as f:
            f.write(f"poll 127.0.0.1 service {host.port(port)} protocol "
                    f"{protocol} uidl\n" if protocol == "POP3" else
                    f"poll 127.0.0.1 service {host.port(port)} protocol "
                    f"{protocol}\n")
            f.write(f"user {host.user(n)} password {host.password(n)} "
                    f"ssl sslcertfile {host.ca} sslcertck sslcommonname "
                    f"{pt.DOMAIN}\nmda \"cat >> {folder}/mbox\" {options}\n")
        os.chmod(self.rc, 0o600)
        os.chmod(folder, 0o700)

    def fetch(self, codes=(0,)):
        return run(["fetchmail", "-f", self.rc, "-i", f"{self.folder}/ids",
                    "--pidfile", f"{self.folder}/pid", "--nosyslog"], codes,
                   dict(os.environ, HOME=self.folder,
                        FETCHMAILHOME=self.folder))

    def subjects(self):
        with open(f"{self.folder}/mbox", encoding="utf-8") as f:
            return [line.split()[1] for line in f
                    if line.startswith("Subject:")]


def test_fetchmail(host):
    for protocol in ("POP3", "IMAP"):
        n = host.fresh()
        fill(host, n, 5)
        with tempfile.TemporaryDirectory() as folder:
            f = Fetchmail(host, n, folder, protocol, "keep")
            f.fetch()
            assert f.subjects() == [f"f{i}" for i in range(5)], f.subjects()
            # Nothing new: exit 1, and nothing comes twice.
            f.fetch(codes=(1,))
            assert len(f.subjects()) == 5
        with tempfile.TemporaryDirectory() as folder:
            f = Fetchmail(host, n, folder, protocol, "fetchall nokeep")
            f.fetch()
            assert len(f.subjects()) == 5
            f.fetch(codes=(1,))


def test_mpop(host):
    n = host.fresh()
    fill(host, n, 7)
    with tempfile.TemporaryDirectory() as folder:
        for box in ("new", "cur", "tmp"):
            os.makedirs(f"{folder}/mail/{box}")
        for i, auth in enumerate(("user", "plain", "scram-sha-256")):
            rc = f"{folder}/rc{i}"
            with open(rc, "w", encoding="utf-8") as f:
                f.write(f"account default\nhost 127.0.0.1\n"
                        f"port {host.port('pop3s')}\nuser {host.user(n)}\n"
                        f"password {host.password(n)}\nauth {auth}\n"
                        f"tls on\ntls_starttls off\n"
                        f"tls_trust_file {host.ca}\n"
                        f"uidls_file {folder}/uidls\nkeep on\n"
                        f"delivery maildir {folder}/mail\n")
            os.chmod(rc, 0o600)
            run(["mpop", "-C", rc])
            files = glob.glob(f"{folder}/mail/new/*")
            assert len(files) == 7, (auth, len(files))
        with open(sorted(files)[0], "rb") as f:
            assert b"\n.line " in f.read()


if __name__ == "__main__":
    pt.main(globals())
