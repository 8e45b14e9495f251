#!/usr/bin/env python3
"""Every way in, by swaks: port, kind of TLS, mechanism, right and wrong."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

# Port, options for its TLS.
DOORS = {"587 clear": ("submission", []),
         "587 STARTTLS": ("submission", ["--tls"]),
         "587 STARTTLS, if offered": ("submission", ["--tls-optional"]),
         "465 TLS": ("submissions", ["--tls-on-connect"]),
         "465 clear": ("submissions", []),
         "25 clear": ("smtp", []),
         "25 STARTTLS": ("smtp", ["--tls"])}
SECRET = ("587 STARTTLS", "587 STARTTLS, if offered", "465 TLS")
MECHANISMS = ("PLAIN", "LOGIN")

# What swaks exits with.
DONE, NO_CONNECTION, NO_MAIL, NO_RCPT, NO_AUTH = 0, (2, 21), 23, 24, 28


def swaks(host, door, *options, to=2):
    port, tls = DOORS[door]
    # Nobody speaks first there.
    limit = "1s" if door == "465 clear" else "20s"
    return subprocess.run(
        ["swaks", "--server", "127.0.0.1", "--port", str(host.port(port)),
         "--timeout", limit, "--helo", "swaks.test", "--to", host.address(to),
         *tls, *options], stdin=subprocess.DEVNULL, capture_output=True,
        timeout=60, check=False)


def login(host, mechanism, password):
    return ["--from", host.address(1), "--auth", mechanism, "--auth-user",
            host.user(1), "--auth-password", password]


def arrived(host, n):
    c = host.imap(n)
    count = int(c.select("INBOX", readonly=True)[1][0])
    c.logout()
    return count


def test_logged_in():
    with pt.Host(accounts=2, conf={"auth-fail-delay": 0}) as host:
        want = 0
        for door in DOORS:
            for mechanism in MECHANISMS:
                good = swaks(host, door,
                             *login(host, mechanism, host.password(1)))
                bad = swaks(host, door, *login(host, mechanism, "wrong"))
                case = (door, mechanism, good.stdout.decode()[-600:],
                        bad.returncode)
                if door in SECRET:
                    assert good.returncode == DONE, case
                    assert bad.returncode == NO_AUTH, case
                    assert b"535" in bad.stdout, case
                    want += 1
                elif door == "465 clear":
                    assert good.returncode in NO_CONNECTION, case
                else:
                    # No password in the clear, and none on 25.
                    assert good.returncode == NO_AUTH, case
                    assert host.password(1).encode() not in good.stdout
                    assert bad.returncode == NO_AUTH, case
        assert arrived(host, 2) == want == 6, want


def test_not_logged_in():
    with pt.Host(accounts=2) as host:
        for door in DOORS:
            inside = swaks(host, door, "--from", "a@other.test")
            outside = swaks(host, door, "--from", "a@other.test", "--to",
                            "b@elsewhere.test")
            case = (door, inside.returncode, outside.returncode,
                    inside.stdout.decode()[-600:])
            if door == "465 clear":
                assert inside.returncode in NO_CONNECTION, case
            elif door.startswith("25"):
                assert inside.returncode == DONE, case
                assert outside.returncode == NO_RCPT, case
                assert b"550 5.7.1" in outside.stdout, case
            else:
                # 530, with the setting to change, in two languages (W7)
                assert inside.returncode == NO_MAIL, case
                assert b"530" in inside.stdout, case
                assert b"Server erfordert Authentifizierung" in inside.stdout
                assert b"server requires authentication" in inside.stdout
        assert arrived(host, 2) == 2


def test_wrong_sender_and_wrong_tls():
    with pt.Host(accounts=2) as host:
        options = login(host, "PLAIN", host.password(1))
        options[1] = host.address(2)
        r = swaks(host, "465 TLS", *options)
        assert r.returncode == NO_MAIL and b"553" in r.stdout, r.stdout
        # TLS where it begins in clear
        r = subprocess.run(
            ["swaks", "--server", "127.0.0.1", "--port",
             str(host.port("submission")), "--timeout", "4s",
             "--tls-on-connect", "--to", host.address(2)],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
            check=False)
        assert r.returncode == 29, r
        assert arrived(host, 2) == 0


def test_lmtp_and_pipelining():
    with pt.Host(accounts=2) as host:
        r = subprocess.run(
            ["swaks", "--protocol", "LMTP", "--socket", host.lmtp_socket,
             "--helo", "swaks.test", "--from", "a@other.test", "--to",
             f"{host.address(1)},{host.address(2)}"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
            check=False)
        assert r.returncode == DONE, r.stdout
        r = swaks(host, "25 clear", "--from", "a@other.test", "--pipeline")
        assert r.returncode == DONE, r.stdout
        assert arrived(host, 1) == 1 and arrived(host, 2) == 2


if __name__ == "__main__":
    pt.main(globals())
