#!/usr/bin/env python3
"""What imapd answers without the messages: their segments are taken away, and
everything but bodies is told as before."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

MAIL = (b"Return-Path: <a@example.net>\r\n"
        b"From: =?utf-8?q?J=C3=BCrgen?= <j%d@example.net>\r\n"
        b"To: You <you@example.org>\r\nSubject: number %d\r\n"
        b"Date: %d May 2021 10:00:00 +0200\r\nMessage-ID: <%d@x>\r\n"
        b"References: <%d@x>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\nhello, preview %d\r\n--b\r\n"
        b"Content-Type: image/png; name=p.png\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n")
COUNT = 40
FROM_THE_INDEX = (
    "FETCH 1:* (FLAGS UID INTERNALDATE RFC822.SIZE)",
    "FETCH 1:* (ENVELOPE)", "FETCH 1:* (BODYSTRUCTURE)", "FETCH 1:* (BODY)",
    "FETCH 1:* ALL", "FETCH 1:* FULL", "FETCH 1:* (PREVIEW)",
    "FETCH 1:* (EMAILID THREADID SAVEDATE MODSEQ)",
    "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM TO CC SUBJECT DATE "
    "MESSAGE-ID REFERENCES CONTENT-TYPE)])",
    "SEARCH UNSEEN", "SEARCH SINCE 1-Jan-2020", "SEARCH SENTON 7-May-2021",
    "SEARCH LARGER 10", "SEARCH UID 3:9", "SEARCH FROM example.net",
    "SEARCH SUBJECT 7", "SEARCH HEADER MESSAGE-ID 7",
    "SEARCH HEADER CONTENT-TYPE mixed",
    "SORT (DATE) UTF-8 ALL", "SORT (SUBJECT) UTF-8 ALL",
    "SORT (FROM TO CC ARRIVAL SIZE) UTF-8 ALL",
    "SORT (DISPLAYFROM DISPLAYTO) UTF-8 ALL",
    "THREAD REFERENCES UTF-8 ALL", "THREAD ORDEREDSUBJECT UTF-8 ALL",
    "STATUS INBOX (MESSAGES UNSEEN SIZE)",
)


def ask(c, command):
    """Tagged answer and untagged lines, literals among them."""
    c.send(b"q1 " + command.encode() + b"\r\n")
    lines = []
    while not (line := c.readline()).startswith(b"q1 "):
        lines.append(line)
    return line, lines


def move(host, away):
    """Takes the segments away, or puts them back."""
    mail = os.path.join(host.state, "mail")
    there = os.path.join(host.dir, "away")
    os.makedirs(there, exist_ok=True)
    old, new = (mail, there) if away else (there, mail)
    names = [n for n in os.listdir(old) if n.endswith(".seg")]
    if not names:
        raise pt.Failure("no segments")
    for name in names:
        os.rename(os.path.join(old, name), os.path.join(new, name))


def opened(host):
    c = host.imap(1)
    c.enable("CONDSTORE")
    c.select("INBOX", readonly=True)     # claims no Recent
    return c


def test_without_segments():
    with pt.Host(1) as host:
        c = host.imap(1)
        for i in range(COUNT):
            c.append("INBOX", "", None, MAIL % (
                i, i, i % 28 + 1, i, i // 2, i))
        # A process that has not read any of it and has no file open.
        host.restart()
        move(host, True)
        without = [ask(opened(host), q) for q in FROM_THE_INDEX]
        line, _ = ask(opened(host), "FETCH 1 BODY.PEEK[]")
        if line.startswith(b"q1 OK"):
            raise pt.Failure("the segments were not away")
        move(host, False)
        host.restart()
        c = opened(host)
        for q, got in zip(FROM_THE_INDEX, without):
            want = ask(c, q)
            if not want[0].startswith(b"q1 OK") or not want[1]:
                raise pt.Failure(f"{q}: {want}")
            if got != want:
                raise pt.Failure(f"{q}\nwithout: {got}\nwith: {want}")
        _, lines = ask(c, "FETCH 1 BODY.PEEK[]")
        if b"Subject: number 0\r\n" not in lines:
            raise pt.Failure(f"the body: {lines}")


if __name__ == "__main__":
    pt.main(globals())
