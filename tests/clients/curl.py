#!/usr/bin/env python3
"""curl over IMAP, POP3 and SMTP, with TLS from the start and by STARTTLS."""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

MESSAGE = (b"From: c <c@example.net>\r\nTo: d@posthof.test\r\n"
           b"Subject: curl\r\n\r\nOne line.\r\n")


def curl(host, n, url, *words, fails=False):
    """Runs curl as account n; what it wrote."""
    scheme, rest = url.split("://")
    port = {"smtps": "submissions", "smtp": "submission"}.get(scheme, scheme)
    path = "/" + rest if rest else ""
    command = ["curl", "--silent", "--show-error", "--max-time", "60",
               "--cacert", host.ca, "--resolve",
               f"{pt.DOMAIN}:{host.port(port)}:127.0.0.1",
               "--user", f"{host.user(n)}:{host.password(n)}"]
    if not scheme.endswith("s"):
        command.append("--ssl-reqd")
    run = subprocess.run(
        command + list(words)
        + [f"{scheme}://{pt.DOMAIN}:{host.port(port)}{path}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, check=False)
    if (run.returncode != 0) != fails:
        raise pt.Failure(f"curl {url}: exit {run.returncode}: "
                         + run.stderr.decode(errors="replace"))
    return run.stdout


def upload(host, n, url, *words, data=MESSAGE):
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        return curl(host, n, url, "--upload-file", f.name, *words)


def test_imap(host):
    for scheme in ("imaps", "imap"):
        n = host.fresh()
        assert b"INBOX" in curl(host, n, f"{scheme}://")
        upload(host, n, f"{scheme}://INBOX")
        assert curl(host, n, f"{scheme}://INBOX;UID=1") == MESSAGE
        assert curl(host, n, f"{scheme}://INBOX;UID=1;SECTION=TEXT") == \
            b"One line.\r\n"
        assert b"SEARCH 1" in curl(host, n, f"{scheme}://INBOX?ALL")
        curl(host, n, f"{scheme}://", "--request", "CREATE Neu")
        assert b"EXISTS" in curl(host, n, f"{scheme}://", "--request",
                                 "EXAMINE Neu")
        curl(host, n, f"{scheme}://INBOX;UID=9", fails=True)


def test_pop3(host):
    for scheme in ("pop3s", "pop3"):
        n = host.fresh()
        host.deliver(n, MESSAGE)
        listed = curl(host, n, f"{scheme}://").split()
        assert listed[0] == b"1", listed
        assert curl(host, n, f"{scheme}://1").endswith(MESSAGE)
        assert curl(host, n, f"{scheme}://", "--request", "UIDL")
        curl(host, n, f"{scheme}://1", "--request", "DELE", "--list-only")
        assert curl(host, n, f"{scheme}://").split() == []


def test_smtp(host):
    for scheme in ("smtps", "smtp"):
        n = host.fresh()
        upload(host, n, f"{scheme}://client.test", "--mail-from",
               host.address(n), "--mail-rcpt", host.address(n),
               data=MESSAGE.replace(b"c@example.net",
                                    host.address(n).encode()))
        got = curl(host, n, "imaps://INBOX;UID=1")
        assert b"Subject: curl\r\n" in got, got


def test_mechanisms(host):
    n = host.fresh()
    for mechanism in ("PLAIN",):
        words = ("--login-options", f"AUTH={mechanism}")
        assert b"INBOX" in curl(host, n, "imaps://", *words)
        curl(host, n, "pop3s://", *words)
    for mechanism in ("PLAIN", "LOGIN"):
        upload(host, n, "smtps://client.test", "--login-options",
               f"AUTH={mechanism}", "--mail-from", host.address(n),
               "--mail-rcpt", host.address(n),
               data=MESSAGE.replace(b"c@example.net",
                                    host.address(n).encode()))
    assert b"* STATUS" in curl(host, n, "imaps://", "--request",
                               "STATUS INBOX (MESSAGES)")


if __name__ == "__main__":
    pt.main(globals())
