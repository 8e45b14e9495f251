#!/usr/bin/env python3
"""Passwords: brought along, for programs, for who helps; never readable."""

import base64
import hashlib
import imaplib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402
from scram import Scram, b64    # noqa: E402

MECHS = ("SCRAM-SHA-256", "SCRAM-SHA-1")

# All of the password "Geheim-4711"; made by htpasswd, openssl passwd, doveadm.
WORD = "Geheim-4711"
ARGON2 = ("$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$"
          "/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY")    # "password"


def hashes():
    """(what is stored elsewhere, password)"""
    word = WORD.encode()
    yield "{SHA}" + b64(hashlib.sha1(word).digest()), WORD
    yield "{SSHA}" + b64(hashlib.sha1(word + b"salz").digest() + b"salz"), \
        WORD
    yield "{SSHA512}" + b64(hashlib.sha512(word + b"salzsalz").digest() +
                            b"salzsalz"), WORD
    yield ARGON2, "password"
    yield "{ARGON2I}" + ARGON2, "password"
    for method in ("-1", "-5", "-6"):
        run = os.popen(f"openssl passwd {method} {WORD}")
        yield run.read().strip(), WORD
        run.close()


def can(host, user, password):
    c = host.imap()
    try:
        c.login(f'"{user}"', password)     # a "*" has to be quoted
        c.logout()
        return True
    except imaplib.IMAP4.error:
        return False


def scram(host, user, password, mech="SCRAM-SHA-256"):
    """On IMAP; raises when it fails."""
    c = host.imap()
    c.authenticate(mech, Scram(user, password, mech).answer)
    c.logout()


def scram_ok(host, user, password, mech="SCRAM-SHA-256"):
    try:
        scram(host, user, password, mech)
        return True
    except imaplib.IMAP4.error:
        return False


def test_imported(host):
    """Each form logs in, is SCRAM keys afterwards, and still logs in."""
    host.admin("package", "add", "web60")
    for i, (hashed, word) in enumerate(hashes(), 1):
        user = f"web60p{i}"
        host.admin("account", "add", user, "--password-hash", hashed)
        for mech in MECHS:
            assert not scram_ok(host, user, word, mech), hashed
        assert can(host, user, word), hashed
        for mech in MECHS:
            assert scram_ok(host, user, word, mech), hashed
        assert can(host, user, word), hashed
        assert not can(host, user, word + "x"), hashed


def test_app_password_by_scram(host):
    """Main password and app passwords, each by the same exchange."""
    n = host.fresh()
    user = host.user(n)
    apps = [json.loads(host.admin("app-password", "add", user, "--label",
                                  label, "--json"))
            for label in ("Handy", "PC")]
    limited = json.loads(host.admin("app-password", "add", user, "--label",
                                    "Scanner", "--scope", "smtp", "--json"))
    for word in [host.password(n)] + [a["password"] for a in apps]:
        for mech in MECHS:
            scram(host, user, word, mech)
        assert can(host, user, word)
    assert not scram_ok(host, user, "falsch")
    assert not scram_ok(host, user, limited["password"])
    host.admin("app-password", "revoke", user, str(apps[0]["id"]))
    assert not scram_ok(host, user, apps[0]["password"])
    scram(host, user, apps[1]["password"])
    # A new main password leaves them as they are.
    host.admin("account", "passwd", user, "--password-stdin",
               stdin=b"neues-passwort\n")
    scram(host, user, "neues-passwort")
    scram(host, user, apps[1]["password"])
    used = {r["label"]: r["used_at"] for r in json.loads(host.admin(
        "app-password", "list", user, "--json"))}
    assert used["PC"], used


def test_policy():
    with pt.Host(accounts=1) as host:
        path = os.path.join(host.dir, "denied")
        with open(path, "w", encoding="utf-8") as f:
            f.write("passwort123\nqwertzuiop\n")
        host.set_conf({"password-min": "10", "password-denied": f'"{path}"'})
        host.restart()
        for word, why in ((b"kurz", b"10 characters"),
                          (b"Passwort123", b"tries first"),
                          (b"", b"must be the password")):
            run = host.admin("account", "passwd", host.user(1),
                             "--password-stdin", stdin=word + b"\n",
                             check=False)
            assert run.returncode == 1 and why in run.stderr, run
        host.admin("account", "passwd", host.user(1), "--password-stdin",
                   stdin=b"lang genug\n")
        assert can(host, host.user(1), "lang genug")


def test_support():
    """Who helps logs in as the account, on every port, and it is seen."""
    hashed = "{SSHA}" + b64(hashlib.sha1(b"hilfe!" + b"salz").digest() +
                            b"salz")
    conf = {"support-logins": '{"anna:' + hashed + '"}',
            "auth-fail-delay": "0"}
    with pt.Host(accounts=2, conf=conf) as host:
        user = host.user(1) + "*anna"
        host.admin("account", "suspend", host.user(1))
        for _ in range(2):
            assert can(host, user, "hilfe!")
        c = host.pop3()
        c.user(user)
        c.pass_("hilfe!")
        c.quit()
        s = host.submit()
        s.login(user, "hilfe!")
        s.quit()
        assert not can(host, user, host.password(1))
        assert not can(host, host.user(1) + "*berta", "hilfe!")
        assert not can(host, host.user(2), "hilfe!")
        assert not can(host, "web999p1*anna", "hilfe!")
        rows = json.loads(host.admin("logins", host.user(1), "--json"))
        helped = [r["details"] for r in rows if r["result"] == "ok"]
        assert [d["support"] for d in helped] == ["anna"] * 4, rows
        assert " support=anna" in host.log()


