#!/usr/bin/env python3
"""What a hosting panel types: a table of cases, batches, and the undoing."""

import imaplib
import json
import os
import poplib
import smtplib
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

HASH = "{SSHA}QbDJz8VXDo0PWZrFzdQqZ3EHMMhhc2Rm"
FIFTY = [f"--to=p{i}@fern.example" for i in range(50)]

# Words, exit status, error, and what the text says; in this order, each sees
# what those before it did.
CASES = [
    # packages
    ("package add web1", 0, None, ""),
    ("package add web1", 1, "exists", "such a package already"),
    ("package add web01", 1, "invalid", "like web100"),
    ("package add web0", 1, "invalid", "like web100"),
    ("package add web999999999", 1, "invalid", "like web100"),
    ("package add kunde1", 1, "invalid", "like web100"),
    ("package add WEB2 --accounts-max 2 --domains-max 1 --quota 1G "
     "--messages 1000 --sends-per-hour 50", 0, None, ""),
    ("package set web2 --quota 2G", 0, None, ""),
    ("package set web2 --quota 2G", 0, None, ""),
    ("package set web2 --quota zwei", 2, "usage", "a size is 500M"),
    ("package set web2 --messages -1", 2, "usage", "a number from 0"),
    ("package set web404 --quota 1G", 1, "notfound", "package list"),
    ("package show web2", 0, None, ""),
    # domains, by either spelling
    ("domain add kunde.example --package web2", 0, None, ""),
    ("domain add kunde.example --package web2", 1, "exists", "already"),
    ("domain add zwei.example --package web2", 1, "limit", "1 domains"),
    ("domain add müller.example --package web1", 0, None, ""),
    ("domain add xn--mller-kva.example --package web1", 1, "exists", ""),
    ("domain add MÜLLER.example --package web1", 1, "exists", ""),
    ("domain show xn--mller-kva.example", 0, None, ""),
    ("domain show müller.example", 0, None, ""),
    ("domain add x-.example --package web1", 1, "invalid", "no domain name"),
    ("domain add a..b --package web1", 1, "invalid", ""),
    ("domain add x.example --package web404", 1, "notfound", "package"),
    ("domain add x.example", 2, "usage", "--package"),
    # accounts: a name, or the next number
    ("account add web2", 0, None, ""),
    ("account add web2p1", 1, "exists", "such an account already"),
    ("account add web2p7 --address info@kunde.example", 0, None, ""),
    ("account add web2", 1, "limit", "2 accounts already"),
    ("account add web2p01", 1, "invalid", "like web100p1"),
    ("account add web404p1", 1, "notfound", "no such package"),
    ("account add anna", 1, "invalid", "like web100p1"),
    ("account add web1p1 --password-hash geheim", 1, "invalid", "hash"),
    ("account add web1p1 --password-hash $6$ --password-stdin", 2, "usage",
     "exclude"),
    ("account add web1p1 --lang fr", 2, "usage", "de or en"),
    ("account add web1p1 --networks 10.0.0.300", 1, "invalid", "no network"),
    # one record is whole or not at all
    ("account add web1p1 --address a@müller.example --address "
     "info@kunde.example", 1, "exists", "leads elsewhere"),
    ("account show web1p1", 1, "notfound", "account list"),
    ("address show a@müller.example", 1, "notfound", ""),
    ("account add web1p1 --address a@müller.example --address "
     "a@fremd.example", 1, "notfound", "not one of ours"),
    ("account show web1p1", 1, "notfound", ""),
    ("account add web1p1 --address ä@müller.example --password-hash " + HASH,
     0, None, ""),
    ("account set web1p1 --address b@müller.example --lang en", 0, None, ""),
    ("account set web1p1 --address b@müller.example --lang en", 0, None, ""),
    ("account set web1p1 --address info@kunde.example --lang de", 1,
     "exists", "leads elsewhere"),
    ("account show B@XN--MLLER-KVA.example", 0, None, ""),
    # a package's next number was never given before
    ("package set web2 --accounts-max 0", 0, None, ""),
    ("account del web2p7 --now", 0, None, ""),
    ("account add web2", 0, None, ""),
    ("account show web2p8", 0, None, ""),
    ("account show web2p7", 1, "notfound", ""),
    # addresses: aliases, catch-all, forwards
    ("address add verteiler@kunde.example " + " ".join(FIFTY), 0, None, ""),
    ("address add zuviel@kunde.example --to=x@fern.example " +
     " ".join(FIFTY), 1, "invalid", "50 targets"),
    ("address add @kunde.example --to web2p1", 0, None, ""),
    ("address add x@kunde.example --to web2p1 --to web2p1", 1, "invalid",
     "twice"),
    ("address add x@kunde.example --to web404p1", 1, "notfound",
     "no account web404p1"),
    ("address add x@kunde.example", 2, "usage", "--to"),
    ("address set x@kunde.example --to web2p1", 1, "notfound", ""),
    ("address add x@kunde.example --to web2p1 extern@fern.example", 0, None,
     ""),
    ("address set x@kunde.example --to web2p8", 0, None, ""),
    ("address set x@kunde.example --to web2p8", 0, None, ""),
    ("address list --account web2p8", 0, None, ""),
    # what is in use stays
    ("package del web2", 1, "busy", "still has 2 accounts"),
    ("domain del kunde.example", 1, "busy", "still has 3 addresses"),
    ("address del zuviel@kunde.example", 1, "notfound", ""),
    ("address del x@kunde.example", 0, None, ""),
    # passwords for programs
    ("app-password add web1p1 --label Handy --scope imap,smtp --expires 90d",
     0, None, ""),
    ("app-password add web1p1 --label PC --scope ftp", 2, "usage", "imap"),
    ("app-password add web1p1 --label PC --expires gestern", 2, "usage",
     "90d"),
    ("app-password add web1p1", 2, "usage", "--label"),
    ("app-password list web1p1", 0, None, ""),
    ("app-password revoke web1p1 2", 0, None, ""),
    ("app-password revoke web1p1 2", 1, "notfound", ""),
    ("app-password revoke web1p1 1", 1, "invalid", "no id of an app"),
    # suspended, deleted and back
    ("account suspend web2p8 --mail vielleicht", 2, "usage", "accept"),
    ("account suspend web2p8", 0, None, ""),
    ("account suspend web2p8", 0, None, ""),
    ("account resume web2p8", 0, None, ""),
    ("package suspend web2 --mail refuse", 0, None, ""),
    ("package resume web2", 0, None, ""),
    ("account del web2p8", 0, None, ""),
    ("account show web2p8", 1, "notfound", ""),
    ("account add web2p8", 1, "exists", "account undelete"),
    ("account list --deleted", 0, None, ""),
    ("account undelete web2p8", 0, None, ""),
    ("account undelete web2p8", 0, None, ""),
    ("account undelete web2p9", 1, "notfound", "no such deleted"),
    ("account show web2p8", 0, None, ""),
    ("account del web2p8", 0, None, ""),
    ("package set web2 --accounts-max 1", 0, None, ""),
    ("account undelete web2p8", 1, "limit", "1 accounts already"),
    ("account del web2p1", 0, None, ""),
    ("package del web2", 1, "busy", "account del --now"),
    ("account del web2p1 --now", 0, None, ""),
    ("account del web2p8 --now", 0, None, ""),
    ("account del web2p8 --now", 1, "notfound", ""),
]


