#!/usr/bin/env python3
"""Programs that log in again and again are answered from memory: everything
that changes meanwhile counts from the next login on."""

import imaplib
import os
import poplib
import smtplib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

REFUSED = (imaplib.IMAP4.error, poplib.error_proto,
           smtplib.SMTPAuthenticationError)


def imap_login(host, user, password):
    c = host.imap()
    c.login(user, password)
    c.logout()


def imap_plain(host, user, password):
    c = host.imap()
    c.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
    assert c.select("INBOX")[0] == "OK"
    c.logout()


def pop3_pass(host, user, password):
    c = host.pop3()
    c.user(user)
    c.pass_(password)
    c.quit()


def smtp_plain(host, user, password):
    c = host.submit()
    c.ehlo()
    c.user, c.password = user, password
    c.auth("PLAIN", c.auth_plain)
    c.quit()


def smtp_login(host, user, password):
    c = host.submit()
    c.ehlo()
    c.user, c.password = user, password
    c.auth("LOGIN", c.auth_login)
    c.quit()


WAYS = (imap_login, imap_plain, pop3_pass, smtp_plain, smtp_login)


def can(host, user, password):
    """How many ways there are in, the same for all of them."""
    good = []
    for way in WAYS:
        try:
            way(host, user, password)
            good.append(True)
        except REFUSED:
            good.append(False)
    assert len(set(good)) == 1, good
    return good[0]


def learn(host, user, password):
    for _ in range(3):
        assert can(host, user, password)


def test_suspended(host):
    n = host.fresh()
    user, word = host.user(n), host.password(n)
    learn(host, user, word)
    host.admin("account", "suspend", user)
    assert not can(host, user, word)
    host.admin("account", "resume", user)
    learn(host, user, word)


def test_another_password(host):
    n = host.fresh()
    user, word = host.user(n), host.password(n)
    learn(host, user, word)
    host.admin("account", "passwd", user, "--password-stdin",
               stdin=b"ganz-neues-Wort-4711\n")
    assert not can(host, user, word)
    learn(host, user, "ganz-neues-Wort-4711")


def test_wrong_one_between(host):
    n = host.fresh()
    user, word = host.user(n), host.password(n)
    learn(host, user, word)
    for _ in range(2):
        try:
            pop3_pass(host, user, "falsch")
            assert False
        except REFUSED:
            pass
        learn(host, user, word)


def test_login_lines(host):
    """Each is a line of the log all the same."""
    n = host.fresh()
    user, word = host.user(n), host.password(n)
    for _ in range(5):
        pop3_pass(host, user, word)
    mark = f" login service=pop3 account={user} login=\"{user}\" "
    pt.wait_for("the lines", lambda: host.log().count(mark) == 5)


def pop3_sees(host, user, word):
    c = host.pop3()
    c.user(user)
    c.pass_(word)
    found = c.stat()
    assert len(c.uidl()[1]) == found[0]
    c.quit()
    return found


def test_maildrop_is_the_present_one(host):
    n = host.fresh()
    user, word = host.user(n), host.password(n)
    last = (0, 0)
    for i in range(12):
        for _ in range(3):
            assert pop3_sees(host, user, word) == last
        host.deliver(n, b"Subject: %d\r\n\r\nHello\r\n" % i)
        now = pop3_sees(host, user, word)
        assert now[0] == i + 1 and now[1] > last[1]
        last = now
    c = host.imap(n)
    c.select("INBOX")
    c.store("1:3", "+FLAGS", r"\Deleted")
    c.expunge()
    assert pop3_sees(host, user, word)[0] == 9
    c.logout()


def test_folder_renamed(host):
    n = host.fresh()
    user, word = host.user(n), host.password(n)
    c = host.imap(n)
    c.create("Eins")
    c.append("Eins", None, None, b"Subject: x\r\n\r\nHello\r\n")
    for _ in range(4):
        assert pop3_sees(host, user + "+Eins", word)[0] == 1
    c.rename("Eins", "Zwei")
    c.create("Eins")
    assert pop3_sees(host, user + "+Eins", word)[0] == 0
    assert pop3_sees(host, user + "+Zwei", word)[0] == 1
    c.delete("Eins")
    try:
        pop3_sees(host, user + "+Eins", word)
        assert False
    except poplib.error_proto as e:
        assert b"no such folder" in e.args[0]
    c.logout()


if __name__ == "__main__":
    pt.main(globals())
