#!/usr/bin/env python3
"""What 250 means to who gets the mail, and to the program that files it."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt   # noqa: E402

TEXT = (b"From: <%s>\r\nTo: \"Two, B.\" <%s>\r\nSubject: s\r\n%s"
        b"Message-ID: <%s@client.test>\r\n\r\none\r\ntwo\r\n")


def message(host, word, more=b""):
    return TEXT % (host.address(1).encode(), host.address(2).encode().upper(),
                   more, word)


def submit(host, to, text):
    c = host.submit(1)
    c.sendmail(host.address(1), [host.address(n) for n in to], text)
    c.quit()


def sent(host):
    c = host.imap(1)
    count = int(c.select("Sent", readonly=True)[1][0])
    got = [c.fetch(str(i), "(UID BODY.PEEK[])")[1][0]
           for i in range(1, count + 1)]
    c.logout()
    return [(int(re.search(rb"UID (\d+)", head).group(1)), text)
            for head, text in got]


def file(host, text):
    """The program's own copy, exactly so; the UID that it hears."""
    c = host.imap(1)
    c.send(b"x1 APPEND Sent (\\Seen) {%d+}\r\n%s\r\n" % (len(text), text))
    while True:
        line = c.readline()
        if line.startswith(b"x1 "):
            break
    c.logout()
    return int(re.search(rb"APPENDUID \d+ (\d+)\]", line).group(1))


def test_accepted_is_there():
    """Whoever asks behind the 250 has it; whoever idles is told."""
    with pt.Host(accounts=3) as host:
        asks, idles = host.imap(2), host.imap(2)
        asks.select("INBOX")
        idles.select("INBOX")
        idles.send(b"i1 IDLE\r\n")
        assert idles.readline().startswith(b"+")
        c = host.submit(1)
        for i in range(1, 31):
            c.sendmail(host.address(1), [host.address(2), host.address(3)],
                       message(host, b"m%d" % i))
            asks.noop()
            assert asks.response("EXISTS")[1][-1] == b"%d" % i, i
            while True:
                line = idles.readline()
                assert line.startswith(b"* "), line
                if line == b"* %d EXISTS\r\n" % i:
                    break
        c.quit()
        fresh = host.imap(3)
        assert fresh.select("INBOX")[1] == [b"30"]
        for x in (asks, fresh):
            x.logout()


def test_filed_by_the_program():
    with pt.Host(accounts=4) as host:
        host.admin("account", "set", host.user(1), "--sent-copy", "on")
        text = message(host, b"a")
        submit(host, [2], text)
        (uid, copy), = sent(host)
        assert not copy.startswith(b"Bcc"), copy
        # Other line ends, other bytes behind, other case of the field.
        assert file(host, text) == uid
        assert file(host, text.replace(b"\r\n", b"\n")) == uid
        assert file(host, text.replace(b"Message-ID", b"MESSAGE-id")) == uid
        assert file(host, text + b"signature\r\n") == uid
        assert len(sent(host)) == 1
        # Thunderbird sends without Bcc and files with it.
        text = message(host, b"b")
        submit(host, [2, 3, 4], text)
        uid, copy = sent(host)[1]
        bcc = b"Bcc: <%s>,\r\n\t<%s>\r\n" % (host.address(3).encode(),
                                            host.address(4).encode())
        assert copy.startswith(bcc), copy
        assert file(host, message(host, b"b", bcc)) == uid
        assert file(host, text) == uid
        # Others send it along; nobody else sees it.
        text = message(host, b"c", b"Bcc: <%s>\r\n"
                       % host.address(4).encode())
        submit(host, [2, 4], text)
        uid, copy = sent(host)[2]
        assert copy.startswith(b"Bcc: <%s>\r\n" % host.address(4).encode())
        assert copy.count(b"Bcc") == 1
        assert file(host, text) == uid
        c = host.imap(4)
        c.select("INBOX")
        for i in (b"1", b"2"):
            got = c.fetch(i.decode(), "(BODY.PEEK[])")[1][0][1]
            assert b"Bcc" not in got, got
        c.logout()
        # What is said only in the program's copy is not lost.
        submit(host, [2], message(host, b"d"))
        uid = sent(host)[3][0]
        assert file(host, message(host, b"d", b"Bcc: x@away.test\r\n")) != uid
        assert len(sent(host)) == 5


if __name__ == "__main__":
    pt.main(globals())
