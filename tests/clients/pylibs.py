#!/usr/bin/env python3
"""Python's imaplib, poplib and smtplib: a mailbox's ordinary day."""

import os
import poplib
import smtplib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

MESSAGE = (b"From: A <a@example.net>\r\nTo: b@posthof.test\r\n"
           b"Subject: %s\r\nMessage-ID: <%s@example.net>\r\n\r\n"
           b"Hello.\r\n.dot\r\n")


def message(word):
    return MESSAGE % (word.encode(), word.encode())


def ok(answer):
    if answer[0] != "OK":
        raise pt.Failure(f"{answer}")
    return answer[1]


def test_append_fetch_flags_expunge(host):
    n = host.fresh()
    c = host.imap(n)
    ok(c.append("INBOX", r"(\Seen)", None, message("one")))
    ok(c.append("INBOX", None, None, message("two")))
    assert ok(c.select("INBOX")) == [b"2"]
    assert ok(c.search(None, "SEEN")) == [b"1"]
    data = ok(c.fetch("1", "(FLAGS BODY.PEEK[])"))
    assert data[0][1] == message("one"), data
    assert b"\\Seen" in data[0][0] + data[1], data
    ok(c.store("2", "+FLAGS", r"(\Deleted \Flagged)"))
    assert ok(c.expunge()) == [b"2"]
    assert ok(c.search(None, "ALL")) == [b"1"]
    c.logout()


def test_folders(host):
    n = host.fresh()
    c = host.imap(n)
    for name in ("Ablage", "Ablage/2024", "INBOX/Unter"):
        ok(c.create(name))
    ok(c.subscribe("Ablage/2024"))
    listed = b"\n".join(ok(c.list()))
    assert b"Ablage/2024" in listed, listed
    assert b"Ablage/2024" in b"\n".join(ok(c.lsub()))
    ok(c.rename("Ablage", "Alt"))
    listed = b"\n".join(ok(c.list()))
    assert b"Alt/2024" in listed and b"Ablage" not in listed, listed
    ok(c.delete("Alt/2024"))
    assert c.select("Alt/2024")[0] == "NO"
    c.logout()


def test_copy_move_uid(host):
    n = host.fresh()
    c = host.imap(n)
    ok(c.create("Ziel"))
    for i in range(5):
        ok(c.append("INBOX", None, None, message(f"m{i}")))
    ok(c.select("INBOX"))
    ok(c.uid("COPY", "1:2", "Ziel"))
    ok(c.uid("STORE", "1:2", "+FLAGS.SILENT", r"(\Deleted)"))
    ok(c.uid("EXPUNGE", "1"))
    assert ok(c.uid("SEARCH", "ALL")) == [b"2 3 4 5"]
    assert ok(c.select("Ziel")) == [b"2"]
    c.logout()


def test_delivery_is_seen(host):
    n = host.fresh()
    c = host.imap(n)
    ok(c.select("INBOX"))
    host.deliver(n, message("new"))

    def arrived():
        ok(c.noop())
        return ok(c.search(None, "ALL")) == [b"1"]
    pt.wait_for("the delivered message", arrived)
    c.logout()


def test_pop3(host):
    n = host.fresh()
    for word in ("eins", "zwei", "drei"):
        host.deliver(n, message(word))
    c = host.pop3(n)
    assert c.stat()[0] == 3
    uidl = c.uidl()[1]
    assert len({line.split()[1] for line in uidl}) == 3
    lines = c.retr(2)[1]
    assert b"Subject: zwei" in lines and b".dot" in lines, lines
    assert b"Subject: drei" in c.top(3, 0)[1]
    c.dele(1)
    c.rset()
    c.dele(2)
    c.quit()
    c = host.pop3(n)
    assert [line.split()[1] for line in c.uidl()[1]] == \
        [line.split()[1] for i, line in enumerate(uidl) if i != 1]
    c.quit()


def test_submit_to_a_neighbour(host):
    a, b = host.fresh(), host.fresh()
    c = host.submit(a)
    assert c.sendmail(host.address(a), [host.address(b)],
                      message("post").replace(b"a@example.net",
                                              host.address(a).encode())) == {}
    c.quit()
    i = host.imap(b)
    pt.wait_for("the message", lambda: ok(i.select("INBOX")) == [b"1"])
    got = ok(i.fetch("1", "(BODY.PEEK[])"))[0][1]
    assert b"\r\n.dot\r\n" in got and b"Received: " in got, got
    i.logout()


def test_mx_takes_mail_for_us_only(host):
    n = host.fresh()
    c = host.smtp()
    c.sendmail("x@example.net", [host.address(n)], message("mx"))
    try:
        c.sendmail("x@example.net", ["y@example.org"], message("relay"))
        raise pt.Failure("an open relay")
    except smtplib.SMTPRecipientsRefused as e:
        code, text = e.recipients["y@example.org"]
        assert 500 <= code < 600, (code, text)
    c.quit()
    assert host.pop3(n).stat()[0] == 1


def test_wrong_passwords(host):
    n = host.fresh()
    c = host.imap()
    try:
        c.login(host.user(n), "wrong")
        raise pt.Failure("a wrong password is right")
    except c.error:
        pass
    try:
        p = host.pop3()
        p.user(host.user(n))
        p.pass_("wrong")
        raise pt.Failure("a wrong password is right")
    except poplib.error_proto:
        pass
    try:
        host.submit().login(host.user(n), "wrong")
        raise pt.Failure("a wrong password is right")
    except smtplib.SMTPAuthenticationError as e:
        assert e.smtp_code == 535, e


if __name__ == "__main__":
    pt.main(globals())