def test_reload():
    """support-logins, auth-cache-time and scram-iterations act at a reload:
    who helped with a password of before does not any more, at once."""
    def row(word):
        return '{"anna:{SSHA}' + b64(hashlib.sha1(word + b"salz").digest() +
                                     b"salz") + '"}'

    def rounds():
        got = said(host, "imaps", ["a AUTHENTICATE SCRAM-SHA-256 " + b64(
            "n,,n=niemand,r=abc".encode())])[0]
        return base64.b64decode(got[2:]).decode().split(",")[2]

    conf = {"support-logins": row(b"alt"), "auth-fail-delay": "0"}
    with pt.Host(accounts=1, conf=conf) as host:
        user = host.user(1) + "*anna"
        assert can(host, user, "alt") and can(host, user, "alt")
        assert rounds() == "i=4096"
        host.set_conf({"support-logins": row(b"neu"),
                       "auth-cache-time": "0", "scram-iterations": "8192"})
        assert can(host, user, "alt")
        host.admin("reload")
        assert not can(host, user, "alt") and can(host, user, "neu")
        assert rounds() == "i=8192"
        host.set_conf({"support-logins": "{}"})
        host.admin("reload")
        assert not can(host, user, "neu")
        assert can(host, host.user(1), host.password(1))


def said(host, port, lines):
    """The answers to these lines, byte for byte."""
    with host.connect(port) as s:
        f = s.makefile("rwb")
        f.readline()
        got = []
        for line in lines:
            f.write(line.encode() + b"\r\n")
            f.flush()
            got.append(f.readline())
            while port == "submissions" and got[-1][3:4] == b"-":
                got.append(f.readline())
        # EHLO tells the time (RFC 4865); only its end counts.
        return got[-1:] if port == "submissions" else got


def test_unknown_answers():
    """Nobody's name is answered like somebody's with a wrong password, byte
    for byte; a name's salt is the same each time (RFC 5802 9)."""
    conf = {"auth-fail-delay": '"20ms"'}
    with pt.Host(accounts=2, conf=conf) as host:
        def first(user, mech="SCRAM-SHA-256"):
            got = said(host, "imaps", [
                f"a AUTHENTICATE {mech} " + b64(
                    f"n,,n={user},r=abc".encode())])[0]
            fields = base64.b64decode(got[2:]).decode().split(",")
            assert fields[0].startswith("r=abc"), fields
            return fields[1:]

        host.admin("account", "suspend", host.user(2))
        answers = []
        for user in (host.user(1), host.user(2), "web100p77", "web9p1",
                     host.address(1), f"fremd@{pt.DOMAIN}", "niemand",
                     "a@fremd.example"):
            plain = b64(f"\0{user}\0falsch".encode())
            answers.append((
                said(host, "imaps", [f"a LOGIN {user} falsch"]),
                said(host, "imaps", [f"a AUTHENTICATE PLAIN {plain}"]),
                said(host, "pop3s", [f"USER {user}", "PASS falsch"]),
                said(host, "pop3s", [f"AUTH PLAIN {plain}"]),
                said(host, "submissions", ["EHLO c.test",
                                           f"AUTH PLAIN {plain}"])))
            assert answers[-1] == answers[0], (user, answers)
            # RFC 7677: the salt, and as many rounds.
            for mech in MECHS:
                salt, rounds = first(user, mech)
                assert [salt, rounds] == first(user, mech), user
                assert len(salt) == len(first(host.user(1), mech)[0])
                assert rounds == first(host.user(1), mech)[1]
        assert b"NO [AUTHENTICATIONFAILED]" in answers[0][0][0], answers[0]


def test_nothing_readable(host):
    """No password in any form anywhere: state, run directory, log."""
    n = host.fresh()
    words = ["Unlesbar-1234567", "Falsch-geraten-89", "App-egal"]
    host.admin("account", "passwd", host.user(n), "--password-stdin",
               stdin=words[0].encode() + b"\n")
    app = json.loads(host.admin("app-password", "add", host.user(n),
                                "--label", "x", "--json"))["password"]
    words[2] = app
    for word in words:
        can(host, host.user(n), word)
        scram_ok(host, host.user(n), word)
        scram_ok(host, host.user(n), word, "SCRAM-SHA-1")
        with pt.Host.submit(host) as s:
            try:
                s.login(host.user(n), word)
            except Exception:   # pylint: disable=broad-except
                pass
    # A mistake that puts a password where a name belongs.
    with host.connect("pop3s") as s:
        s.sendall(f"PASS {words[1]}\r\nQUIT\r\n".encode())
        while s.recv(4096):
            pass
    host.admin("session", "list")
    forms = []
    for word in words:
        plain = f"\0{host.user(n)}\0{word}"
        forms += [word.encode(), b64(word.encode()).encode(),
                  b64(plain.encode()).encode(),
                  hashlib.sha1(word.encode()).digest(),
                  hashlib.sha256(word.encode()).digest()]
    looked = 0
    for top in (host.state, host.run_dir, os.path.dirname(host.log_path)):
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.isfile(path) or name == "passwords":
                    continue
                with open(path, "rb") as f:
                    data = f.read()
                looked += 1
                for form in forms:
                    assert form not in data, (path, form)
    assert looked > 10, looked


if __name__ == "__main__":
    pt.main(globals(), conf={"auth-fail-delay": "0"})
