#!/usr/bin/env python3
"""The command line: host running and stopped, crashes, wrong usage."""

import imaplib
import json
import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import posthof_test as pt       # noqa: E402
from posthof_test import same  # noqa: E402

ACCOUNT_KEYS = {"account", "id", "package", "name", "suspended", "lang",
                "bytes_used", "bytes_max", "messages_used", "messages_max",
                "folders_max", "created_at", "refuses_mail", "networks",
                "deleted_at", "purge_at"}
DAEMONS = {"keeper", "imapd", "pop3d", "submitd"}
LONE = {"webd"}      # falls and rises alone


def refused(host, status, *words, says="", stdin=None):
    run = host.admin(*words, stdin=stdin, check=False)
    text = run.stderr.decode()
    if run.returncode != status or says not in text:
        raise pt.Failure(f"{words}: exit {run.returncode}, {text!r}")
    return text


def can_log_in(host, user, password):
    c = imaplib.IMAP4_SSL("127.0.0.1", host.port("imaps"),
                          ssl_context=host.tls(), timeout=30 * pt.SLOW)
    try:
        c.login(user, password)
        return True
    except imaplib.IMAP4.error:
        return False
    finally:
        c.shutdown()


def as_json(host, *words):
    return json.loads(host.admin(*words, "--json"))


def test_usage(host):
    for words in ([], ["bogus"], ["account"], ["account", "frob"],
                  ["account", "add"], ["account", "list", "x"],
                  ["account", "list", "--bogus"], ["package", "add", "web7",
                                                   "--quota", "x"],
                  ["queue", "retry"], ["queue", "drop", "--all", "Q1"],
                  ["domain", "add", "x.example"],
                  ["settings", host.user(1), "--lang", "fr"]):
        refused(host, 2, *words)
    for words in (["account", "show", "web100p999"],
                  ["account", "show", "nobody@posthof.test"],
                  ["account", "add", "web999p1"],
                  ["account", "add", host.user(1)],
                  ["package", "del", "web100"],
                  ["package", "add", "web0"],
                  ["domain", "del", pt.DOMAIN],
                  ["address", "add", "x@elsewhere.example", "--to",
                   host.user(1)],
                  ["queue", "show", "Q1"],
                  ["app-password", "revoke", host.user(1), "9"],
                  ["account", "passwd", host.user(1), "--password-hash",
                   "geheim"]):
        refused(host, 1, *words, says="posthof: ")
    assert "account add" in host.admin("help")
    assert "--quota" in host.admin("help", "account")
    assert host.admin("--version").startswith("posthof ")


def test_account_life(host):
    host.admin("package", "add", "web200", "--quota", "1G")
    host.admin("domain", "add", "kunde.example", "--package", "web200")
    host.admin("account", "add", "web200p1", "--password-stdin",
               "--address", "anna@kunde.example", "--quota", "5M",
               "--lang", "en", "--name", "Anna Müller",
               stdin="geheim\n".encode())
    made = as_json(host, "account", "show", "anna@kunde.example")
    same(made["account"], "web200p1")
    same(made["name"], "Anna Müller")
    same(made["bytes_max"], 5 << 20)
    same(made["addresses"], ["anna@kunde.example"])
    assert ACCOUNT_KEYS < set(made)
    assert can_log_in(host, "web200p1", "geheim")
    assert can_log_in(host, "anna@kunde.example", "geheim")
    host.admin("account", "suspend", "web200p1")
    assert not can_log_in(host, "web200p1", "geheim")
    host.admin("account", "resume", "web200p1")
    assert can_log_in(host, "web200p1", "geheim")
    host.admin("account", "passwd", "web200p1", "--password-stdin",
               stdin="anders\n".encode())
    assert not can_log_in(host, "web200p1", "geheim")
    assert can_log_in(host, "web200p1", "anders")
    new = as_json(host, "account", "passwd", "web200p1")["password"]
    assert can_log_in(host, "web200p1", new)
    results = [r["result"] for r in as_json(host, "logins", "web200p1")]
    assert results[0] == "ok" and "failed" in results
    host.admin("account", "del", "web200p1", "--now")
    refused(host, 1, "address", "show", "anna@kunde.example")
    assert not can_log_in(host, "web200p1", new)


