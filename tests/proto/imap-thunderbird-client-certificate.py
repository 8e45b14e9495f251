#!/usr/bin/env python3
"""Thunderbird with a client certificate (CLIENTS D): no door asks for one, so
that nobody takes TLS for a login (no implicit EXTERNAL); the password counts,
and without it nothing opens."""

import os
import socket
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402


def test_not_asked_for(host):
    with tempfile.TemporaryDirectory() as folder:
        key, cert = f"{folder}/key", f"{folder}/cert"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             f"/CN={host.user(1)}", "-keyout", key, "-out", cert],
            check=True, stderr=subprocess.DEVNULL)
        context = host.tls()
        context.load_cert_chain(cert, key)
        asked = []
        context._msg_callback = (       # pylint: disable=protected-access
            lambda conn, way, version, content, kind, data:
            asked.append((way, getattr(kind, "name", kind))))
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context.minimum_version = context.maximum_version = version
            raw = socket.create_connection(("127.0.0.1",
                                            host.port("imaps")), 10)
            with context.wrap_socket(raw) as s:
                f = s.makefile("rwb")
                greeting = f.readline()
                assert greeting.startswith(b"* OK ["), greeting  # no PREAUTH
                assert b"AUTH=EXTERNAL" not in greeting
                f.write(b"a SELECT INBOX\r\nb AUTHENTICATE EXTERNAL =\r\n"
                        b"c LOGIN %s %s\r\nd SELECT INBOX\r\n"
                        b"e LOGOUT\r\n" % (host.user(1).encode(),
                                            host.password(1).encode()))
                f.flush()
                text = f.read()
            assert b"\r\nb NO" in b"\r\n" + text, text
            assert text.startswith(b"a BAD"), text
            assert b"\r\nc OK" in text and b"\r\nd OK" in text, text
        assert ("read", "SERVER_HELLO") in asked, asked
        assert ("read", "CERTIFICATE_REQUEST") not in asked, asked


if __name__ == "__main__":
    pt.main(globals(), accounts=1)
