#!/usr/bin/env python3
"""A certificate per name: 1,000 of them by SNI, renewed by certbot's hook."""

import os
import shutil
import socket
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402

NAMES = 1000
HOOK = os.path.join(pt.REPO, "etc/certbot/posthof-deploy.sh")


def signed(name, key):
    return subprocess.run(
        ["openssl", "req", "-x509", "-key", key, "-days", "30", "-subj",
         f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"], check=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()


def put(folder, chain, key):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "fullchain.pem"), "w",
              encoding="ascii") as out:
        out.write(chain)
    shutil.copyfile(key, os.path.join(folder, "privkey.pem"))


def make_many(top, key):
    """Each with its name in the place of the first one's: nobody looks at
    what a certificate of one's own is signed with."""
    first = ssl.PEM_cert_to_DER_cert(signed("n000.example", key))
    for i in range(NAMES):
        name = f"n{i:03}.example"
        put(os.path.join(top, name), ssl.DER_cert_to_PEM_cert(
            first.replace(b"n000.example", name.encode())), key)


def shown(host, port, name):
    """The certificate for this name, DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", host.port(port)),
                                  30 * pt.SLOW) as s, \
            context.wrap_socket(s, server_hostname=name) as t:
        return t.getpeercert(True)


def test_thousand_names():
    with pt.Host(accounts=1, start=False) as host:
        top = os.path.join(host.dir, "names")
        key = os.path.join(host.dir, "one.key")
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-out", key], check=True,
                       stderr=subprocess.DEVNULL)
        make_many(top, key)
        host.set_conf({"tls-dir": f'"{top}"'})
        host.start()
        for port in ("imaps", "pop3s", "submissions"):
            for i in range(0, NAMES, 1 if port == "imaps" else 100):
                name = f"n{i:03}.example"
                assert name.encode() in shown(host, port, name), (port, name)
            default = shown(host, port, "fremd.example")
            assert default == shown(host, port, None), port
        run = subprocess.run(
            ["openssl", "s_client", "-connect",
             f"127.0.0.1:{host.port('imap')}", "-starttls", "imap",
             "-servername", "n007.example"], input=b"", check=False,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert b"CN = n007.example" in run.stdout, run.stdout[:300]
        # Renewed: the next handshake has it, the session of before lives.
        before = shown(host, "imaps", "n007.example")
        c = host.imap(1)
        fresh = os.path.join(host.dir, "live")
        put(fresh, signed("n007.example", key), key)
        wrapper = os.path.join(host.dir, "posthof.sh")
        with open(wrapper, "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\nexec "{host.program}" -c '
                    f'"{host.conf_path}" "$@"\n')
        os.chmod(wrapper, 0o755)
        subprocess.run([HOOK], check=True, env=dict(
            os.environ, RENEWED_LINEAGE=fresh, POSTHOF_TLS_DIR=top,
            RENEWED_DOMAINS="n007.example neu.example *.n007.example",
            POSTHOF=wrapper))
        after = shown(host, "imaps", "n007.example")
        assert after != before and b"n007.example" in after
        assert b"n007.example" in shown(host, "imaps", "neu.example")
        assert c.noop()[0] == "OK"
        assert b"n008.example" in shown(host, "pop3s", "n008.example")


if __name__ == "__main__":
    pt.main(globals())
