#!/usr/bin/env python3
"""mbsync (isync): both ways, flags, expunge, and nothing to do twice."""

import glob
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

CONFIG = """
FSync no

IMAPAccount a
Host localhost
Port {port}
User {user}
Pass {password}
SSLType IMAPS
CertificateFile {ca}
AuthMechs PLAIN

IMAPStore far
Account a

MaildirStore near
Path {dir}/mail/
Inbox {dir}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Remove Both
SyncState *
CopyArrivalDate yes
"""


class Mbsync:
    """A Maildir kept in step with account n."""

    def __init__(self, host, n, folder):
        self.dir = folder
        os.mkdir(f"{folder}/mail")
        text = CONFIG.format(port=host.port("imaps"), user=host.user(n),
                             password=host.password(n), ca=host.ca,
                             dir=folder)
        with open(f"{folder}/rc", "w", encoding="utf-8") as f:
            f.write(text)

    def sync(self):
        run = subprocess.run(["mbsync", "-V", "-c", f"{self.dir}/rc", "all"],
                             stdin=subprocess.DEVNULL, check=False,
                             stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=300)
        out = run.stdout.decode(errors="replace")
        if run.returncode != 0:
            raise pt.Failure(f"mbsync: exit {run.returncode}\n{out}")
        return out

    def files(self, box="INBOX"):
        return sorted(glob.glob(f"{self.dir}/mail/{box}/new/*")
                      + glob.glob(f"{self.dir}/mail/{box}/cur/*"))

    def put(self, box, data, flags=""):
        name = f"{self.dir}/mail/{box}/cur/1.{len(self.files(box))}.x:2,"
        with open(name + flags, "wb") as f:
            f.write(data)


def message(i):
    return (f"From: x@example.net\nSubject: number {i}\n"
            f"Message-ID: <n{i}@example.net>\n\n" + "text\n" * i).encode()


def test_both_ways(host):
    n = host.fresh()
    c = host.imap(n)
    for i in range(30):
        assert c.append("INBOX", r"(\Seen)" if i % 2 else None, None,
                        message(i).replace(b"\n", b"\r\n"))[0] == "OK"
    c.create("Sub/Tief")
    with tempfile.TemporaryDirectory() as folder:
        m = Mbsync(host, n, folder)
        m.sync()
        assert len(m.files()) == 30
        seen = [f for f in m.files() if "S" in f.rpartition(",")[2]]
        assert len(seen) == 15, seen
        # Here: one more, one flagged, one deleted.  There: one deleted.
        m.put("INBOX", message(99), "S")
        gone = m.files()[3]
        os.unlink(gone)
        name = seen[0] if os.path.exists(seen[0]) else seen[1]
        os.rename(name, name + "F" if "F" not in name else name)
        c.select("INBOX")
        c.store("30", "+FLAGS", r"(\Deleted)")
        c.expunge()
        m.sync()
        c.noop()
        assert c.search(None, "FLAGGED")[1] != [b""]
        count = len(c.search(None, "ALL")[1][0].split())
        assert count == len(m.files()), (count, len(m.files()))
        assert count == 29, count
        assert c.search(None, "SUBJECT", '"number 99"')[1] != [b""]
        # Nothing left to do: no file and no UID changes.
        before = m.files(), c.uid("SEARCH", "ALL")[1]
        m.sync()
        c.noop()
        assert (m.files(), c.uid("SEARCH", "ALL")[1]) == before
    c.logout()


def fill(c, box, first, last):
    """Messages first..last in pieces of 500 by MULTIAPPEND (RFC 3502)."""
    for at in range(first, last + 1, 500):
        piece = [message(i % 7 + 1).replace(b"\n", b"\r\n").replace(
            b"number", b"big %d number" % i)
            for i in range(at, min(at + 500, last + 1))]
        tag = c._new_tag()
        c.send(tag + b" APPEND " + box.encode() + b"".join(
            b" {%d+}\r\n" % len(m) + m for m in piece) + b"\r\n")
        c.tagged_commands[tag] = None
        assert c._command_complete("APPEND", tag)[0] == "OK"


def flags_of(c):
    """{subject number: sorted flags} of the selected folder."""
    found = {}
    typ, data = c.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    assert typ == "OK"
    for part in data:
        if isinstance(part, tuple):
            subject = re.search(rb"big (\d+)", part[1])
            flags = re.search(rb"FLAGS \(([^)]*)\)", part[0])[1].split()
            found[int(subject[1])] = sorted(f for f in flags
                                            if f != b"\\Recent")
    return found


def local(m):
    """The same of the Maildir."""
    letters = {"S": b"\\Seen", "F": b"\\Flagged", "R": b"\\Answered",
               "D": b"\\Draft", "T": b"\\Deleted"}
    found = {}
    for path in m.files():
        with open(path, "rb") as f:
            number = int(re.search(rb"big (\d+)", f.read())[1])
        info = path.rpartition(",")[2] if ":2," in path else ""
        found[number] = sorted(letters[x] for x in info if x in letters)
    return found


def set_local(path, letter):
    info = path if ":2," in path else path + ":2,"
    os.rename(path, (info + letter).replace("/new/", "/cur/"))


def test_ten_thousand_both_ways(host):
    """10,000 messages; then both sides change at once, and agree."""
    n = host.fresh()
    c = host.imap(n)
    fill(c, "INBOX", 1, 10000)
    with tempfile.TemporaryDirectory() as folder:
        m = Mbsync(host, n, folder)
        m.sync()
        assert len(m.files()) == 10000
        files = m.files()
        for path in files[0:300]:
            os.unlink(path)
        for path in files[300:600]:
            set_local(path, "F")
        for i in range(10001, 10101):
            m.put("INBOX", message(1).replace(b"number", b"big %d number" % i))
        c.select("INBOX")
        c.store("9001:9300", "+FLAGS.SILENT", r"(\Deleted)")
        c.expunge()
        c.store("5001:5300", "+FLAGS.SILENT", r"(\Answered)")
        fill(c, "INBOX", 10101, 10200)
        m.sync()
        m.sync()
        c.noop()
        there, here = flags_of(c), local(m)
        assert there == here, sorted(
            k for k in there.keys() | here.keys()
            if there.get(k) != here.get(k))[:10]
        assert 10000 - 600 + 200 <= len(there) <= 10000 - 300 + 200
        assert sum(b"\\Flagged" in f for f in there.values()) >= 250
        before = m.files(), c.uid("SEARCH", "ALL")[1]
        m.sync()
        c.noop()
        assert (m.files(), c.uid("SEARCH", "ALL")[1]) == before
    c.logout()


def test_survives_a_restart():
    """UIDs and UIDVALIDITY are the same after one: nothing comes twice."""
    with pt.Host(2) as host, tempfile.TemporaryDirectory() as folder:
        for i in range(5):
            host.deliver(1, message(i).replace(b"\n", b"\r\n"))
        m = Mbsync(host, 1, folder)
        m.sync()
        before = m.files()
        assert len(before) == 5
        host.restart()
        m.sync()
        assert m.files() == before


if __name__ == "__main__":
    pt.main(globals())
