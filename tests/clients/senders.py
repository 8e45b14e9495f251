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
        for auth in ("plain", "login", "scram-sha-256",
                     "scram-sha-1"):
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


def swaks(host, n, *words, fails=False):
    """swaks through openssl, for its own TLS needs one more package."""
    pipe = (f"openssl s_client -quiet -verify_quiet -CAfile {host.ca} "
            f"-connect 127.0.0.1:{host.port('submissions')}")
    return run(["swaks", "--pipe", pipe, "--helo", "client.test", "--from",
                host.address(n), *words], fails=fails)


def auth(host, n, kind):
    return ("--auth", kind, "--auth-user", host.user(n), "--auth-password",
            host.password(n))


def test_swaks(host):
    a, b = host.fresh(), host.fresh()
    to = ("--to", host.address(b))
    swaks(host, a, *auth(host, a, "PLAIN"), *to)
    swaks(host, a, *auth(host, a, "LOGIN"), *to)
    swaks(host, a, *auth(host, a, "PLAIN"), "--pipeline", *to)
    run(["swaks", "--server", "127.0.0.1", "--port", str(host.port("smtp")),
         "--helo", "mx.example.net", "--from", "x@example.net", *to])
    run(["swaks", "--socket", host.lmtp_socket, "--protocol", "LMTP",
         "--helo", "mx.example.net", "--from", "x@example.net", *to])
    assert count(host, b) == 5


def test_swaks_refusals(host):
    n = host.fresh()
    to = ("--to", host.address(n))
    # No password in clear, no mail without one, no sender but one's own.
    run(["swaks", "--server", "127.0.0.1", "--port",
         str(host.port("submission")), "--helo", "client.test", "--from",
         host.address(n), *auth(host, n, "PLAIN"), *to], fails=True)
    swaks(host, n, *to, fails=True)
    swaks(host, n, *auth(host, n, "PLAIN"), *to, "--from",
          "someone@else.example", fails=True)
    assert count(host, n) == 0


if __name__ == "__main__":
    pt.main(globals())
