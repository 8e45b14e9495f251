#!/usr/bin/env python3
"""What an account may send, and what is remembered of it (O5, O11, U7)."""

import imaplib
import json
import os
import re
import smtplib
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
sys.path.insert(0, os.path.dirname(__file__))
import posthof_test as pt   # noqa: E402


def mail(host, n, word, body=b"text"):
    return (b"From: <%s>\r\nSubject: %s\r\nMessage-ID: <%s@client.test>\r\n"
            b"\r\n%s\r\n" % (host.address(n).encode(), word, word, body))


def send(host, n, to, word, body=b"text", sender=None, text=None):
    """The reply to the data, or to the first command that failed."""
    c = host.submit(n)
    try:
        reply = c.mail(sender or host.address(n))
        if reply[0] != 250:
            return reply
        for address in to:
            reply = c.rcpt(address)
            if reply[0] != 250:
                return reply
        return c.data(text or mail(host, n, word, body))
    finally:
        c.close()


def boxes(host, n, folder):
    c = host.imap(n)
    count = int(c.select(folder)[1][0])
    got = [(c.fetch(str(i), "(UID FLAGS)")[1][0].decode(),
            c.fetch(str(i), "(BODY.PEEK[])")[1][0][1])
           for i in range(1, count + 1)]
    c.logout()
    return got


def test_messages_an_hour():
    with pt.Host(accounts=3) as host:
        host.admin("account", "set", host.user(2), "--messages-per-hour", "3")
        for i in range(3):
            assert send(host, 2, [host.address(3)], b"m%d" % i)[0] == 250
        code, words = send(host, 2, [host.address(3)], b"m3")
        words = words.decode()
        assert code == 450 and "4.7.1" in words, (code, words)
        # Which limit, how much, until when; in both languages.
        assert re.search(r"web100p2 may have 3 messages an hour and has had "
                         r"3; this message can go at \d\d:\d\d", words), words
        assert re.search(r"darf 3 Nachrichten in einer Stunde", words), words
        assert len(boxes(host, 3, "INBOX")) == 3
        # The postmaster is told, once.
        send(host, 2, [host.address(3)], b"m4")
        told = [t for _, t in boxes(host, 1, "INBOX") if b"limit of" in t]
        assert len(told) == 1 and b"account passwd web100p2" in told[0], told
        # Others are not held up, and the limit is raised in passing.
        assert send(host, 1, [host.address(3)], b"o1")[0] == 250
        host.admin("account", "set", host.user(2), "--messages-per-hour", "4")
        assert send(host, 2, [host.address(3)], b"m3")[0] == 250
        assert send(host, 2, [host.address(3)], b"m4")[0] == 450
        host.admin("account", "set", host.user(2), "--messages-per-hour", "0")
        assert send(host, 2, [host.address(3)], b"m4")[0] == 250
        # It outlives a restart.
        host.admin("account", "set", host.user(2), "--messages-per-hour", "4")
        host.restart()
        assert send(host, 2, [host.address(3)], b"m5")[0] == 450
        assert "4 of 4 messages/h" in host.admin(
            "account", "show", host.user(2))


def test_of_the_host():
    """What the configuration says comes with a reload, for those too whose
    limits are remembered."""
    with pt.Host(accounts=2) as host:
        assert send(host, 1, [host.address(2)], b"a")[0] == 250
        host.set_conf({"messages-per-hour": 1})
        host.admin("reload")
        pt.wait_for("the limit", lambda: send(
            host, 1, [host.address(2)], b"b")[0] == 450)


def test_recipients():
    with pt.Host(accounts=8) as host:
        host.admin("account", "set", host.user(1), "--recipients-per-hour",
                   "5", "--recipients-per-message", "4")
        all_of_them = [host.address(n) for n in range(2, 9)]
        code, words = send(host, 1, all_of_them, b"a")
        assert code == 452 and b"at most 4 recipients" in words, words
        # Who asks again after the login is told (RFC 9422 3).
        c = host.submit(1)
        c.ehlo()
        assert c.esmtp_features["limits"] == "RCPTMAX=4", c.esmtp_features
        c.close()
        assert send(host, 1, all_of_them[:4], b"b")[0] == 250
        # Never half of it (U7).
        code, words = send(host, 1, all_of_them[:2], b"c")
        assert code == 450 and b"5 recipients an hour" in words, words
        assert len(boxes(host, 2, "INBOX")) == 1
        assert send(host, 1, all_of_them[:1], b"d")[0] == 250
        # More than ever fits is no "later".
        host.admin("account", "set", host.user(2), "--recipients-per-hour",
                   "2")
        code, words = send(host, 2, all_of_them, b"e")
        assert code == 550 and b"5.5.3" in words, (code, words)


