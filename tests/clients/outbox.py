#!/usr/bin/env python3
"""Mail that waits can be called back, and Sent shows what became of it."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
sys.path.insert(0, os.path.dirname(__file__))
import posthof_test as pt   # noqa: E402
import world as outer        # noqa: E402


def world(undo="1h", **conf):
    w = outer.World(conf)
    w.host.admin("account", "set", w.host.user(1), "--sent-copy", "on",
                 "--outbox", "on", "--undo", undo)
    return w


def look(host, n, folder):
    """The FLAGS of every message of a folder."""
    c = host.imap(n)
    ok, words = c.select(folder, readonly=True)
    count = int(words[0]) if ok == "OK" else 0
    got = [c.fetch(str(i), "(FLAGS)")[1][0].decode()
           for i in range(1, count + 1)]
    c.logout()
    return got


def an_hour_later(w):
    w.host.clock_ahead = 3700
    w.host.restart()


def rows(w):
    return w.host.admin("queue", "list", "--json")


def test_goes_by_itself():
    with world() as w:
        w.send(["b@remote.test", w.host.address(2)], "one")
        assert len(look(w.host, 1, "Outbox")) == 1
        assert len(look(w.host, 2, "INBOX")) == 0
        an_hour_later(w)
        assert w.mails(1)[0][1] == ["b@remote.test"]
        pt.wait_for("delivery", lambda: len(look(w.host, 2, "INBOX")) == 1)
        assert look(w.host, 1, "Outbox") == []
        pt.wait_for("$Delivered", lambda:
                    "$Delivered" in look(w.host, 1, "Sent")[0])
        w.queue_empty()


def test_deleted_is_not_sent():
    with world() as w:
        w.send(["b@remote.test", w.host.address(2)], "one")
        c = w.host.imap(1)
        c.select("Outbox")
        c.store("1", "+FLAGS", "\\Deleted")
        c.expunge()
        w.queue_empty()
        pt.wait_for("$Cancelled", lambda:
                    "$Cancelled" in look(w.host, 1, "Sent")[0])
        assert not w.sink.mails and look(w.host, 2, "INBOX") == []
        # Moved away: to be worked on again.
        w.send(["b@remote.test"], "two")
        c.select("Outbox")
        assert c._simple_command("MOVE", "1", "Drafts")[0] == "OK"
        c.logout()
        w.queue_empty()
        assert not w.sink.mails and len(look(w.host, 1, "Drafts")) == 1
        # POP3 has no Outbox; what is not looked at goes.
        w.send(["b@remote.test"], "three")
        an_hour_later(w)
        assert w.mails(1)


def test_flagged_is_held():
    with world() as w:
        w.send(["b@remote.test"], "one")
        c = w.host.imap(1)
        c.select("Outbox")
        c.store("1", "+FLAGS", "\\Flagged")
        c.logout()
        an_hour_later(w)
        time.sleep(0.5)
        assert not w.sink.mails and "scheduled" in rows(w), (
            w.sink.mails, rows(w))
        c = w.host.imap(1)
        c.select("Outbox")
        c.store("1", "-FLAGS", "\\Flagged")
        c.logout()
        w.host.admin("queue", "retry", "--all")
        assert w.mails(1)


def test_bounced_and_deferred_show():
    with world("0s") as w:
        w.send(["b@null.test"], "never")
        pt.wait_for("$Bounced", lambda:
                    "$Bounced" in look(w.host, 1, "Sent")[0])
        w.send(["b@remote.test", "b@null.test"], "half")
        pt.wait_for("$Bounced", lambda:
                    "$Bounced" in look(w.host, 1, "Sent")[1])
    with outer.World({"queue-retry-first": '"2s"'}) as w:
        w.sink.answers["RCPT"] = ["451 4.2.0 later"]
        w.host.admin("account", "set", w.host.user(1), "--sent-copy", "on")
        w.send(["b@remote.test"], "late")
        pt.wait_for("$Deferred", lambda:
                    "$Deferred" in look(w.host, 1, "Sent")[0])
        w.mails(1)
        pt.wait_for("$Delivered", lambda:
                    "$Delivered" in look(w.host, 1, "Sent")[0])
        assert "$Deferred" not in look(w.host, 1, "Sent")[0]


def expunge(host, n, folder):
    c = host.imap(n)
    c.select(folder)
    c.store("1:*", "+FLAGS", "\\Deleted")
    c.expunge()
    c.logout()


def test_more_than_a_row_holds():
    """One entry for all of a mailing, whatever the number of its rows."""
    many = [f"u{i}@remote.test" for i in range(180)]
    with world() as w:
        w.send(many, "called-back")
        assert len(look(w.host, 1, "Outbox")) == 1
        assert rows(w).count("scheduled") == 2
        expunge(w.host, 1, "Outbox")
        w.queue_empty()
        pt.wait_for("$Cancelled", lambda:
                    "$Cancelled" in look(w.host, 1, "Sent")[0])
        assert not w.sink.mails
        w.send(many, "goes")
        an_hour_later(w)
        pt.wait_for("180 recipients", lambda:
                    sum(len(m[1]) for m in w.sink.mails) == 180)
        w.queue_empty()
        assert look(w.host, 1, "Outbox") == []
        pt.wait_for("$Delivered", lambda:
                    "$Delivered" in look(w.host, 1, "Sent")[1])


def test_deferred_lies_in_outbox():
    with outer.World({"queue-retry-first": '"2s"',
                      "queue-retry-max": '"2s"'}) as w:
        w.host.admin("account", "set", w.host.user(1), "--sent-copy", "on",
                     "--outbox", "on")
        w.sink.answers["RCPT"] = ["451 4.2.0 later"]
        w.send(["b@remote.test", "c@nomx.test"], "late")
        pt.wait_for("an entry", lambda: look(w.host, 1, "Outbox"))
        flags, = look(w.host, 1, "Outbox")
        assert "$Deferred" in flags and "\\Seen" in flags, flags
        c = w.host.imap(1)
        c.select("Outbox")
        text = c.fetch("1", "(BODY.PEEK[])")[1][0][1]
        c.logout()
        assert b"Message-ID: <late@client.test>" in text
        # It goes by itself, and the entry with it.
        w.mails(2)
        w.queue_empty()
        assert look(w.host, 1, "Outbox") == []
        pt.wait_for("$Delivered", lambda:
                    "$Delivered" in look(w.host, 1, "Sent")[0])
        assert "$Deferred" not in look(w.host, 1, "Sent")[0]
        # Who has no Outbox sees keywords alone.
        w.sink.answers["RCPT"] = ["451 4.2.0 later"]
        w.host.admin("account", "set", w.host.user(1), "--outbox", "off")
        w.send(["b@remote.test"], "unseen")
        pt.wait_for("$Deferred", lambda:
                    "$Deferred" in look(w.host, 1, "Sent")[1])
        assert look(w.host, 1, "Outbox") == []
        w.mails(3)


def test_deferred_is_called_back():
    """At once, though the next attempt is an hour away; also what belongs to
    other domains."""
    with outer.World({"queue-retry-first": '"1h"',
                      "queue-retry-max": '"1h"'}) as w:
        w.host.admin("account", "set", w.host.user(1), "--sent-copy", "on",
                     "--outbox", "on")
        w.sink.answers["RCPT"] = ["451 4.2.0 later"] * 3
        w.send(["b@remote.test", "c@nomx.test", w.host.address(2)], "one")
        pt.wait_for("both to wait", lambda: rows(w).count("deferred") == 2)
        assert len(look(w.host, 1, "Outbox")) == 1
        w.host.restart()
        expunge(w.host, 1, "Outbox")
        w.queue_empty()
        assert not w.sink.mails and look(w.host, 1, "INBOX") == []
        assert "$Cancelled" in look(w.host, 1, "Sent")[0]
        # An operator's drop takes the entry along.
        w.send(["b@remote.test"], "two")
        pt.wait_for("an entry", lambda: look(w.host, 1, "Outbox"))
        w.host.admin("queue", "drop", "--sender", w.host.address(1))
        assert look(w.host, 1, "Outbox") == []
        assert "posthof: fsck" not in w.host.log()


def test_deferred_and_flagged():
    with outer.World() as w:
        w.host.admin("account", "set", w.host.user(1), "--outbox", "on")
        w.sink.answers["RCPT"] = ["451 4.2.0 later"] * 1000
        w.send(["b@remote.test"], "one")
        pt.wait_for("an entry", lambda: look(w.host, 1, "Outbox"))
        c = w.host.imap(1)
        c.select("Outbox")
        c.store("1", "+FLAGS", "\\Flagged")
        time.sleep(1)
        tried = sum(x.startswith("RCPT") for x in w.sink.commands)
        time.sleep(1)
        assert tried == sum(x.startswith("RCPT") for x in w.sink.commands)
        w.sink.answers["RCPT"] = []
        c.store("1", "-FLAGS", "\\Flagged")
        c.logout()
        w.mails(1)
        w.queue_empty()
        assert look(w.host, 1, "Outbox") == []


def test_fate_outlives_kills():
    """Rows, keywords and entries are one transaction each time: none is left
    over, wherever the process was killed."""
    n = 12
    with outer.World() as w:
        w.host.expect_restarts = True
        w.host.admin("account", "set", w.host.user(1), "--sent-copy", "on",
                     "--outbox", "on")
        w.sink.answers["RCPT"] = ["451 4.2.0 later"] * 3 * n
        for i in range(n):
            w.send(["b@remote.test", "c@nomx.test"], f"k{i}")
        killed = [0]
        for tries in (n // 2, 2 * n):
            pt.wait_for("attempts", lambda: sum(
                x.startswith("RCPT") for x in w.sink.commands) >= tries)
            pt.wait_for("submitd", lambda: w.host.children().get(
                "submitd", killed) != killed)
            killed = [w.host.kill("submitd")]
        w.mails(2 * n, 60)
        w.queue_empty()
        pt.wait_for("an empty Outbox", lambda:
                    look(w.host, 1, "Outbox") == [])
        sent = look(w.host, 1, "Sent")
        assert len(sent) == n, sent
        for flags in sent:
            assert "$Delivered" in flags and "$Deferred" not in flags, sent


def test_only_whoever_wants_it():
    with outer.World() as w:
        w.send([w.host.address(2)], "now")
        assert len(look(w.host, 2, "INBOX")) == 1
        c = w.host.imap(1)
        assert c.select("Outbox")[0] == "NO"
        c.logout()


if __name__ == "__main__":
    pt.main(globals())
