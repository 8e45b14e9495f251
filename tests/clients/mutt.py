#!/usr/bin/env python3
"""neomutt: sends by SMTP, files by IMAP, reads by IMAP and POP3.

Debian 12's takes SCRAM-SHA-256-PLUS wherever it is offered and then has no
tls-exporter data to give; with SMTP and POP3 it must be told what to use."""

import contextlib
import os
import pty
import select
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

RC = """
set smtp_url = "smtps://{user}@127.0.0.1:{submissions}/"
set smtp_pass = "{password}"
set smtp_authenticators = "plain"
set pop_authenticators = "user"
set imap_user = "{user}"
set imap_pass = "{password}"
set pop_user = "{user}"
set pop_pass = "{password}"
set from = "{address}"
set use_from = yes
set realname = "Mutt"
set hostname = "client.test"
set folder = "imaps://127.0.0.1:{imaps}/"
set record = ""
set ssl_force_tls = yes
set ssl_verify_host = no
set certificate_file = "{ca}"
set ssl_ca_certificates_file = "{ca}"
set header_cache = ""
set sort = "mailbox-order"
set mail_check = 600
set wait_key = no
set confirmappend = no
set confirmcreate = no
set quit = yes
set move = no
set mark_old = no
set pop_delete = no
set delete = yes
"""


def write_rc(host, n, folder):
    path = f"{folder}/rc"
    with open(path, "w", encoding="utf-8") as f:
        f.write(RC.format(user=host.user(n), password=host.password(n),
                          address=host.address(n), ca=host.ca,
                          imaps=host.port("imaps"),
                          submissions=host.port("submissions")))
    return path


def screen(words, folder, seconds=60):
    """Runs a program that wants a terminal until it ends; its output."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(HOME=folder, TERM="xterm", LINES="40",
                          COLUMNS="100")
        with contextlib.suppress(OSError):
            os.execvp(words[0], words)
        os._exit(127)
    out, end = b"", time.monotonic() + seconds * pt.SLOW
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.5)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:     # the other side is gone
                data = b""
            if not data:
                break
            out += data
    else:
        os.kill(pid, 9)
    status = os.waitpid(pid, 0)[1]
    os.close(fd)
    if status != 0:
        raise pt.Failure(f"{words[0]}: status {status}\n"
                         + out[-2000:].decode(errors="replace"))
    return out


def subjects(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return [line[9:].strip() for line in f
                if line.startswith("Subject: ")]


def copy_all(host, n, url, folder, box):
    """Opens a mailbox, copies all of it into another, quits."""
    keys = (f"<tag-pattern>.<enter><tag-prefix><copy-message>{box}"
            "<enter><exit>")
    screen(["neomutt", "-n", "-F", write_rc(host, n, folder), "-f", url,
            "-e", f'push "{keys}"'], folder)


def read_all(host, n, url):
    with tempfile.TemporaryDirectory() as folder:
        copy_all(host, n, url, folder, f"{folder}/box")
        return subjects(f"{folder}/box")


def test_send(host):
    a, b = host.fresh(), host.fresh()
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            ["neomutt", "-n", "-F", write_rc(host, a, folder), "-s",
             "von Mutt", "--", host.address(b)], input=b"Hallo.\n.\n",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
            env=dict(os.environ, HOME=folder), check=False)
        if run.returncode != 0:
            raise pt.Failure(run.stdout.decode(errors="replace"))
    c = host.imap(b)
    assert c.select("INBOX")[1] == [b"1"]
    c.logout()


def test_file_by_imap(host):
    n = host.fresh()
    c = host.imap(n)
    c.create("Ablage")
    for i in range(3):
        host.deliver(n, f"Subject: {i}\r\n\r\nText\r\n".encode())
    with tempfile.TemporaryDirectory() as folder:
        copy_all(host, n, f"imaps://127.0.0.1:{host.port('imaps')}/INBOX",
                 folder, "=Ablage")
    assert c.select("Ablage")[1] == [b"3"]
    c.logout()


def test_read_by_imap(host):
    n = host.fresh()
    for i in range(3):
        host.deliver(n, f"From: x@example.net\r\nSubject: Brief {i}\r\n"
                     f"\r\nText {i}\r\n".encode())
    assert read_all(host, n, f"imaps://127.0.0.1:{host.port('imaps')}/INBOX"
                    ) == ["Brief 0", "Brief 1", "Brief 2"]


def test_read_by_pop3(host):
    n = host.fresh()
    for i in range(3):
        host.deliver(n, f"From: x@example.net\r\nSubject: Brief {i}\r\n"
                     f"\r\nText {i}\r\n".encode())
    assert read_all(host, n, f"pops://127.0.0.1:{host.port('pop3s')}/"
                    ) == ["Brief 0", "Brief 1", "Brief 2"]


if __name__ == "__main__":
    pt.main(globals())
