#!/usr/bin/env python3
"""`posthof backup` while mail comes in, proved by recovering and verifying
the copy; `posthof restore` after the store is lost: what was there when the
backup began is there again, with the same UIDs and UIDVALIDITYs, and no UID
is given twice.
"""

import os
import re
import shutil
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def picture(c):
    """UIDVALIDITY and {uid: (flags, body)} of INBOX."""
    ok(c.select("INBOX", readonly=True))
    validity = c.response("UIDVALIDITY")[1][0]
    seen = {}
    for item in c.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")[1]:
        if isinstance(item, tuple):
            uid = int(re.search(rb"UID (\d+)", item[0]).group(1))
            flags = re.search(rb"FLAGS \((.*?)\)", item[0]).group(1)
            seen[uid] = (sorted(set(flags.split()) - {b"\\Recent"}), item[1])
    return validity, seen


def load(host, stop):
    """Appends and expunges, until told to stop."""
    c = host.imap(2)
    ok(c.select("INBOX"))
    n = 0
    while not stop.is_set():
        n += 1
        ok(c.append("INBOX", None, None,
                    b"Subject: %d\r\n\r\n%s\r\n" % (n, b"x" * 3000)))
        if n % 5 == 0:
            ok(c.uid("STORE", "1:*", "+FLAGS.SILENT", "(\\Flagged)"))
        if n % 20 == 0:
            ok(c.uid("STORE", "%d:%d" % (n - 10, n - 5), "+FLAGS.SILENT",
                     "(\\Deleted)"))
            ok(c.expunge())
    c.logout()


def place():
    """A folder that the daemons' user may write to."""
    top = tempfile.mkdtemp(prefix="posthof-backup-")
    os.chmod(top, 0o777)
    return top


def test_backup_and_restore():
    top = place()
    copy = os.path.join(top, "copy")
    try:
        with pt.Host(accounts=2, conf={"segment-size": "1M"}) as host:
            c = host.imap(1)
            for i in range(30):
                ok(c.append("INBOX", "(\\Seen)" if i % 3 else None, None,
                            b"Subject: %d\r\n\r\nbody %d\r\n" % (i, i)))
            before = picture(c)
            c.logout()
            stop = threading.Event()
            busy = threading.Thread(target=load, args=(host, stop))
            busy.start()
            pt.wait_for("load", lambda: len(picture(host.imap(2))[1]) > 5)
            try:
                said = host.admin("backup", copy)
            finally:
                stop.set()
                busy.join()
            assert "recovered and verified" in said, said
            assert host.admin("backup", copy, check=False).returncode == 1
            last = max(picture(host.imap(2))[1])
            host.stop()
            shutil.rmtree(os.path.join(host.state, "index"))
            shutil.rmtree(os.path.join(host.state, "mail"))
            host.admin("restore", copy)
            host.start()
            assert "nothing is wrong" in host.admin("fsck")
            c = host.imap(1)
            assert picture(c) == before
            c.logout()
            c = host.imap(2)
            validity, seen = picture(c)
            assert seen
            code = ok(c.append("INBOX", None, None, b"Subject: x\r\n\r\nx"))
            uid = int(re.search(rb"APPENDUID \d+ (\d+)", code[0]).group(1))
            assert uid > last, (uid, last)
            c.logout()
            # The addresses are there, too.
            host.deliver(1, b"Subject: after\r\n\r\nafter\r\n")
    finally:
        shutil.rmtree(top)


def test_damaged_copy():
    top = place()
    copy = os.path.join(top, "copy")
    try:
        with pt.Host(accounts=1) as host:
            host.deliver(1, b"Subject: one\r\n\r\none\r\n")
            host.admin("backup", copy)
            for name in os.listdir(os.path.join(copy, "mail")):
                os.unlink(os.path.join(copy, "mail", name))
            with open(os.path.join(copy, "index", "entry.db"), "r+b") as f:
                f.seek(4096)
                f.write(b"damage" * 500)
            run = host.admin("check-backup", copy, check=False)
            assert run.returncode != 0, run
    finally:
        shutil.rmtree(top)


if __name__ == "__main__":
    pt.main(globals())