def words_of(case):
    return case.split(" ")


def test_table():
    """Each case with --json and without: status, error, reason."""
    for as_json in (False, True):
        with pt.Host(accounts=1) as host:
            for case, status, error, says in CASES:
                words = words_of(case) + (["--json"] if as_json else [])
                run = host.admin(*words, check=False)
                text = run.stderr.decode()
                said = run.stdout.decode()
                if run.returncode != status or says not in text:
                    raise pt.Failure(f"{case}: exit {run.returncode}, "
                                     f"{text!r}")
                if status != 0 and (not text.startswith("posthof: ")):
                    raise pt.Failure(f"{case}: {text!r}")
                if not as_json:
                    continue
                answer = json.loads(said)
                if error is not None and answer["error"] != error:
                    raise pt.Failure(f"{case}: {answer}")
                if error is None and "error" in answer:
                    raise pt.Failure(f"{case}: {answer}")
            assert "nothing is wrong" in host.admin("fsck")


def test_every_command_takes_json(host):
    """--json is no usage error anywhere, and the answer is JSON."""
    for words in ("package list", "domain list", "account list",
                  "address list", "queue list", "session list", "fsck",
                  "store status", f"account show {host.user(1)}",
                  f"logins {host.user(1)}", "package set web100 --quota 0",
                  "domain dns posthof.test", "package suspend web404"):
        run = host.admin(*words.split(" "), "--json", check=False)
        if run.returncode == 2:
            raise pt.Failure(f"{words}: {run.stderr!r}")
        if "dns" not in words:
            json.loads(run.stdout)


