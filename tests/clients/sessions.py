#!/usr/bin/env python3
"""Sessions: listed, ended, limited, and what a change does to them at once."""

import json
import os
import poplib
import smtplib
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

DOORS = ["imaps", "pop3s", "submissions"]


def sessions(host, *words):
    return json.loads(host.admin("session", "list", *words, "--json"))


def open_three(host, user, password):
    """One session on each daemon."""
    i = host.imap()
    i.login(user, password)
    p = host.pop3()
    p.user(user)
    p.pass_(password)
    s = host.submit()
    s.login(user, password)
    return [i, p, s]


def alive(clients):
    """Which of them still answer."""
    i, p, s = clients
    live = []
    for c, ask in ((i, i.noop), (p, p.noop), (s, s.noop)):
        try:
            got = ask()
            live.append(got[0] in ("OK", 250) or got[:3] == b"+OK")
        except (OSError, EOFError, i.abort, i.error, poplib.error_proto,
                smtplib.SMTPException):
            live.append(False)
    return live


def end_within(host, name, start):
    """The sessions of an account are all gone a second later at most."""
    while sessions(host, "--account", name):
        if time.monotonic() - start > 1 * pt.SLOW:
            raise pt.Failure(f"{name}: sessions live on")
        time.sleep(0.02)


def test_list(host):
    n = host.fresh()
    clients = open_three(host, host.user(n), host.password(n))
    clients[0].xatom("ID", '("name" "Postwurf" "version" "1.2")')
    rows = sessions(host, "--account", host.user(n))
    assert sorted(r["door"] for r in rows) == sorted(DOORS), rows
    for r in rows:
        assert r["account"] == host.user(n), r
        assert r["ip"] == "127.0.0.1" and r["tls"].startswith("TLSv1."), r
        assert r["mech"] and r["since"] and r["package"] == "web100", r
        assert f" {r['id']} " in host.log(), r
    names = {r["door"]: r["client"] for r in rows}
    assert names["imaps"] == "Postwurf 1.2", names
    assert names["submissions"] == "client.test", names
    assert len(sessions(host, "--package", "web100")) >= 3
    # The same for support, later.
    rows = json.loads(host.admin("logins", host.user(n), "--json"))
    seen = {(r["result"], r["details"]["service"],
             r["details"].get("client")) for r in rows}
    assert seen == {("ok", "imap", None), ("program", "imap", "Postwurf 1.2"),
                    ("ok", "pop3", None), ("ok", "smtp", "client.test")}, seen
    for c in clients[1:]:
        c.quit()
    clients[0].logout()
    pt.wait_for("empty boards", lambda: not sessions(
        host, "--account", host.user(n)))


def test_kick(host):
    n = host.fresh(2)
    clients = open_three(host, host.user(n), host.password(n))
    other = open_three(host, host.user(n + 1), host.password(n + 1))
    one = [r["id"] for r in sessions(host, "--account", host.user(n))
           if r["door"] == "pop3s"][0]
    start = time.monotonic()
    assert json.loads(host.admin("session", "kick", one,
                                 "--json")) == {"kicked": 1}
    pt.wait_for("the end of one", lambda: len(
        sessions(host, "--account", host.user(n))) == 2)
    assert alive(clients) == [True, False, True]
    start = time.monotonic()
    host.admin("session", "kick", host.user(n))
    end_within(host, host.user(n), start)
    assert alive(clients) == [False, False, False]
    assert alive(other) == [True, True, True]
    run = host.admin("session", "kick", one, check=False)
    assert run.returncode == 1, run
    assert "reason=kicked" in host.log()


def test_changes_end_sessions(host):
    """What a panel does to an account is felt within a second."""
    n = host.fresh(4)
    user = host.user

    def passwd():
        host.admin("account", "passwd", user(n), "--password-stdin",
                   stdin=b"ganz-neu-4711\n")

    def suspend():
        host.admin("account", "suspend", user(n + 1))

    def delete():
        host.admin("account", "del", user(n + 2))

    app = json.loads(host.admin("app-password", "add", user(n + 3),
                                "--label", "Handy", "--json"))

    def revoke():
        host.admin("app-password", "revoke", user(n + 3), str(app["id"]))

    for i, change in enumerate((passwd, suspend, delete, revoke)):
        secret = app["password"] if i == 3 else host.password(n + i)
        clients = open_three(host, user(n + i), secret)
        start = time.monotonic()
        change()
        while any(alive(clients)):
            if time.monotonic() - start > 2 * pt.SLOW:
                raise pt.Failure(f"{change.__name__}: {alive(clients)}")
    # The main password's own sessions do not end with an app password's.
    app = json.loads(host.admin("app-password", "add", user(n + 3),
                                "--label", "PC", "--json"))
    clients = open_three(host, user(n + 3), host.password(n + 3))
    revoke()
    time.sleep(0.5)
    assert alive(clients) == [True, True, True]


def test_package_suspended():
    """All sessions of a package end, on every daemon; none other does."""
    with pt.Host(accounts=2) as host:
        host.admin("package", "add", "web7")
        made = json.loads(host.admin("account", "add", "web7", "--json"))
        clients = open_three(host, made["account"], made["password"])
        other = open_three(host, host.user(1), host.password(1))
        start = time.monotonic()
        host.admin("package", "suspend", "web7")
        end_within(host, "web7p1", start)
        assert alive(clients) == [False, False, False]
        assert alive(other) == [True, True, True]


def refused(call, *words):
    try:
        call(*words)
    except Exception as e:      # pylint: disable=broad-except
        return str(e)
    raise pt.Failure("was not refused")


def test_limit_per_account():
    """One more than allowed is refused with a reason; others go on."""
    conf = {"sessions-per-account": "2"}
    with pt.Host(accounts=2, conf=conf) as host:
        first = [open_three(host, host.user(1), host.password(1))
                 for _ in range(2)]
        i, p, s = host.imap(), host.pop3(), host.submit()
        text = refused(i.login, host.user(1), host.password(1))
        assert "LIMIT" in text and "too many sessions" in text, text
        p.user(host.user(1))
        text = refused(p.pass_, host.password(1))
        assert "SYS/TEMP" in text and "too many sessions" in text, text
        text = refused(s.login, host.user(1), host.password(1))
        assert "454" in text and "too many sessions" in text, text
        # Refused is not logged in.
        text = refused(s.sendmail, host.address(1), ["x@example.net"], "x")
        assert "530" in text, text
        assert alive(first[0]) == alive(first[1]) == [True, True, True]
        # The same connection may serve another account, and a place that
        # is left is free again.
        i.login(host.user(2), host.password(2))
        first[0][0].logout()
        pt.wait_for("a free place", lambda: len(
            sessions(host, "--account", host.user(1))) == 5)
        host.imap(1)


def test_stopped_and_killed():
    """No ghosts on the board after a crash; none when the host is down."""
    with pt.Host(accounts=1) as host:
        c = host.imap(1)
        assert len(sessions(host)) == 1
        host.kill("imapd")
        pt.wait_for("a new start", lambda: not refused_or_none(host))
        c.shutdown()
        host.stop()
        assert sessions(host) == []
        host.start()


def refused_or_none(host):
    run = host.admin("session", "list", "--json", check=False)
    return run.returncode != 0 or json.loads(run.stdout)


if __name__ == "__main__":
    pt.main(globals())
