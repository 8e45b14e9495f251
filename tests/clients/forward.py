#!/usr/bin/env python3
"""Mail that goes on to another host (O17), and mail that waits (RFC 4865)."""

import os
import re
import smtplib
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
sys.path.insert(0, os.path.dirname(__file__))
import posthof_test as pt   # noqa: E402
import relay                # noqa: E402

SENDER = "writer@nomx.test"
TEXT = (b"From: <writer@nomx.test>\r\nSubject: %s\r\n"
        b"DKIM-Signature: v=1; b=x\r\n\r\nbody of %s\r\n")


def take_in(host, to, word, sender=SENDER, text=None):
    """By port 25; the replies to RCPT and to the data."""
    with smtplib.SMTP("127.0.0.1", host.port("smtp"), "mx.far.test") as c:
        c.ehlo_or_helo_if_needed()
        assert c.mail(sender)[0] == 250
        code, words = c.rcpt(to)
        if code != 250:
            return code, words
        return c.data(text or TEXT % (word, word))


def count(host, n, folder="INBOX"):
    c = host.imap(n)
    have = int(c.select(folder, readonly=True)[1][0])
    c.logout()
    return have


def test_forward_with_copy():
    with relay.World() as w:
        host = w.host
        there = f"away@{pt.DOMAIN}"
        host.admin("address", "add", there, "--to", host.user(2),
                   "--to", "me@remote.test")
        assert take_in(host, there, b"one")[0] == 250
        sender, rcpts, text, _ = w.mails(1)[0]
        assert rcpts == ["me@remote.test"], rcpts
        assert re.fullmatch(r"SRS0=[A-Z2-7]{6}=[A-Z2-7]{2}=nomx\.test=writer@"
                            + re.escape(pt.DOMAIN), sender), sender
        # As it was written, for signatures; above it what happened here.
        assert text.endswith(TEXT % (b"one", b"one")), text
        assert f"\r\nDelivered-To: {there}\r\n".encode() in text, text
        assert count(host, 2) == 1
        # What comes back is not sent round again.
        code, words = take_in(host, there, b"one", text=text)
        assert code == 250, words              # account 2 gets it
        host.admin("address", "set", there, "--to", "me@remote.test")
        code, words = take_in(host, there, b"one", text=text)
        assert code == 554 and b"5.4.6" in words, (code, words)
        # Junk stays here.
        code, words = take_in(host, there, b"junk", text=b"X-Spam-Flag: YES"
                              b"\r\n" + TEXT % (b"two", b"two"))
        assert code == 554, (code, words)
        w.queue_empty()
        assert len(w.sink.mails) == 1
        # A report about it finds the writer, and only reports do.
        assert take_in(host, sender, b"bounce", sender="")[0] == 250
        back = w.mails(2)[1]
        assert back[:2] == ("", [SENDER]), back
        code, words = take_in(host, sender, b"spam")
        assert code == 550 and b"5.7.1" in words, (code, words)
        bad = sender.replace("=nomx", "=noma")
        assert take_in(host, bad, b"forged", sender="")[0] == 550
        assert take_in(host, sender.lower(), b"small", sender="")[0] == 250
        # The null sender stays null; our own people stay themselves.
        assert take_in(host, there, b"three", sender="")[0] == 250
        assert ("", ["me@remote.test"]) in [m[:2] for m in w.mails(4)]
        w.send([there], "four")
        assert w.mails(5)[4][0] == host.address(1)
        w.queue_empty()


def test_forward_refused_is_told_to_the_writer():
    with relay.World() as w:
        there = f"away@{pt.DOMAIN}"
        w.host.admin("address", "add", there, "--to", "me@null.test")
        assert take_in(w.host, there, b"one")[0] == 250
        sender, rcpts, text, _ = w.mails(1)[0]
        assert sender == "" and rcpts == [SENDER], (sender, rcpts)
        assert b"Action: failed" in text and b"me@null.test" in text


def test_hops_are_counted():
    with pt.Host(accounts=1) as host:
        lap = ("Received: from x by mail.posthof.test (Posthof) with ESMTP;\r\n"
               "\tMon, 23 Nov 2026 20:00:00 +0000\r\n").encode()
        body = TEXT % (b"x", b"x")
        assert take_in(host, host.address(1), b"", text=lap * 10
                       + body)[0] == 250
        code, words = take_in(host, host.address(1), b"", text=lap * 11 + body)
        assert code == 554 and b"5.4.6" in words, (code, words)


def test_held_mail_waits_for_its_time():
    with relay.World() as w:
        host = w.host
        to = ["b@remote.test", host.address(2), f"nobody@{pt.DOMAIN}"]
        host.admin("address", "add", f"nobody@{pt.DOMAIN}", "--to",
                   host.user(3))
        w.send(to, "held", ["HOLDFOR=600"])
        rows = host.admin("queue", "list", "--json")
        assert rows.count("scheduled") == 1, rows
        for address in to:
            assert address in rows, rows
        host.admin("address", "del", f"nobody@{pt.DOMAIN}")
        host.restart()
        time.sleep(1.2)
        assert not w.sink.mails and count(host, 2) == 0
        row = re.search(r"Q[0-9A-F]+", rows).group()
        host.admin("queue", "retry", row)
        assert w.mails(1)[0][1] == ["b@remote.test"]
        assert count(host, 2) == 1
        # Whose address has gone meanwhile is reported.
        assert "5.1.1" in relay.one_report(w, "5.1.1")
        w.queue_empty()
        # And by itself, when the time has come.
        w.send(to[:2], "soon", ["HOLDFOR=1"])
        w.mails(2)
        assert count(host, 2) == 2


def test_held_mail_of_the_suspended():
    with relay.World() as w:
        w.send(["b@remote.test"], "held", ["HOLDFOR=1"])
        w.host.admin("account", "suspend", w.host.user(1))
        pt.wait_for("a held row", lambda:
                    "held" in w.host.admin("queue", "list"))
        assert not w.sink.mails
        w.host.admin("account", "resume", w.host.user(1))
        w.host.admin("queue", "release", "--all")
        assert w.mails(1)


if __name__ == "__main__":
    pt.main(globals())