def test_batch(host):
    """Records are whole or not at all, the rest goes on, and it repeats."""
    batch = "\n".join((
        "# Neukunde", "",
        "package add web40 --quota 5G --accounts-max 3",
        "domain add vierzig.example --package web40",
        f'account add web40p1 --name "Anna B." --address a@vierzig.example '
        f"--password-hash {HASH}",
        f"account add web40p2 --address b@vierzig.example --address "
        f"a@vierzig.example --password-hash {HASH}",
        f"account add web40p2 --address b@vierzig.example --password-hash "
        f"{HASH}",
        "address add team@vierzig.example --to web40p1 web40p2",
        "account suspend web40p2",
        "app-password add web40p1 --label x",
        "serve",
        'account add web40p3 --name "offen')) + "\n"
    want = [(3, "ok"), (4, "ok"), (5, "ok"), (6, "refused"), (7, "ok"),
            (8, "ok"), (9, "ok"), (10, "refused"), (11, "refused"),
            (12, "refused")]
    for _ in range(2):
        run = host.admin("provision", "--json", stdin=batch.encode(),
                         check=False)
        assert run.returncode == 1, run
        rows = json.loads(run.stdout)
        assert [(r["line"], r["status"]) for r in rows] == want, rows
        assert "leads elsewhere" in rows[3]["error"], rows[3]
        assert rows[3]["answer"]["error"] == "exists", rows[3]
        run = host.admin("provision", stdin=batch.encode(), check=False)
        assert run.stderr.decode().startswith("line 6: posthof: account ")
        assert run.stdout.decode().endswith("6 done, 4 refused\n")
        rows = json.loads(host.admin("address", "list", "--domain",
                                     "vierzig.example", "--json"))
        assert {r["address"]: r["targets"] for r in rows} == {
            "a@vierzig.example": ["web40p1"],
            "b@vierzig.example": ["web40p2"],
            "team@vierzig.example": ["web40p1", "web40p2"]}, rows
    made = json.loads(host.admin(
        "provision", "--json", stdin=b"account add web40\n"))[0]["answer"]
    assert made["account"] == "web40p3" and len(made["password"]) == 16, made


def login(host, user, password):
    """What IMAP, POP3 and SMTP say to it."""
    said = []
    i, p, s = host.imap(), host.pop3(), host.submit()
    try:
        said.append(i.login(user, password)[0])
        i.logout()
    except imaplib.IMAP4.error as e:
        said.append(str(e))
    try:
        p.user(user)
        said.append(p.pass_(password)[:3].decode())
        p.quit()
    except poplib.error_proto as e:
        said.append(str(e))
    try:
        said.append(str(s.login(user, password)[0]))
        s.quit()
    except smtplib.SMTPException as e:
        said.append(str(e))
    return said


GOOD = ["OK", "+OK", "235"]


def test_names_for_ever():
    """The account's name and every bound address, in either spelling; the
    name whatever becomes of the domains (CLIENTS O2, W6, U10)."""
    conf = {"auth-fail-delay": "0"}
    with pt.Host(accounts=1, conf=conf) as host:
        host.admin("package", "add", "web7")
        host.admin("domain", "add", "müller.example", "--package", "web7")
        made = json.loads(host.admin(
            "account", "add", "web7p1", "--address", "info@müller.example",
            "--address", "anna@müller.example", "--json"))
        password = made["password"]
        for name in ("web7p1", "WEB7P1", "web7p1 ", "info@müller.example",
                     "anna@xn--mller-kva.example",
                     "Info@XN--MLLER-KVA.Example",
                     "web7p1@müller.example", "web7p1@posthof.test",
                     f"web7p1@mail.{pt.DOMAIN}"):
            said = [login_utf8(host, name, password)]
            assert said == [True], (name, said)
        host.admin("address", "del", "info@müller.example")
        host.admin("address", "del", "anna@müller.example")
        host.admin("domain", "del", "müller.example")
        assert login(host, "web7p1", password) == GOOD
        assert not login_utf8(host, "info@müller.example", password)


def login_utf8(host, name, password):
    """POP3, which takes the bytes as they are."""
    with host.connect("pop3s") as s:
        f = s.makefile("rwb")
        f.readline()
        for line in (f"USER {name}", f"PASS {password}"):
            f.write(line.encode() + b"\r\n")
            f.flush()
            answer = f.readline()
        return answer.startswith(b"+OK")


