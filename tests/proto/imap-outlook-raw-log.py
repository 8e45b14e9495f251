#!/usr/bin/env python3
"""What a session says, line by line, in the log on request (CLIENTS D, Outlook
after a move from UW IMAP): imap-raw-log, never with a password or a message."""

import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

MAIL = b"Subject: betreff\r\n\r\n" + b"vertraulich " * 500 + b"\r\n"


def said(host, port, *lines):
    """The session's answers; a line with a literal is one of bytes."""
    with host.connect(port) as s:
        f = s.makefile("rwb")
        f.readline()
        for line in lines:
            f.write(line if isinstance(line, bytes) else
                    line.encode() + b"\r\n")
        f.write(b"z LOGOUT\r\n")
        f.flush()
        return f.read().decode()


def raw(host, event):
    return [line.split("line=", 1)[1] for line in host.log().splitlines()
            if f" {event} line=" in line]


def test_account():
    with pt.Host(accounts=2) as host:
        host.set_conf({"imap-raw-log": '{"web100p1"}'})
        host.admin("reload")
        host.deliver(1, MAIL)
        word = host.password(1)
        said(host, "imaps", f"q LOGIN {host.user(2)} {host.password(2)}",
             "q2 UID FETCH 5:3:1 FLAGS")
        said(host, "imaps", f"a1 LOGIN {host.user(1)} {word}",
             "a2 SELECT INBOX", "a3 UID FETCH 4294967296:* (FLAGS)",
             "a4 UID FETCH 1:* (FLAGS BODY[])", f"a5 LOGIN x {word}",
             f"LOGIN x {word}", b"a6 APPEND INBOX {%d+}\r\n%s\r\n"
             % (len(MAIL), MAIL), "a7 SEARCH SUBJECT " + "x" * 3000,
             "a8 FETCH 1 (ENVELOPE BODY[TEXT])")
        told, heard = raw(host, "raw-in"), raw(host, "raw-out")
        assert '"a3 UID FETCH 4294967296:* (FLAGS)"' in told, told
        assert not [t for t in told if "q2" in t], told
        assert '"a5 LOGIN" cut=1' in told and '"LOGIN" cut=1' in told, told
        assert any(t.startswith('"a7 SEARCH') for t in told), told
        assert sum("xxxx" in t for t in told) == 10, told
        bad = [h for h in heard if h.startswith('"a3 BAD')]
        assert len(bad) == 1, heard
        fetched = [h for h in heard if h.startswith('"* 1 FETCH')]
        assert fetched[0].endswith('BODY[] {%d}"' % size_of(host)), fetched
        assert any(h == '")"' for h in heard), heard
        assert any("betreff" in h for h in fetched), fetched
        text = host.log()
        assert "vertraulich" not in text and word not in text


def size_of(host):
    c = host.imap(1)
    c.select("INBOX", readonly=True)
    return int(c.fetch("1", "(RFC822.SIZE)")[1][0].split()[-1].rstrip(b")"))


def test_network():
    """Before the login: nothing that could be a password."""
    with pt.Host(accounts=1, conf={
            "imap-raw-log": '{"127.0.0.0/8"}',
            "auth-fail-delay": "0"}) as host:
        word = host.password(1)
        plain = base64.b64encode(
            f"\0{host.user(1)}\0{word}".encode()).decode()
        said(host, "imaps", "a1 CAPABILITY", f"{host.user(1)} {word}", word,
             f"a2 LOGN {host.user(1)} {word}", "a3 AUTHENTICATE PLAIN",
             plain, f"a4 AUTHENTICATE PLAIN {plain}", "a5 NOOP")
        told, heard = raw(host, "raw-in"), raw(host, "raw-out")
        assert told[0] == '"a1 CAPABILITY"', told
        assert told.count('"" cut=1') == 4, told
        assert '"a3 AUTHENTICATE" cut=1' in told, told
        assert any(h.startswith('"* OK [CAPABILITY') for h in heard), heard
        text = host.log()
        assert word not in text and plain not in text
        # What would never fit is a mistake.
        host.set_conf({"imap-raw-log": '{"web100p1", "alle"}'})
        run = host.admin("check-config", check=False)
        assert run.returncode == 1 and b"alle is neither" in run.stderr, run
        host.set_conf({"imap-raw-log": '{"192.0.2.0/24"}'})
        host.admin("reload")
        said(host, "imaps", "b1 NOOP")
        assert not [t for t in raw(host, "raw-in") if "b1" in t]


if __name__ == "__main__":
    pt.main(globals(), accounts=1)
