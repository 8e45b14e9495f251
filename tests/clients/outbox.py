#!/usr/bin/env python3
"""Mail that waits can be called back, and Sent shows what became of it."""

import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
sys.path.insert(0, os.path.dirname(__file__))
import posthof_test as pt   # noqa: E402
import relay                # noqa: E402


def world(undo="2s", **conf):
    w = relay.World(conf)
    w.host.admin("account", "set", w.host.user(1), "--sent-copy", "on",
                 "--outbox", "on", "--undo", undo)
    return w


def look(host, n, folder):
    """The FLAGS of every message of a folder."""
    c = host.imap(n)
    count = int(c.select(folder, readonly=True)[1][0])
    got = [c.fetch(str(i), "(FLAGS)")[1][0].decode()
           for i in range(1, count + 1)]
    c.logout()
    return got


def rows(w):
    return w.host.admin("queue", "list", "--json")


def test_goes_by_itself():
    with world("1s") as w:
        w.send(["b@remote.test", w.host.address(2)], "one")
        assert len(look(w.host, 1, "Outbox")) == 1
        assert len(look(w.host, 2, "INBOX")) == 0
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
        assert w.mails(1)


def test_flagged_is_held():
    with world("4s") as w:
        w.send(["b@remote.test"], "one")
        c = w.host.imap(1)
        c.select("Outbox")
        c.store("1", "+FLAGS", "\\Flagged")
        time.sleep(5)
        assert not w.sink.mails and "scheduled" in rows(w), (
            w.sink.mails, rows(w))
        w.host.restart()
        time.sleep(0.5)
        assert not w.sink.mails
        c = w.host.imap(1)
        c.select("Outbox")
        c.store("1", "-FLAGS", "\\Flagged")
        c.logout()
        assert w.mails(1)


def test_bounced_and_deferred_show():
    with world("0s") as w:
        w.send(["b@null.test"], "never")
        pt.wait_for("$Bounced", lambda:
                    "$Bounced" in look(w.host, 1, "Sent")[0])
        w.send(["b@remote.test", "b@null.test"], "half")
        pt.wait_for("$Bounced", lambda:
                    "$Bounced" in look(w.host, 1, "Sent")[1])
    with relay.World({"queue-retry-first": '"2s"'}) as w:
        w.sink.answers["RCPT"] = ["451 4.2.0 later"]
        w.host.admin("account", "set", w.host.user(1), "--sent-copy", "on")
        w.send(["b@remote.test"], "late")
        pt.wait_for("$Deferred", lambda:
                    "$Deferred" in look(w.host, 1, "Sent")[0])
        w.mails(1)
        pt.wait_for("$Delivered", lambda:
                    "$Delivered" in look(w.host, 1, "Sent")[0])
        assert "$Deferred" not in look(w.host, 1, "Sent")[0]


def test_only_whoever_wants_it():
    with relay.World() as w:
        w.send([w.host.address(2)], "now")
        assert len(look(w.host, 2, "INBOX")) == 1
        c = w.host.imap(1)
        assert c.select("Outbox")[0] == "NO"
        c.logout()


if __name__ == "__main__":
    pt.main(globals())
