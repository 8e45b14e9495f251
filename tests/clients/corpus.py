#!/usr/bin/env python3
"""Real messages, odd ones among them, go everywhere and come out the same."""

import hashlib
import os
import re
import sys

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt   # noqa: E402
import relay                # noqa: E402

TRACE = re.compile(rb"\A(?:(?:Return-Path|Delivered-To|Received):[^\n]*\n"
                   rb"(?:[ \t][^\n]*\n)*)+")
FROM = re.compile(rb"^From:[^\n]*\n(?:[ \t][^\n]*\n)*", re.M | re.I)
DROPPED = re.compile(rb"^(?:Bcc|Resent-Bcc|Return-Path):[^\n]*\n"
                     rb"(?:[ \t][^\n]*\n)*", re.M | re.I)


def corpus():
    """[(name, message with CRLF)], from what tools/corpus fetched."""
    top = os.path.join(pt.BIN, "corpus")
    found = []
    for where, _, names in sorted(os.walk(top)):
        for name in sorted(names):
            if not name.endswith(".txt"):
                continue
            with open(os.path.join(where, name), "rb") as f:
                data = f.read()
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            if b"\0" in data or not data:
                continue
            if not data.endswith(b"\n"):
                data += b"\n"
            found.append((name, data.replace(b"\n", b"\r\n")))
    if len(found) < 40:
        raise pt.Failure(f"only {len(found)} messages in {top}; "
                         "`make test-deps` fetches them")
    return found


def as_own(message, address):
    """The header that submission wants and leaves alone: a From of ours,
    Date and Message-ID, no Bcc.  None where there is no header to change."""
    head, sep, body = message.partition(b"\r\n\r\n")
    head = (head + b"\r\n") if sep else b""
    if not re.match(rb"[!-9;-~]+:", head):
        return None
    head = DROPPED.sub(b"", FROM.sub(b"", head))
    own = b"From: <" + address.encode() + b">\r\n"
    if not re.search(rb"^Date:", head, re.M | re.I):
        own += b"Date: Mon, 23 Nov 2026 20:00:00 +0000\r\n"
    if not re.search(rb"^Message-ID:", head, re.M | re.I):
        # One of its own: the same body under the same one is sent once.
        own += (b"Message-ID: <"
                + hashlib.sha1(message).hexdigest().encode()
                + b"@client.test>\r\n")
    return own + head + b"\r\n" + body


def as_owns(address):
    """[(name, message)], each under its own Message-ID: the same body under
    the same one, to the same people, is taken for another try."""
    found = {}
    for name, data in corpus():
        own = as_own(data, address)
        if own is None:
            continue
        head, _, body = own.partition(b"\r\n\r\n")
        key = re.search(rb"^Message-ID:\s*(\S*)", head, re.M | re.I)[1]
        found.setdefault((key, body), (name, own))
    return list(found.values())


def untraced(message, original):
    """Without the trace in front that handing over added."""
    got = TRACE.sub(b"", message, count=1)
    own = TRACE.match(original)
    return (own.group(0) if own else b"") + got


def fetched(c, count):
    """The bodies of messages 1 to count, by sequence number."""
    out = []
    for i in range(1, count + 1):
        parts = c.fetch(str(i), "(BODY.PEEK[] ENVELOPE BODYSTRUCTURE)")[1]
        out.append(max((p[1] for p in parts if isinstance(p, tuple)
                        and b"BODY[]" in p[0]), key=len))
    return out


def compare(names, want, got):
    wrong = [n for n, w, g in zip(names, want, got)
             if untraced(g, w) != w]
    if wrong or len(want) != len(got):
        raise pt.Failure(f"{len(got)} of {len(want)}; changed: {wrong}")


def test_from_outside(host):
    """Port 25 in, IMAP and POP3 out."""
    mails = corpus()
    n = host.fresh()
    c = host.smtp()
    for _, data in mails:
        c.sendmail("sender@example.net", [host.address(n)], data)
    c.quit()
    imap = host.imap(n)
    assert int(imap.select("INBOX")[1][0]) == len(mails)
    names, want = zip(*mails)
    compare(names, want, fetched(imap, len(mails)))
    pop = host.pop3(n)
    got = [b"\r\n".join(pop.retr(i + 1)[1]) + b"\r\n"
           for i in range(len(mails))]
    pop.quit()
    # A message that is all header gets its blank line.
    compare(names, [w if b"\r\n\r\n" in w else w + b"\r\n" for w in want],
            got)
    print(f"# {len(mails)} messages")


def test_appended(host):
    """APPEND keeps every byte."""
    mails = corpus()
    imap = host.imap(host.fresh())
    for _, data in mails:
        assert imap.append("INBOX", "", None, data)[0] == "OK"
    imap.select("INBOX")
    for (name, want), got in zip(mails, fetched(imap, len(mails))):
        assert got == want, name


def test_submitted_filed_found_deleted(host):
    """From one account to another; then flags, MOVE, SEARCH, EXPUNGE."""
    a, b = host.fresh(), host.fresh()
    mails = as_owns(host.address(a))
    c = host.submit(a)
    for _, data in mails:
        c.sendmail(host.address(a), [host.address(b)], data)
    c.quit()
    imap = host.imap(b)
    count = int(imap.select("INBOX")[1][0])
    names, want = zip(*mails)
    compare(names, want, fetched(imap, count))
    imap.store("1:10", "+FLAGS", r"(\Flagged $Work)")
    assert len(imap.search(None, "FLAGGED", "KEYWORD", "$Work")[1][0]
               .split()) == 10
    found = imap.search(None, "FROM", f'"{host.address(a)}"')[1][0].split()
    assert len(found) == count, found
    for name, data in mails[:20]:
        subject = re.search(rb"^Subject: ([ -!#-\[\]-~]{4,60})\r\n(?![ \t])",
                            data, re.M)
        if subject:
            hits = imap.search(None, "SUBJECT", b'"' + subject[1] + b'"')
            assert hits[1][0], (name, subject[1])
    imap.create("Ablage")
    assert imap.uid("MOVE", "1:*", "Ablage")[0] == "OK"
    assert int(imap.select("INBOX")[1][0]) == 0
    assert int(imap.select("Ablage")[1][0]) == count
    compare(names, want, fetched(imap, count))
    imap.store("1:*", "+FLAGS", r"(\Deleted)")
    imap.expunge()
    assert int(imap.select("Ablage")[1][0]) == 0


def test_through_the_world():
    """Out through the queue to another server."""
    with relay.World() as w:
        mails = as_owns(w.host.address(1))
        c = w.host.submit(1)
        for _, data in mails:
            c.sendmail(w.host.address(1), ["b@remote.test"], data,
                       mail_options=["BODY=8BITMIME"])
        c.quit()
        got = {untraced(m[2], b"") for m in w.mails(len(mails), 60)}
        missing = [name for name, data in mails
                   if TRACE.sub(b"", data) not in got and data not in got]
        assert not missing, missing
        w.queue_empty()


if __name__ == "__main__":
    pt.main(globals())
