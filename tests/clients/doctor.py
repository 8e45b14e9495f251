#!/usr/bin/env python3
"""`posthof doctor` names what is missing, and says what to do about it."""

import json
import os
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import outside              # noqa: E402
import posthof_test as pt   # noqa: E402

HOST = "mail.posthof.test"
RECORDS = [
    f"--host-record={HOST},127.0.0.1",
    "--mx-host=good.test,mail.posthof.test,10",
    "--host-record=good.test,127.0.0.1",
    "--txt-record=good.test,v=spf1 mx -all",
    "--txt-record=_dmarc.good.test,v=DMARC1; p=none",
    # Away: another MX, an SPF record that is not for us.
    "--mx-host=away.test,mx.elsewhere.test,10",
    "--host-record=mx.elsewhere.test,127.0.0.9",
    "--host-record=away.test,127.0.0.9",
    "--txt-record=away.test,v=spf1 ip4:192.0.2.0/24 -all",
]


def doctor(host, *options):
    """Exit status and {(check, subject): [finding, ...]}."""
    run = host.admin("doctor", "--json", *options, check=False)
    found = {}
    for row in json.loads(run.stdout):
        assert set(row) == {"level", "check", "subject", "text", "fix"}, row
        found.setdefault((row["check"], row["subject"]), []).append(row)
    assert (run.returncode == 1) == any(
        r["level"] == "error" for rows in found.values() for r in rows), found
    return run.returncode, found


def one(found, check, subject):
    rows = found[check, subject]
    assert len(rows) == 1, rows
    return rows[0]


def certify(host, name, days=90, covers=None):
    folder = os.path.join(host.dir, "names", name)
    os.makedirs(folder, exist_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", str(days), "-subj",
         f"/CN={name}", "-addext", f"subjectAltName=DNS:{covers or name}",
         "-keyout", os.path.join(folder, "privkey.pem"),
         "-out", os.path.join(folder, "fullchain.pem")],
        check=True, stderr=subprocess.DEVNULL)
    os.chmod(os.path.join(folder, "privkey.pem"), 0o600)
    return folder


def with_domains(host, *names):
    for name in names:
        host.admin("domain", "add", name, "--package", pt.PACKAGE)


def test_certificates():
    with pt.Host(accounts=1) as host:
        top = os.path.join(host.dir, "names")
        os.mkdir(top)
        host.set_conf({"tls-dir": f'"{top}"'})
        with_domains(host, "good.test", "none.test", "soon.test",
                     "wrong.test", "key.test", "sub.wild.test")
        certify(host, "good.test")
        certify(host, "soon.test", days=3)
        certify(host, "wrong.test", covers="other.test")
        certify(host, "*.wild.test")
        folder = certify(host, "key.test")
        key = os.path.join(folder, "privkey.pem")
        with open(key, "rb") as f, open(os.path.join(
                top, "good.test", "privkey.pem"), "rb") as other:
            right, foreign = f.read(), other.read()
        with open(key, "wb") as f:
            f.write(foreign)
        for running in (True, False):
            if not running:
                host.stop()
            status, found = doctor(host)
            assert status == 1, found
            assert one(found, "certificate", "good.test")["level"] == "ok"
            assert one(found, "certificate", "sub.wild.test")["level"] == "ok"
            for name in ("none", "wrong", "key", "soon"):
                row = one(found, "certificate", f"{name}.test")
                assert row["level"] == "error", row
                assert f"{top}/{name}.test" in row["fix"], row
            assert "expires at" in one(
                found, "certificate", "soon.test")["text"]
            assert "does not belong" in one(found, "tls", "key.test")["text"]
            assert one(found, "certificate", HOST)["level"] == "ok"
            # Who signed himself is known no more than quickstart's CA is.
            for name in ("default", "good.test", "*.wild.test"):
                assert one(found, "chain", name)["level"] == "warning"
            assert one(found, "host", "serve")["level"] == (
                "ok" if running else "warning")
        # All of it mended: nothing but warnings, and exit status 0.
        with open(key, "wb") as f:
            f.write(right)
        for name in ("none.test", "soon.test", "wrong.test"):
            certify(host, name)
        status, found = doctor(host)
        assert status == 0, found
        # With its CA known, the host's own chain is good.
        host.set_conf({"tls-ca": f'"{host.ca}"'})
        assert ("chain", "default") not in doctor(host)[1]
        # A key that others may read.
        os.chmod(key, 0o644)
        status, found = doctor(host)
        assert status == 1
        assert one(found, "key-mode", key)["fix"] == f"chmod 600 {key}"


