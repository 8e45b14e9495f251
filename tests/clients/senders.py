#!/usr/bin/env python3
"""msmtp and swaks: submission as programs and scripts do it."""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402


def run(words, data=None, fails=False):
    done = subprocess.run(words, input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, check=False)
    out = done.stdout.decode(errors="replace")
    if (done.returncode != 0) != fails:
        raise pt.Failure(f"{words[0]}: exit {done.returncode}\n{out}")
    return out


def count(host, n):
    c = host.imap(n)
    found = int(c.select("INBOX")[1][0])
    c.logout()
    return found


def msmtp(host, n, port, auth, to, fails=False, password=None):
    with tempfile.NamedTemporaryFile("w", suffix=".rc") as f:
        f.write(f"account default\nhost 127.0.0.1\nport {host.port(port)}\n"
                f"from {host.address(n)}\nuser {host.user(n)}\n"
                f"password {password or host.password(n)}\nauth {auth}\n"
                f"tls on\ntls_trust_file {host.ca}\n"
                f"tls_starttls {'off' if port == 'submissions' else 'on'}\n")
        f.flush()
        os.chmod(f.name, 0o600)
        return run(["msmtp", "-C", f.name, to],
                   f"From: <{host.address(n)}>\nTo: <{to}>\n"
                   "Subject: msmtp\n\n.\n..\nText\n".encode(), fails)


def test_msmtp(host):
    a, b = host.fresh(), host.fresh()
    sent = 0
    for port in ("submission", "submissions"):
        for auth in ("plain", "login", "scram-sha-256"):
            msmtp(host, a, port, auth, host.address(b))
            sent += 1
    assert count(host, b) == sent
    got = host.imap(b)
    got.select("INBOX")
    text = got.fetch("1", "(BODY.PEEK[TEXT])")[1][0][1]
    assert text == b".\r\n..\r\nText\r\n", text


def test_msmtp_wrong_password(host):
    n = host.fresh()
    out = msmtp(host, n, "submissions", "plain", host.address(n), True,
                "wrong")
    assert "535" in out, out


def swaks(host, n, *words, fails=False, port="submission"):
    return run(["swaks", "--server", "127.0.0.1", "--port",
                str(host.port(port)), "--helo", "client.test", "--from",
                host.address(n), "--auth-user", host.user(n),
                "--auth-password", host.password(n), *words], fails=fails)


def test_swaks(host):
    a, b = host.fresh(), host.fresh()
    to = ("--to", host.address(b))
    swaks(host, a, "--auth", "PLAIN", "-tls", *to)
    swaks(host, a, "--auth", "LOGIN", "-tls", *to)
    swaks(host, a, "--auth", "PLAIN", "-tlsc", *to, port="submissions")
    swaks(host, a, "--auth", "PLAIN", "-tls", "--pipeline", *to)
    assert count(host, b) == 4


def test_swaks_refusals(host):
    n = host.fresh()
    # No password before TLS, no mail without a password, no other sender.
    swaks(host, n, "--auth", "PLAIN", "--to", host.address(n), fails=True)
    run(["swaks", "--server", "127.0.0.1", "--port",
         str(host.port("submission")), "-tls", "--helo", "client.test",
         "--from", host.address(n), "--to", host.address(n)], fails=True)
    swaks(host, n, "--auth", "PLAIN", "-tls", "--to", host.address(n),
          "--from", "someone@else.example", fails=True)
    assert count(host, n) == 0


if __name__ == "__main__":
    pt.main(globals())
