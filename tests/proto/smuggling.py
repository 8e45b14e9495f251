#!/usr/bin/env python3
"""A corpus of smuggled mail (O18): every way to write an end of data that is
none, by every way in.  Nothing that hides behind it may become a mail."""

import itertools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

BITS = (b"\n", b"\r", b"\r\n", b"\0", b"\r\r\n", b"\n\r", b"\r\n\0",
        b"\x0b", b"\xc2\x85", b"\xe2\x80\xa8")
ENDS = [before + b"." + behind
        for before, behind in itertools.product(BITS, BITS)
        if (before, behind) != (b"\r\n", b"\r\n")]
# In front of CRLF "." CRLF there may be anything; ENDS with a good end in
# them end the data here as everywhere.
REAL = b"\r\n.\r\n"
ENDS = [e for e in ENDS if REAL not in e]
ENDS += [b"\r\n..\r\n", b"\r\n.\r\r\n", b"\r\n. \r\n", b"\r\n .\r\n",
         b"\r\n.\t\r\n", b"\r\n\r.\r\n", b"\r\n.\n\r\n"]


def hidden(host, n):
    return (b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<%s>\r\nDATA\r\n"
            b"From: <evil@example.net>\r\nSubject: smuggled\r\n\r\nevil\r\n"
            % host.address(n).encode())


class Line:
    def __init__(self, host, port, n):
        if port == "smtp":
            self.sock = host.connect("smtp", 20)
            self.file = self.sock.makefile("rb")
            self.reply()
            self.ask(b"EHLO x.test\r\n")
        elif port == "lmtp":
            self.sock = host.connect("lmtp", 20)
            self.file = self.sock.makefile("rb")
            self.reply()
            self.ask(b"LHLO x.test\r\n")
        else:
            client = host.submit(n)
            self.client, self.sock = client, client.sock
            self.file = self.sock.makefile("rb")

    def reply(self):
        line = self.file.readline()
        while line[3:4] == b"-":
            line = self.file.readline()
        return line[:3]

    def ask(self, data):
        self.sock.sendall(data)
        return self.reply()


def begin(line, host, n):
    address = host.address(n).encode()
    assert line.ask(b"MAIL FROM:<%s>\r\n" % address) == b"250"
    assert line.ask(b"RCPT TO:<%s>\r\n" % address) == b"250"


def run(host, port, wants, chunked=False):
    """Every end once; the data really ends behind the hidden mail."""
    n = host.fresh()
    line = Line(host, port, n)
    kept = 0
    for end in ENDS:
        mail = (b"From: <%s>\r\nSubject: outer\r\n\r\ntext" %
                host.address(n).encode() + end + hidden(host, n))
        begin(line, host, n)
        if chunked:
            code = line.ask(b"BDAT %d LAST\r\n" % len(mail) + mail)
        else:
            assert line.ask(b"DATA\r\n") == b"354"
            code = line.ask(mail + REAL)
        assert code in wants, (port, end, code)
        # The very next reply is to what we say, not to what was hidden.
        assert line.ask(b"NOOP\r\n") == b"250", (port, end)
        kept += code == b"250"
    got = host.mails(n)
    assert len(got) == kept, (port, len(got), kept)
    for mail in got:
        assert b"Subject: outer" in mail and b"\0" not in mail
        assert mail.count(b"\n") == mail.count(b"\r\n") == mail.count(b"\r")


def test_port_25(host):
    run(host, "smtp", (b"250", b"554"))


def test_submission(host):
    run(host, "submission", (b"250", b"554"))


def test_lmtp(host):
    run(host, "lmtp", (b"250", b"554"))


def test_chunks(host):
    run(host, "smtp", (b"250", b"554"), chunked=True)


def test_line_ends_put_right():
    """By option, bare CR and LF end lines: then what ends the data for us
    ends it for all, and what is behind are commands, as whoever sent them
    can see."""
    with pt.Host(accounts=2, conf={"submission-fix-lines": "true"}) as host:
        for end in ENDS:
            line = Line(host, "submission", 1)
            begin(line, host, 1)
            assert line.ask(b"DATA\r\n") == b"354"
            line.sock.sendall(
                b"From: <%s>\r\nSubject: outer\r\n\r\ntext" %
                host.address(1).encode() + end + hidden(host, 2) + REAL
                + b"QUIT\r\n")
            replies = line.file.read()
            assert b"221" in replies, (end, replies)
            # The sender of what came as commands was looked at as ever.
            if replies.count(b"354") or b"553" in replies:
                assert b"553-5.7.1" in replies, (end, replies)
        assert host.mails(2) == []
        for mail in host.mails(1):
            assert mail.count(b"\n") == mail.count(b"\r\n") \
                == mail.count(b"\r")


def test_what_goes_out_is_clean():
    """To another host: dots stuffed, no stray CR or LF."""
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../clients"))
    import relay
    with relay.World({"submission-fix-lines": "true"}) as w:
        line = Line(w.host, "submission", 1)
        for end in ENDS:
            assert line.ask(b"MAIL FROM:<%s>\r\n" %
                            w.host.address(1).encode()) == b"250"
            assert line.ask(b"RCPT TO:<b@remote.test>\r\n") == b"250"
            assert line.ask(b"BDAT %d LAST\r\n" % len(b"A: b\r\n\r\nx" + end)
                            + b"A: b\r\n\r\nx" + end) in (b"250", b"554")
        w.queue_empty()
        for mail in w.sink.mails:
            text = mail[2]
            assert text.count(b"\n") == text.count(b"\r\n") \
                == text.count(b"\r"), text


if __name__ == "__main__":
    pt.main(globals())