def test_next_number(host):
    host.admin("package", "add", "web201")
    first = as_json(host, "account", "add", "web201")
    second = as_json(host, "account", "add", "web201")
    same([first["account"], second["account"]], ["web201p1", "web201p2"])
    assert can_log_in(host, "web201p2", second["password"])


def test_hash(host):
    hashed = subprocess.run(["openssl", "passwd", "-6", "geheim"], check=True,
                            stdout=subprocess.PIPE).stdout.decode().strip()
    host.admin("package", "add", "web202")
    host.admin("account", "add", "web202p1", "--password-hash", hashed)
    assert can_log_in(host, "web202p1", "geheim")
    assert can_log_in(host, "web202p1", "geheim")
    assert not can_log_in(host, "web202p1", "falsch")


def test_app_password(host):
    n = host.fresh()
    made = as_json(host, "app-password", "add", host.user(n), "--label",
                   "Scanner", "--scope", "imap")
    assert can_log_in(host, host.user(n), made["password"])
    assert can_log_in(host, host.user(n), host.password(n))
    rows = as_json(host, "app-password", "list", host.user(n))
    same([(r["label"], r["scope"]) for r in rows], [("Scanner", ["imap"])])
    host.admin("app-password", "revoke", host.user(n), str(made["id"]))
    assert not can_log_in(host, host.user(n), made["password"])
    assert can_log_in(host, host.user(n), host.password(n))


def test_addresses(host):
    n = host.fresh(2)
    host.admin("address", "add", "alle@posthof.test", "--to", host.user(n),
               host.user(n + 1))
    host.admin("address", "set", "alle@posthof.test", "--to",
               host.user(n + 1), "--to", "fern@example.org")
    same(as_json(host, "address", "show", "alle@posthof.test")["targets"],
         [host.user(n + 1), "fern@example.org"])
    rows = as_json(host, "address", "list", "--account", host.user(n + 1))
    assert "alle@posthof.test" in [r["address"] for r in rows]
    host.admin("address", "del", "alle@posthof.test")
    refused(host, 1, "address", "show", "alle@posthof.test")


def test_listings(host):
    rows = as_json(host, "account", "list")
    assert len(rows) >= host.accounts
    assert all(set(r) == ACCOUNT_KEYS for r in rows)
    assert {r["domain"] for r in as_json(host, "domain", "list")} >= \
        {pt.DOMAIN}
    same(as_json(host, "queue", "list"), [])
    zone = host.admin("domain", "dns", pt.DOMAIN)
    assert f"_imaps._tcp.{pt.DOMAIN}. IN SRV 0 1 {host.port('imaps')} " in zone
    assert "web100p1" in host.admin("account", "list", "--package", "web100")


def test_provision(host):
    batch = ('# a comment\n'
             'package add web300 --quota 1G\n'
             'domain add drei.example --package web300\n'
             'account add web300p1 --name "Anna B" --password-hash '
             '{SSHA}QbDJz8VXDo0PWZrFzdQqZ3EHMMhhc2Rm\n'
             'account add web300p2\n'
             'address add info@drei.example --to web300p1 web300p2\n')
    for _ in range(2):
        host.admin("provision", stdin=batch.encode())
    same(as_json(host, "account", "show", "web300p1")["name"], "Anna B")
    bad = 'account add web300p3\nfrobnicate\naccount add "web300p4\n' \
          'account add web999p1\nserve\n'
    run = host.admin("provision", "--json", stdin=bad.encode(), check=False)
    same(run.returncode, 1)
    rows = json.loads(run.stdout)
    same([r["status"] for r in rows], ["ok"] + ["refused"] * 4)
    same([r["line"] for r in rows], [1, 2, 3, 4, 5])
    assert "web999" in rows[3]["error"]


def test_provision_many(host):
    lines = ["package add web301"]
    lines += [f"account add web301p{i} --password-hash $6$x$y"
              for i in range(1, 1001)]
    host.admin("provision", stdin="\n".join(lines).encode())
    rows = as_json(host, "account", "list", "--package", "web301")
    same(len(rows), 1000)


