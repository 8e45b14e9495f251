#!/usr/bin/env python3
"""The index is lost: `posthof rebuild` makes it anew from the segments, with
the same UIDs, UIDVALIDITYs, flags and bytes, and nothing is given twice.
"""

import glob
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

DATE = '"01-Feb-2024 03:04:05 +0100"'


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def folders(c):
    lines = ok(c.list())
    return sorted(re.search(rb'"/" "(.*)"$', x).group(1).decode()
                  for x in lines)


def picture(host, n):
    """Everything of an account that a client keeps."""
    c = host.imap(n)
    seen = {}
    for name in folders(c):
        ok(c.select('"%s"' % name, readonly=True))
        validity = c.response("UIDVALIDITY")[1][0]
        messages = []
        found = c.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")
        for item in found[1]:
            if isinstance(item, tuple):
                head = re.sub(rb"^\d+ |\\Recent ?", b"", item[0])
                flags = re.search(rb"FLAGS \((.*?)\)", head).group(1)
                head = re.sub(rb"FLAGS \(.*?\)", b"", head)
                messages.append((head, sorted(flags.split()), item[1]))
        seen[name] = (validity, messages)
    c.logout()
    return seen


def fill(host, n):
    c = host.imap(n)
    for i in range(12):
        ok(c.append("INBOX", "(\\Seen)" if i % 2 else None, DATE,
                    b"Subject: %d\r\n\r\nbody %d\r\n" % (i, i)))
    ok(c.create("Rechnungen/2024"))
    ok(c.create("weg"))
    ok(c.create("alt"))
    ok(c.select("INBOX"))
    ok(c.uid("STORE", "1:4", "+FLAGS", "(\\Flagged wichtig)"))
    ok(c.uid("STORE", "3", "-FLAGS", "(\\Flagged)"))
    ok(c.uid("COPY", "2:6", "Rechnungen/2024"))
    ok(c.uid("COPY", "1:3", "weg"))
    ok(c.uid("COPY", "7", "alt"))
    ok(c.uid("MOVE", "8", "alt"))
    ok(c.uid("STORE", "5,12", "+FLAGS", "(\\Deleted)"))
    ok(c.expunge())
    ok(c.rename("alt", "Archive/neu"))
    ok(c.delete("weg"))
    c.logout()
    host.deliver(n, b"Subject: delivered\r\n\r\nby LMTP\r\n")


def lose_and_rebuild(host):
    host.stop()
    shutil.rmtree(os.path.join(host.state, "index"))
    for old in glob.glob(os.path.join(host.state, "index.before-*")):
        shutil.rmtree(old)
    out = host.admin("rebuild")
    for n in (1, 2):
        host.admin("account", "passwd", host.user(n), "--password-stdin",
                   stdin=host.password(n).encode() + b"\n")
    host.start()
    return out


def same(before, after):
    for name, (validity, messages) in before.items():
        assert name in after, (name, sorted(after))
        assert after[name][0] == validity, (name, validity, after[name][0])
        assert after[name][1] == messages, (name, messages, after[name][1])


def test_index_lost():
    with pt.Host(accounts=2, conf={"segment-size": "1M"}) as host:
        for n in (1, 2):
            fill(host, n)
        pt.wait_for("the delivery", lambda: len(
            picture(host, 2)["INBOX"][1]) == 10)
        before = {n: picture(host, n) for n in (1, 2)}
        c = host.imap(1)
        top = int(re.search(rb"UIDNEXT (\d+)", ok(
            c.status("INBOX", "(UIDNEXT)"))[0]).group(1))
        c.logout()
        lose_and_rebuild(host)
        for n in (1, 2):
            same(before[n], picture(host, n))
            assert "weg" not in picture(host, n)
        assert "nothing is wrong" in host.admin("fsck")
        # What was expunged last is not given again.
        c = host.imap(1)
        code = ok(c.append("INBOX", None, DATE, b"Subject: x\r\n\r\nx\r\n"))
        uid = int(re.search(rb"APPENDUID \d+ (\d+)", code[0]).group(1))
        assert uid >= top, (uid, top)
        ok(c.create("danach"))
        c.logout()
        # And once more, from what the first rebuild left and what came since.
        again = picture(host, 1)
        lose_and_rebuild(host)
        same(again, picture(host, 1))
        assert "nothing is wrong" in host.admin("fsck")


def test_host_at_work():
    with pt.Host(accounts=1) as host:
        run = host.admin("rebuild", check=False)
        assert run.returncode == 1 and b"not made anew" in run.stderr, run
        host.imap(1).logout()


if __name__ == "__main__":
    pt.main(globals())
