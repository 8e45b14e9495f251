#!/usr/bin/env python3
"""`posthof folder doubles`: "Gesendet" beside Sent is reported and merged, by
the daemons' rules, while sessions look on (CLIENTS U2)."""

import imaplib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402


def append(c, folder, subject, flags="", date='"01-May-2019 10:00:00 +0200"'):
    kind, data = c.append(folder, flags, date,
                          b"Subject: %s\r\n\r\ntext\r\n" % subject.encode())
    assert kind == "OK", data


def doubles(host, *words):
    return json.loads(host.admin("folder", "doubles", *words, "--json"))


def folders(c, verb="list"):
    """name -> attributes"""
    found = {}
    for line in getattr(c, verb)()[1]:
        if line is None:
            continue
        attributes, name = line.decode().split(') "/" ')
        found[name.strip('"')] = attributes.strip("(").split()
    return found


def listed(c, folder):
    c.select(folder, readonly=True)
    lines = c.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS "
                           "(SUBJECT)])")[1]
    return [(x[1].split()[1].decode(), x[0].decode()) for x in lines
            if isinstance(x, tuple)]


def ended(c):
    try:
        c.noop()
        return False
    except imaplib.IMAP4.abort:
        return True


def test_merge(host):
    n = host.fresh()
    user = host.user(n)
    c = host.imap(n)
    assert doubles(host, user) == []
    for name in ("Gesendet", '"Gesendete Objekte"', "Gesendet/2019",
                 "Papierkorb", "Kunden/Archiv", "Sonstiges"):
        assert c.create(name)[0] == "OK"
    c.subscribe("Gesendet")
    c.unsubscribe("Trash")
    c.subscribe("Papierkorb")
    append(c, "Sent", "alt")
    append(c, "Gesendet", "eins", r"(\Seen \Flagged Wichtig)")
    append(c, "Gesendet", "zwei")
    append(c, '"Gesendete Objekte"', "drei", r"(\Answered)")
    append(c, "Gesendet/2019", "vier")
    want = [("sent", "Gesendet", "Sent", 2), ("sent", "Gesendete Objekte",
                                              "Sent", 1),
            ("trash", "Papierkorb", "Trash", 0)]
    found = doubles(host, user)
    rows = sorted((r["role"], r["folder"], r["into"], r["messages"])
                  for r in found)
    assert rows == want, found
    assert {r["result"] for r in found} == {"double"}
    assert all(r["account"] == user for r in found)
    assert "Gesendete Objekte" in folders(c)        # nothing has happened
    # Somebody looks at one of them, somebody else at the target.
    watcher, target = host.imap(n), host.imap(n)
    watcher.select("Gesendet")
    target.select("Sent")
    found = doubles(host, user, "--merge")
    assert {r["result"] for r in found} == {"merged"}, found
    assert doubles(host, user) == []
    pt.wait_for("the target's session to see what came", lambda: (
        target.noop() and target.untagged_responses.get(
            "EXISTS", [b""])[-1] == b"4"))
    # As when another session deletes it: BYE (RFC 2180 3).
    pt.wait_for("the session of a folder that is gone to end",
                lambda: ended(watcher))
    names = folders(c)
    assert set(names) == {"INBOX", "Drafts", "Sent", "Junk", "Trash",
                          "Archive", "Sent/2019", "Kunden",
                          "Kunden/Archiv", "Sonstiges"}, names
    assert set(folders(c, "lsub")) == {"INBOX", "Drafts", "Sent", "Junk",
                                       "Trash", "Archive"}
    have = dict(listed(c, "Sent"))
    assert set(have) == {"alt", "eins", "zwei", "drei"}, have
    for flag in (r"\Seen", r"\Flagged", "Wichtig"):
        assert flag in have["eins"], have
    assert r"\Answered" in have["drei"], have
    assert all(" 1-May-2019" in line for line in have.values()), have
    assert [s for s, _ in listed(c, "Sent/2019")] == ["vier"]
    for x in (c, watcher, target):
        x.shutdown()


def test_what_stays(host):
    """Shared folders are not merged; what is below both names stays."""
    n = host.fresh()
    user = host.user(n)
    c = host.imap(n)
    for name in ("Gesendet", "Gesendet/2019", "Sent/2019", "Archiv"):
        c.create(name)
    append(c, "Gesendet", "eins")
    append(c, "Gesendet/2019", "zwei")
    append(c, "Archiv", "drei")
    assert c.setacl("Archiv", "anyone", "lr")[0] == "OK"
    before = {r["folder"]: r["result"] for r in doubles(host, user)}
    assert before == {"Gesendet": "double", "Archiv": "shared"}, before
    after = {r["folder"]: r["result"] for r in doubles(host, user,
                                                       "--merge")}
    assert after["Archiv"].startswith("shared"), after
    assert after["Gesendet"].startswith("kept"), after
    assert [s for s, _ in listed(c, "Sent")] == ["eins"]
    assert [s for s, _ in listed(c, "Gesendet/2019")] == ["zwei"]
    assert [s for s, _ in listed(c, "Archiv")] == ["drei"]
    c.shutdown()


def test_role(host):
    """Nobody has the role: the fullest gets it, and the others' mail."""
    n = host.fresh()
    user = host.user(n)
    c = host.imap(n)
    for name in ("Gesendet", '"Sent Items"'):
        c.create(name)
    append(c, "Gesendet", "eins")
    append(c, '"Sent Items"', "zwei")
    append(c, '"Sent Items"', "drei")
    assert c.delete("Sent")[0] == "OK"
    rows = [(r["folder"], r["into"], r["result"])
            for r in doubles(host, user)]
    assert rows == [("Sent Items", "Sent Items", "nobody has the role"),
                    ("Gesendet", "Sent Items", "double")], rows
    rows = [r["result"] for r in doubles(host, user, "--merge")]
    assert rows == ["has the role", "merged"], rows
    assert "\\Sent" in folders(c)["Sent Items"], folders(c)
    assert {s for s, _ in listed(c, '"Sent Items"')} == {"eins", "zwei",
                                                         "drei"}
    c.shutdown()


def test_all(host):
    """Of every account; and with the host stopped."""
    with pt.Host(accounts=2) as own:
        for n in (1, 2):
            c = own.imap(n)
            c.create("Spam")
            append(c, "Spam", f"spam{n}")
            c.shutdown()
        rows = doubles(own, "--all")
        assert [r["account"] for r in rows] == [own.user(1), own.user(2)]
        for words in ((), ("--all", own.user(1))):
            run = own.admin("folder", "doubles", *words, check=False)
            assert run.returncode == 2, run
        text = own.admin("folder", "doubles", own.user(1))
        assert "BELONGS INTO" in text and "Spam" in text, text
        own.stop()
        rows = doubles(own, "--all", "--merge")
        assert [r["result"] for r in rows] == ["merged"] * 2, rows
        own.start()
        own.wait_ready()
        c = own.imap(2)
        assert [s for s, _ in listed(c, "Junk")] == ["spam2"]
        c.shutdown()
        assert "nothing is wrong" in own.admin("fsck")
    run = host.admin("folder", "doubles", "web999p1", check=False)
    assert run.returncode == 1, run


if __name__ == "__main__":
    pt.main(globals())