def test_settings(host):
    text = host.admin("settings", host.user(1), "--lang", "de")
    for word in (pt.DOMAIN, host.user(1), str(host.port("imaps")),
                 str(host.port("pop3s")), str(host.port("submissions")),
                 "Server erfordert Authentifizierung", "STARTTLS"):
        assert word in text, word
    assert "requires authentication" in host.admin(
        "settings", "--lang=en", host.user(1))
    sheet = json.loads(host.admin("settings", host.user(1), "--format",
                                  "json"))
    same([p["port"] for p in sheet["imap"]["ports"]],
         [host.port("imaps"), host.port("imap")])
    same(sheet["smtp"]["server"], pt.DOMAIN)


def test_status(host):
    status = as_json(host, "status")
    same(status["state"], "running")
    same({d["name"] for d in status["daemons"]}, DAEMONS | LONE)
    assert all(d["state"] == "up" and d["pid"] > 0
               for d in status["daemons"])
    assert status["store"]["free_bytes"] > 0
    assert "imapd" in host.admin("status")
    same(set(host.children()), DAEMONS | LONE)


def test_check_config(host):
    assert "good" in host.admin("check-config")
    path = os.path.join(host.dir, "bad.conf")
    with open(path, "w", encoding="ascii") as f:
        f.write("bogus = 1\nloops = \"x\"\n")
    run = subprocess.run([host.program, "-c", path, "check-config"],
                         stderr=subprocess.PIPE, check=False)
    same(run.returncode, 1)
    assert b"bad.conf:1: " in run.stderr and b"bad.conf:2: " in run.stderr
    with open(path, "w", encoding="ascii") as f:
        f.write("tls-cert = \"/nowhere\"\nlisten-imap = {\"1.2.3:1\"}\n"
                "lang = \"de\"\n")
    run = subprocess.run([host.program, "-c", path, "check-config"],
                         stderr=subprocess.PIPE, check=False)
    same(run.returncode, 1)
    assert b"/nowhere" in run.stderr


def test_fsck(host):
    n = host.fresh()
    host.deliver(n, b"Subject: x\r\n\r\nx\r\n")
    assert as_json(host, "fsck")["ok"]


def test_reload():
    with pt.Host(accounts=1) as host:
        session = host.imap(1)
        host.admin("reload")
        session.noop()          # lived through it
        good = host.set_conf
        with open(host.conf_path, encoding="utf-8") as f:
            text = f.read()
        good({"bogus": "1"})
        refused(host, 1, "reload")
        with open(host.conf_path, "w", encoding="utf-8") as f:
            f.write(text)
        good({"run-dir": '"/tmp/elsewhere"'})
        refused(host, 1, "reload")
        host.process.send_signal(signal.SIGHUP)
        pt.wait_for("the refusal", lambda: "run-dir cannot change"
                    in host.log())
        with open(host.conf_path, "w", encoding="utf-8") as f:
            f.write(text)
        # A certificate that does not fit its key: the old one stays.
        cert = os.path.join(host.dir, "tls/cert.pem")
        with open(cert, encoding="ascii") as f:
            chain = f.read()
        with open(cert, "w", encoding="ascii") as f:
            f.write("nothing")
        refused(host, 1, "reload", says="cert.pem")
        assert can_log_in(host, host.user(1), host.password(1))
        with open(cert, "w", encoding="ascii") as f:
            f.write(chain)
        host.admin("reload")


def test_stopped():
    with pt.Host(accounts=2, start=False) as host:
        refused(host, 1, "stop", says="not running")
        refused(host, 1, "status")
        host.admin("account", "add", "web100p3", "--password-stdin",
                   stdin=b"geheim\n")
        same(len(as_json(host, "account", "list")), 3)
        assert as_json(host, "fsck")["ok"]
        assert as_json(host, "store", "status")["has_space"]
        host.start()
        assert can_log_in(host, "web100p3", "geheim")
        # Whoever comes second is told so.
        run = subprocess.run([host.program, "-c", host.conf_path, "serve"],
                             stderr=subprocess.PIPE, check=False)
        same(run.returncode, 1)
        assert b"in use" in run.stderr
        host.admin("stop")
        same(host.process.wait(5), 0)
        refused(host, 1, "status")