def test_domains_packages_and_new_recipients():
    with pt.Host(accounts=6) as host:
        host.admin("domain", "set", pt.DOMAIN, "--messages-per-hour", "2")
        assert send(host, 1, [host.address(3)], b"a")[0] == 250
        assert send(host, 2, [host.address(3)], b"b")[0] == 250
        code, words = send(host, 1, [host.address(3)], b"c")
        assert code == 450 and b"posthof.test may have 2" in words, words
        host.admin("domain", "set", pt.DOMAIN, "--messages-per-hour", "0")
        host.admin("package", "set", pt.PACKAGE, "--messages-per-hour", "1")
        assert send(host, 1, [host.address(3)], b"c")[0] == 250
        code, words = send(host, 2, [host.address(3)], b"d")
        assert code == 450 and b"web100 may have 1" in words, words
        host.admin("package", "set", pt.PACKAGE, "--messages-per-hour", "0",
                   "--new-recipients-per-day", "2")
        assert send(host, 1, [host.address(n) for n in (3, 4)], b"e")[0] == 250
        code, words = send(host, 1, [host.address(5)], b"f")
        assert code == 450 and b"2 new recipients a day" in words, words
        # Old friends do not count.
        assert send(host, 1, [host.address(4)], b"g")[0] == 250


def test_limits_are_exact():
    with pt.Host(accounts=2, conf={"messages-per-hour": 20}) as host:
        codes = []

        def run(k):
            for i in range(6):
                codes.append(send(host, 1, [host.address(2)],
                                  b"t%d-%d" % (k, i))[0])
        threads = [threading.Thread(target=run, args=(k,)) for k in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert codes.count(250) == 20 and codes.count(450) == 28, codes
        assert len(boxes(host, 2, "INBOX")) == 20


def test_limits_outlive_kills():
    """What came in is what is counted: one transaction does both."""
    with pt.Host(accounts=2) as host:
        host.admin("account", "set", host.user(1), "--messages-per-hour", "40")
        host.expect_restarts = True
        full = threading.Event()
        good = []

        def run(k):
            for i in range(200):
                try:
                    code = send(host, 1, [host.address(2)],
                                b"k%d-%d" % (k, i))[0]
                except (OSError, smtplib.SMTPException):
                    continue
                if code == 250:
                    good.append(code)
                if code == 450:
                    full.set()
                if full.is_set():
                    return
        threads = [threading.Thread(target=run, args=(k,)) for k in range(6)]
        for t in threads:
            t.start()
        for n in (8, 25):
            pt.wait_for(f"{n} mails", lambda: len(good) >= n or full.is_set())
            if host.children().get("submitd"):
                host.kill("submitd")
        for t in threads:
            t.join()

        def filed():
            try:
                return len(boxes(host, 2, "INBOX")) == 40
            except (OSError, imaplib.IMAP4.abort):
                return False    # on its way back up
        pt.wait_for("the host", filed)
        assert "40 of 40 messages/h" in host.admin(
            "account", "show", host.user(1))


def test_refused_is_recorded():
    """Who tried to relay or to be one of us; bounded, whoever comes."""
    with pt.Host(accounts=2, conf={"own-sender": "reject"}) as host:
        c = host.smtp()
        c.ehlo()
        assert c.mail("a@example.net")[0] == 250
        assert c.rcpt("x@example.org")[0] == 550
        c.rset()
        assert c.mail(host.address(1))[0] == 550
        c.mail('"=ip=9"@example.net')
        for i in range(4):
            c.rcpt(f"x{i}@example.org")
        c.close()
        rows = json.loads(host.admin("refused", "--json"))
        got = [r["details"] for r in rows]
        # A minute may have turned meanwhile.
        assert 3 <= len(got) <= 6, rows
        assert {r["result"] for r in rows} == {"refused"}
        assert got[-1]["why"] == "relay" and got[-1]["ip"] == "127.0.0.1"
        assert (got[-1]["from"], got[-1]["to"]) == (
            "a@example.net", "x@example.org"), got
        assert got[-2]["why"] == "own-sender"
        assert got[-2]["from"] == host.address(1), got
        # An account's own refusals are told apart.
        host.admin("account", "set", host.user(1), "--messages-per-hour", "1")
        for w in (b"a", b"b"):
            send(host, 1, [host.address(2)], w)
        own = json.loads(host.admin("refused", host.user(1), "--json"))
        assert len(own) == 1 and "messages an hour" in own[0]["text"], own


def test_exceptions_of_the_sender():
    with pt.Host(accounts=3) as host:
        code, words = send(host, 1, [host.address(2)], b"a",
                           sender="news@list.test")
        assert code == 553 and b"web100p1 may not" in words, words
        assert b"darf diese Absenderadresse" in words, words
        host.admin("account", "set", host.user(1), "--send-as",
                   "news@list.test", "--send-as", "@wide.test")
        text = mail(host, 1, b"b").replace(host.address(1).encode(),
                                           b"any@wide.test")
        assert send(host, 1, [host.address(2)], b"b", sender="news@list.test",
                    text=text)[0] == 250
        assert send(host, 1, [host.address(2)], b"b", sender="a@list.test")[
            0] == 553
        assert send(host, 2, [host.address(3)], b"b",
                    sender="news@list.test")[0] == 553
        # What is remembered of whose addresses these are is about the account
        # alone, and forgotten when the command is done.
        alias = "second@" + pt.DOMAIN
        host.admin("address", "add", alias, "--to", host.user(1))
        for w in (b"c", b"d"):
            assert send(host, 1, [host.address(2)], w, sender=alias)[0] == 250
        assert send(host, 2, [host.address(3)], b"c", sender=alias)[0] == 553
        host.admin("address", "del", alias)
        assert send(host, 1, [host.address(2)], b"e", sender=alias)[0] == 553
        host.admin("account", "set", host.user(1), "--send-as", "none")
        assert send(host, 1, [host.address(2)], b"b",
                    sender="news@list.test")[0] == 553


def test_sent_copy():
    with pt.Host(accounts=3) as host:
        host.admin("account", "set", host.user(1), "--sent-copy", "on")
        text = mail(host, 1, b"copy").replace(
            b"\r\n\r\n", b"\r\nBcc: <" + host.address(3).encode()
            + b">\r\n\r\n", 1)
        assert send(host, 1, [host.address(2), host.address(3)], b"copy",
                    text=text)[0] == 250
        (flags, sent), = boxes(host, 1, "Sent")
        assert "\\Seen" in flags and "$Delivered" in flags, flags
        # Only the writer sees who got it on the quiet.
        assert sent.startswith(b"Bcc: <" + host.address(3).encode()), sent
        for n in (2, 3):
            (_, got), = boxes(host, n, "INBOX")
            assert b"Bcc" not in got
        # The program's own copy is that one.
        c = host.imap(1)
        done = c.append("Sent", "(\\Seen \\Answered)", None, text)[1][0]
        uid = re.search(r"UID (\d+)", flags).group(1).encode()
        assert re.search(rb"APPENDUID \d+ " + uid + rb"\]", done), done
        assert c.append("Drafts", "", None, text)[0] == "OK"
        (flags, _), = boxes(host, 1, "Sent")
        assert "\\Answered" in flags
        # Another message is another copy; so is one that was thrown away.
        assert c.append("Sent", "", None, mail(host, 1, b"other"))[0] == "OK"
        c.select("Sent")
        c.store("1", "+FLAGS", "\\Deleted")
        c.expunge()
        assert c.append("Sent", "", None, text)[0] == "OK"
        assert len(boxes(host, 1, "Sent")) == 2
        c.logout()
        # No room for the copy is no reason not to send.
        host.admin("account", "set", host.user(1), "--messages", "3")
        assert send(host, 1, [host.address(2)], b"full")[0] == 250
        assert len(boxes(host, 1, "Sent")) == 2


def test_said_twice_sent_once():
    with pt.Host(accounts=3) as host:
        first = send(host, 1, [host.address(2)], b"same")
        again = send(host, 1, [host.address(2)], b"same")
        assert first[0] == 250 and again == first, (first, again)
        assert len(boxes(host, 2, "INBOX")) == 1
        # Another body, another recipient, another sender are other mails.
        assert send(host, 1, [host.address(2)], b"same", b"new")[0] == 250
        assert send(host, 1, [host.address(3)], b"same")[0] == 250
        assert send(host, 3, [host.address(2)], b"same")[0] == 250
        assert len(boxes(host, 2, "INBOX")) == 3
        # At the same moment, and after a restart.
        replies = []

        def run():
            replies.append(send(host, 1, [host.address(3)], b"race"))
        threads = [threading.Thread(target=run) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(set(replies)) == 1 and replies[0][0] == 250, replies
        host.restart()
        assert send(host, 1, [host.address(3)], b"race") == replies[0]
        assert len(boxes(host, 3, "INBOX")) == 2
        # Without a Message-ID nobody knows that it is the same.
        bare = b"From: <%s>\r\n\r\nx\r\n" % host.address(1).encode()
        for _ in range(2):
            assert send(host, 1, [host.address(2)], b"", text=bare)[0] == 250
        assert len(boxes(host, 2, "INBOX")) == 5


if __name__ == "__main__":
    pt.main(globals())