def lmtp(host, address):
    with smtplib.LMTP(host.lmtp_socket, timeout=30) as c:
        c.ehlo()
        c.mail("x@example.net")
        return c.rcpt(address)[0]


def test_suspended(host):
    """No login, in words; mail is taken, or refused by option."""
    n = host.fresh()
    user, password = host.user(n), host.password(n)
    host.admin("account", "suspend", user)
    for text in login(host, user, password):
        assert "suspended" in text, text
    host.deliver(n, "Subject: kommt an\r\n\r\n")
    host.admin("account", "suspend", user, "--mail", "refuse")
    assert lmtp(host, host.address(n)) == 550
    assert json.loads(host.admin("account", "show", user,
                                 "--json"))["refuses_mail"]
    host.admin("account", "resume", user)
    assert login(host, user, password) == GOOD
    c = host.imap(n)
    assert c.select()[1] == [b"1"]
    rows = json.loads(host.admin("logins", user, "--json"))
    assert {r["details"].get("why") for r in rows} == {None, "suspended"}


def test_undelete():
    """Back with mail, addresses and password; or gone when its time is."""
    with pt.Host(accounts=3, conf={"undelete-time": "5s"}) as host:
        host.deliver(1, "Subject: bleibt\r\n\r\n")
        host.admin("account", "del", host.user(1))
        assert "AUTHENTICATIONFAILED" in login(
            host, host.user(1), host.password(1))[0]
        assert lmtp(host, host.address(1)) == 550
        rows = json.loads(host.admin("account", "list", "--deleted",
                                     "--json"))
        assert [(r["account"], r["messages_used"]) for r in rows] == [
            (host.user(1), 1)], rows
        host.admin("account", "undelete", host.user(1))
        assert host.imap(1).select()[1] == [b"1"]
        host.deliver(1, "Subject: und mehr\r\n\r\n")
        assert host.imap(1).select()[1] == [b"2"]
        host.admin("account", "del", host.user(1))
        pt.wait_for("the end", lambda: json.loads(host.admin(
            "account", "list", "--deleted", "--json")) == [], 20)
        run = host.admin("account", "undelete", host.user(1), check=False)
        assert run.returncode == 1, run
        assert "purge accounts=1" in host.log()
        host.stop()
        assert "nothing is wrong" in host.admin("fsck")
        host.start()


def test_networks(host):
    n = host.fresh()
    user, password = host.user(n), host.password(n)
    for networks, good in (("192.0.2.0/24", False),
                           ("127.0.0.0/8 2001:db8::/32", True),
                           ("!127.0.0.1", False), ("!192.0.2.0/24", True),
                           ("any", True)):
        host.admin("account", "set", user, "--networks", networks)
        said = login(host, user, password)
        assert (said == GOOD) == good, (networks, said)
        if not good:
            assert all("your network" in text for text in said), said
    shown = json.loads(host.admin("account", "show", user, "--json"))
    assert shown["networks"] == "", shown


def test_app_password_expires(host):
    n = host.fresh()
    made = json.loads(host.admin(
        "app-password", "add", host.user(n), "--label", "Gast", "--expires",
        "2s", "--scope", "imap", "--json"))
    said = login(host, host.user(n), made["password"])
    assert said[0] == "OK" and "not for pop3" in said[1], said
    row = json.loads(host.admin("app-password", "list", host.user(n),
                                "--json"))[0]
    assert row["expires_at"] and row["used_at"], row
    time.sleep(2.1)
    assert "AUTHENTICATIONFAILED" in login(
        host, host.user(n), made["password"])[0]


def test_ten_thousand():
    """The figure is tests/bench/provision.py's; here it only has to work."""
    lines = ["package add web50", "domain add fuenfzig.example --package "
             "web50"]
    lines += [f"account add web50p{i} --address u{i}@fuenfzig.example "
              f"--password-hash {HASH}" for i in range(1, 10001)]
    with pt.Host(accounts=1) as host:
        text = "\n".join(lines).encode()
        assert host.admin("provision", stdin=text) == \
            "10002 done, 0 refused\n"
        rows = json.loads(host.admin("account", "list", "--package", "web50",
                                     "--json"))
        assert len(rows) == 10000
        show = json.loads(host.admin("account", "show",
                                     "u10000@fuenfzig.example", "--json"))
        assert show["account"] == "web50p10000"


if __name__ == "__main__":
    pt.main(globals())