def test_host():
    """Names, directories, people, backup; as text, and only what is wrong."""
    with pt.Host(accounts=1) as host:
        with_domains(host, "away.test")
        host.admin("package", "add", "web200")
        host.admin("domain", "add", "empty.test", "--package", "web200")
        host.admin("package", "suspend", "web200", "--mail", "refuse")
        _, found = doctor(host)
        assert one(found, "config", "posthof.conf")["level"] == "ok"
        assert one(found, "hostname", HOST)["level"] == "ok"
        assert one(found, "directory", host_state(found))["level"] == "ok"
        assert one(found, "postmaster", "away.test")["level"] == "ok"
        assert one(found, "postmaster", "empty.test")["level"] == "error"
        row = one(found, "suspended", "empty.test")
        assert row["fix"] == "posthof package resume web200", row
        assert "refused" in row["text"]
        state = host_state(found)
        assert "none yet" in one(found, "backup", state)["text"]
        assert one(found, "checkpoint", state)["level"] == "ok"
        assert one(found, "space", state)["level"] == "ok"
        assert "not looked at" in one(found, "dns", HOST)["text"]
        place = os.path.join(host.dir, "copies")
        os.mkdir(place)
        os.chmod(place, 0o777)
        host.admin("backup", os.path.join(place, "one"))
        host.admin("address", "add", "postmaster@empty.test", "--to",
                   host.user(1))
        os.chmod(host.state, 0o755)
        _, found = doctor(host)
        assert one(found, "backup", state)["level"] == "ok"
        assert one(found, "postmaster", "empty.test")["level"] == "ok"
        row = one(found, "directory", state)
        assert row["level"] == "error" and "chmod 750" in row["fix"], row
        os.chmod(host.state, 0o750)
        run = host.admin("doctor", "--quiet", check=False)
        lines = run.stdout.decode().splitlines()
        assert lines and not any(x.startswith("ok ") for x in lines), lines
        assert any(x.startswith("error certificate away.test: ")
                   and "; fix: " in x for x in lines), lines
        # An option may be wrong, and a name may be none.
        host.set_conf({"hostname": '"localhost"',
                       "free-space-floor": '"1000000G"'})
        _, found = doctor(host)
        assert one(found, "hostname", "localhost")["level"] == "error"
        with open(host.conf_path, encoding="utf-8") as f:
            was = f.read()
        host.set_conf({"queue-expire": '"never"'})
        status, found = doctor(host)
        assert status == 1 and list(found) == [("config", "posthof.conf")]
        assert "queue-expire" in found["config", "posthof.conf"][0]["text"]
        with open(host.conf_path, "w", encoding="utf-8") as f:
            f.write(was)
        assert host.admin("doctor", "--dnss", check=False).returncode == 2


def host_state(found):
    return next(s for c, s in found if c == "backup")


def test_dns():
    ptr = "--ptr-record=1.0.0.127.in-addr.arpa,"
    with outside.Zone([*RECORDS, ptr + HOST]) as zone, \
            pt.Host(accounts=1, conf={"resolver": zone.resolver}) as host:
        with_domains(host, "good.test", "away.test", "gone.test")
        status, found = doctor(host, "--dns")
        assert status == 1
        for check in ("mx", "name", "spf", "dmarc"):
            assert one(found, check, "good.test")["level"] == "ok", found
        assert one(found, "address", HOST)["level"] == "ok"
        assert one(found, "ptr", "127.0.0.1")["level"] == "ok"
        row = one(found, "mx", "away.test")
        assert row["level"] == "error" and "mx.elsewhere.test" in row["text"]
        assert f" away.test. IN MX 10 {HOST}." in row["fix"], row
        assert one(found, "name", "away.test")["level"] == "error"
        row = one(found, "spf", "away.test")
        assert row["level"] == "error" and f"a:{HOST}" in row["fix"], row
        row = one(found, "dmarc", "away.test")
        assert row["level"] == "warning", row
        assert "_dmarc.away.test. IN TXT" in row["fix"], row
        row = one(found, "mx", "gone.test")
        assert row["level"] == "error" and "no such domain" in row["text"]
        assert ("spf", "gone.test") not in found
        assert ("dns", HOST) not in found


def test_dns_wrong_names():
    ptr = "--ptr-record=1.0.0.127.in-addr.arpa,other.test"
    source = f"--ptr-record=5.0.0.127.in-addr.arpa,{HOST}"
    with outside.Zone([*RECORDS, ptr, source]) as zone, \
            pt.Host(accounts=1, conf={"resolver": zone.resolver}) as host:
        _, found = doctor(host, "--dns")
        row = one(found, "ptr", "127.0.0.1")
        assert row["level"] == "error" and "other.test" in row["text"], row
        assert f"1.0.0.127.in-addr.arpa. IN PTR {HOST}." in row["fix"], row
        # The address that mail leaves from counts; nobody asks for its name
        # behind a smart host.
        host.set_conf({"relay-source": '{"127.0.0.5"}'})
        _, found = doctor(host, "--dns")
        assert ("ptr", "127.0.0.1") not in found
        row = one(found, "ptr", "127.0.0.5")
        assert row["level"] == "error" and "not among" in row["text"], row
        host.set_conf({"smarthost": '"relay.isp.test"'})
        _, found = doctor(host, "--dns")
        assert one(found, "ptr", "127.0.0.5")["level"] == "warning"
        host.set_conf({"hostname": '"no-such.posthof.test"'})
        _, found = doctor(host, "--dns")
        row = one(found, "address", "no-such.posthof.test")
        assert row["level"] == "error", row


class Broken(threading.Thread):
    """A resolver that fails at everything (RFC 1035 4.1.1: RCODE 2)."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.names = set()
        self.start()

    def run(self):
        while True:
            q, peer = self.socket.recvfrom(4096)
            if q == b"end":
                return
            end = q.index(b"\0", 12) + 5
            self.names.add(q[12:end])
            self.socket.sendto(q[:2] + b"\x81\x82" + q[4:6] + bytes(6)
                               + q[12:end], peer)

    def close(self):
        self.socket.sendto(b"end", self.socket.getsockname())
        self.join()
        self.socket.close()


def test_dns_silent():
    """Three in a row without answer, and no more is asked."""
    broken = Broken()
    resolver = f"127.0.0.1@{broken.socket.getsockname()[1]}"
    try:
        with pt.Host(accounts=1, conf={"resolver": f'"{resolver}"'}) as host:
            with_domains(host, *(f"n{i}.test" for i in range(10)))
            status, found = doctor(host, "--dns")
            assert status == 1
            assert "silent" in one(found, "dns", resolver)["text"]
            assert one(found, "address", HOST)["level"] == "error"
            assert len([k for k in found if k[0] == "mx"]) == 2, found
            assert not any(b"n5" in name for name in broken.names)
    finally:
        broken.close()


if __name__ == "__main__":
    pt.main(globals())
