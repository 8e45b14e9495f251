#!/usr/bin/env python3
"""fetchmail, getmail, mpop, curl and poplib: mail carried home, with copies
left on the server and without; a second run downloads nothing."""

import glob
import os
import re
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
            if protocol == "POP3":
                settled(host, n, 5)
        with tempfile.TemporaryDirectory() as folder:
            f = Fetchmail(host, n, folder, protocol, "fetchall nokeep")
            f.fetch()
            assert len(f.subjects()) == 5
            f.fetch(codes=(1,))
            assert left(host, n) == 0


def retrieved(host, n):
    """How many messages pop3d has handed out to this account so far."""
    return sum(int(m[1]) for m in re.finditer(
        rf"account={host.user(n)} messages=\d+ retr=(\d+)", host.log()))


def left(host, n):
    c = host.pop3(n)
    count = c.stat()[0]
    c.quit()
    return count


def settled(host, n, count):
    """The log shows that many and no more: sessions end a little later."""
    pt.wait_for(f"{count} retrieved", lambda: retrieved(host, n) >= count)
    assert retrieved(host, n) == count, (retrieved(host, n), count)


def maildir(folder):
    for box in ("new", "cur", "tmp"):
        os.makedirs(f"{folder}/mail/{box}")
    return f"{folder}/mail"


def delivered(folder):
    return glob.glob(f"{folder}/mail/new/*")


def mpop(host, n, folder, auth, keep):
    rc = f"{folder}/rc-{auth}-{keep}"
    with open(rc, "w", encoding="utf-8") as f:
        f.write(f"account default\nhost 127.0.0.1\n"
                f"port {host.port('pop3s')}\nuser {host.user(n)}\n"
                f"password {host.password(n)}\nauth {auth}\n"
                f"tls on\ntls_starttls off\n"
                f"tls_trust_file {host.ca}\n"
                f"uidls_file {folder}/uidls\nkeep {keep}\n"
                f"delivery maildir {folder}/mail\n")
    os.chmod(rc, 0o600)
    run(["mpop", "-C", rc])


def test_mpop(host):
    n = host.fresh()
    fill(host, n, 7)
    with tempfile.TemporaryDirectory() as folder:
        maildir(folder)
        for auth in ("user", "plain", "scram-sha-256", "scram-sha-1"):
            mpop(host, n, folder, auth, "on")
            files = delivered(folder)
            assert len(files) == 7, (auth, len(files))
        with open(sorted(files)[0], "rb") as f:
            assert b"\n.line " in f.read()
        settled(host, n, 7)
        assert left(host, n) == 7
    with tempfile.TemporaryDirectory() as folder:
        maildir(folder)
        mpop(host, n, folder, "plain", "off")
        assert len(delivered(folder)) == 7 and left(host, n) == 0
        mpop(host, n, folder, "plain", "off")
        assert len(delivered(folder)) == 7


def getmail(host, n, folder, delete):
    rc = f"{folder}/rc"
    with open(rc, "w", encoding="utf-8") as f:
        f.write(f"[retriever]\ntype = SimplePOP3SSLRetriever\n"
                f"server = 127.0.0.1\nport = {host.port('pop3s')}\n"
                f"username = {host.user(n)}\npassword = {host.password(n)}\n"
                f"ca_certs = {host.ca}\n"
                f"[destination]\ntype = MDA_external\npath = /bin/sh\n"
                f"arguments = ('-c', 'cat >{folder}/mail/new/$$')\n"
                f"allow_root_commands = true\n"
                f"[options]\nread_all = false\ndelete = {delete}\n"
                f"delivered_to = false\nreceived = false\n"
                f"verbose = 1\n")
    os.chmod(rc, 0o600)
    run(["/usr/bin/getmail", "--getmaildir", folder, "--rcfile", "rc"],
        env={"PATH": "/usr/bin:/bin", "HOME": folder, "LC_ALL": "C.UTF-8"})


def test_getmail(host):
    n = host.fresh()
    fill(host, n, 6)
    with tempfile.TemporaryDirectory() as folder:
        maildir(folder)
        getmail(host, n, folder, "false")
        assert len(delivered(folder)) == 6 and left(host, n) == 6
        getmail(host, n, folder, "false")
        assert len(delivered(folder)) == 6
        settled(host, n, 6)
        fill(host, n, 1)
        getmail(host, n, folder, "true")
        assert len(delivered(folder)) == 7 and left(host, n) == 0


def test_poplib(host):
    """A program as people write it: by UIDL, keeping and then not."""
    n = host.fresh()
    fill(host, n, 4)
    known = set()

    def fetch(delete):
        c = host.pop3(n)
        new = 0
        for line in c.uidl()[1]:
            number, uid = line.decode().split()
            if uid not in known:
                assert b"..." not in c.retr(number)[1]
                known.add(uid)
                new += 1
            if delete:
                c.dele(number)
        c.quit()
        return new

    assert fetch(False) == 4
    assert fetch(False) == 0
    fill(host, n, 1)
    assert fetch(True) == 1
    assert fetch(True) == 0 and left(host, n) == 0


def curl(host, n, path, *words):
    return run(["curl", "--silent", "--show-error", "--cacert", host.ca,
                "--resolve", f"{pt.DOMAIN}:{host.port('pop3s')}:127.0.0.1",
                "--user", f"{host.user(n)}:{host.password(n)}",
                f"pop3s://{pt.DOMAIN}:{host.port('pop3s')}/{path}",
                *words])[1]


def test_curl(host):
    n = host.fresh()
    fill(host, n, 3)
    uidl = curl(host, n, "", "--request", "UIDL")
    assert len(uidl.split()) == 6, uidl
    assert ".line 1" in curl(host, n, "2")
    assert ".line" not in curl(host, n, "", "--request", "TOP 2 0")
    assert curl(host, n, "", "--request", "UIDL") == uidl
    curl(host, n, "1", "--request", "DELE", "--list-only")
    left_over = curl(host, n, "", "--request", "UIDL")
    assert left_over.split()[1::2] == uidl.split()[3::2]


def carry(host, n, folder, keep):
    """Curl as a script uses it: what UIDL names and FOLDER has not got."""
    new = 0
    words = curl(host, n, "", "--request", "UIDL").split()
    for number, uid in zip(words[::2], words[1::2]):
        path = f"{folder}/mail/new/{uid}"
        if not os.path.exists(path):
            curl(host, n, number, "--output", path)
            new += 1
        if not keep:
            curl(host, n, number, "--request", "DELE", "--list-only")
            return new + carry(host, n, folder, keep)
    return new


def test_curl_with_keep_and_without(host):
    n = host.fresh()
    fill(host, n, 3)
    with tempfile.TemporaryDirectory() as folder:
        maildir(folder)
        assert carry(host, n, folder, True) == 3
        settled(host, n, 3)
        assert carry(host, n, folder, True) == 0 and left(host, n) == 3
        fill(host, n, 1)
        assert carry(host, n, folder, False) == 1 and left(host, n) == 0
        settled(host, n, 4)
        assert carry(host, n, folder, False) == 0
        assert len(delivered(folder)) == 4


if __name__ == "__main__":
    pt.main(globals())