def test_quickstart_again():
    with pt.Host(accounts=2, start=False) as host:
        def files():
            found = {}
            for name in ("posthof.conf", "tls/ca.pem", "tls/ca.key",
                         "tls/cert.pem", "tls/key.pem"):
                with open(os.path.join(host.dir, name), "rb") as f:
                    found[name] = f.read()
            return found
        before = files()
        run = [host.program, "quickstart", host.dir, "--domain", pt.DOMAIN,
               "--accounts", "3", "--json"]
        out = json.loads(subprocess.run(run, check=True,
                                        stdout=subprocess.PIPE).stdout)
        same(files(), before)
        same([a["password"] is None for a in out["accounts"]],
             [True, True, False])
        host.start()
        assert can_log_in(host, host.user(1), host.password(1))
        assert can_log_in(host, "web100p3", out["accounts"][2]["password"])


def test_port_in_use():
    with pt.Host(accounts=1, start=False) as host:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", host.port("pop3")))
            s.listen()
            run = subprocess.run(
                [host.program, "-c", host.conf_path, "serve"],
                stderr=subprocess.PIPE, check=False, timeout=30 * pt.SLOW)
        same(run.returncode, 1)
        assert f"port {host.port('pop3')} is in use" in run.stderr.decode()


def up_again(status, restarts):
    return (status["restarts"] >= restarts and status["state"] == "running"
            and all(d["state"] == "up" for d in status["daemons"]))


def test_crashes():
    with pt.Host(accounts=1) as host:
        for restarts, name in enumerate(sorted(DAEMONS), 1):
            host.kill(name)
            pt.wait_for("status after a crash", lambda: up_again(
                as_json(host, "status"), restarts), 20)
            # A command that comes in between waits.
            same(len(as_json(host, "account", "list")), 1)
            assert can_log_in(host, host.user(1), host.password(1))
        same(as_json(host, "status")["restarts"], len(DAEMONS))


def test_queue():
    # Nobody listens at port 1: everything for others waits.
    with pt.Host(accounts=1, conf={"smarthost": '"127.0.0.1:1"'}) as host:
        c = host.submit(1)
        c.sendmail(host.address(1), ["a@fern.example", "b@weit.example"],
                   b"Subject: q\r\n\r\nx\r\n")
        rows = pt.wait_for("a tried queue", lambda: [
            r for r in as_json(host, "queue", "list") if r["attempts"]])
        to = sorted(a for r in rows for a in r["recipients"])
        shown = as_json(host, "queue", "show", rows[0]["id"])
        assert shown["recipients"][0]["state"] == "pending"
        assert shown["recipients"][0]["reply"] != ""
        assert rows[0]["id"] in host.admin("queue", "list")
        assert to[0] in host.admin("queue", "show", rows[0]["id"]) + " ".join(
            to)
        host.admin("queue", "hold", "--all")
        assert all(r["state"] == "held"
                   for r in as_json(host, "queue", "list"))
        refused(host, 1, "queue", "retry", rows[0]["id"], says="held")
        host.admin("queue", "release", "--all")
        host.admin("queue", "retry", "--domain", "fern.example")
        pt.wait_for("another try", lambda: any(
            r["attempts"] > 1 for r in as_json(host, "queue", "list")))
        host.admin("queue", "drop", "--all")
        same(as_json(host, "queue", "list"), [])


def test_manual():
    program = os.path.join(pt.BIN, "posthof")
    made = subprocess.run([program, "sample-config", "--man"], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    with open(os.path.join(pt.REPO, "admin/posthof.conf.5"),
              encoding="utf-8") as f:
        if made not in f.read():
            raise pt.Failure("posthof.conf.5 is not what `posthof "
                             "sample-config --man` makes of opts.def")
    run = subprocess.run([program, "help"], check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    with open(os.path.join(pt.REPO, "admin/posthof.8"),
              encoding="utf-8") as f:
        page = f.read().replace("\\-", "-")
    for line in run.splitlines():
        words = line.split()
        if line.startswith("  ") and words[0] not in page:
            raise pt.Failure(f"posthof.8 does not know {words[0]}")


if __name__ == "__main__":
    pt.main(globals())
