#!/usr/bin/env python3
"""The web server of settings and figures: what mail programs ask of it, what
strangers try, and that the mail does not care when it falls."""

import http.client
import imaplib
import os
import re
import signal
import socket
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
sys.path.insert(0, os.path.dirname(__file__))

import posthof_test as pt
import settings as st
from settings import same

OUTLOOK = f"{st.AD}outlook/responseschema/2006a"
MOBILE = f"{st.AD}mobilesync/responseschema/2006"


def ask(host, path, method="GET", body=None, headers=None, door="http"):
    c = http.client.HTTPConnection("127.0.0.1", host.port(door), timeout=20)
    try:
        c.request(method, path, body, headers or {})
        r = c.getresponse()
        return r.status, dict(r.getheaders()), r.read()
    finally:
        c.close()


def quiet(call):
    """What it returns, or None when there is nobody to talk to."""
    try:
        return call()
    except OSError:
        return None


def good(host, path, **more):
    status, headers, body = ask(host, path, **more)
    while status == 503:        # the domains have not come yet
        time.sleep(0.1)
        status, headers, body = ask(host, path, **more)
    same(status, 200)
    return headers, body


def discover(host, address, schema=OUTLOOK,
             path="/autodiscover/autodiscover.xml"):
    request = f"""<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="{st.AD}outlook/requestschema/2006">
  <Request><EMailAddress>{address}</EMailAddress>
    <AcceptableResponseSchema>{schema}</AcceptableResponseSchema>
  </Request>
</Autodiscover>""".encode()
    return good(host, path, method="POST", body=request,
                headers={"Content-Type": "text/xml"})[1]


def test_thunderbird(host):
    """Both places it looks at; with the address, and by the name alone."""
    for path in ("/mail/config-v1.1.xml",
                 "/.well-known/autoconfig/mail/config-v1.1.xml"):
        headers, xml = good(
            host, f"{path}?emailaddress={urllib.parse.quote(host.address(1))}")
        assert headers["Content-Type"].startswith("text/xml")
        for s in sum(st.thunderbird(xml, host.address(1)), []):
            same((s["hostname"], s["username"]),
                 (pt.DOMAIN, host.address(1)))
    for name in (f"autoconfig.{pt.DOMAIN}", pt.DOMAIN,
                 f"Autoconfig.{pt.DOMAIN.upper()}:443"):
        _, xml = good(host, "/mail/config-v1.1.xml", headers={"Host": name})
        assert b"%EMAILADDRESS%" in xml
        incoming, outgoing = st.thunderbird(xml, host.address(2))
        same(st.ports(host, incoming)[0], ("imap", "tls"))
        same(outgoing[0]["username"], host.address(2))


def test_thunderbird_sets_up(host):
    """What it is told works: log in, as the address, at each server."""
    _, xml = good(host, "/mail/config-v1.1.xml?emailaddress="
                  + host.address(1))
    incoming, outgoing = st.thunderbird(xml, host.address(1))
    doors = [next(d for d in (*pt.PORTS,) if host.port(d) == s["port"])
             for s in incoming + outgoing]
    same(doors, ["imaps", "imap", "pop3s", "pop3", "submissions",
                 "submission"])
    c = imaplib.IMAP4_SSL("127.0.0.1", incoming[0]["port"],
                          ssl_context=host.tls())
    same(c.login(incoming[0]["username"], host.password(1))[0], "OK")
    c.logout()


def test_outlook(host):
    """Any case of the path; the address is the login."""
    for path in ("/autodiscover/autodiscover.xml",
                 "/Autodiscover/Autodiscover.xml",
                 "/AutoDiscover/AutoDiscover.xml"):
        found = st.outlook(discover(host, host.address(1), path=path))
        same(set(found), {"IMAP", "POP3", "SMTP"})
        for p in found.values():
            same((p["Server"], p["LoginName"]), (pt.DOMAIN, host.address(1)))
    _, answer = good(host, "/autodiscover/autodiscover.json/v1.0/"
                     + host.address(1) + "?Protocol=AutodiscoverV1")
    assert b'"Url":"https://autodiscover.' in answer


def test_outlook_errors(host):
    """[MS-OXDSCLI]: errors are XML too."""
    url = "/autodiscover/autodiscover.xml"
    assert b"<ErrorCode>600<" in good(host, url)[1]
    assert b"<ErrorCode>600<" in good(host, url, method="POST",
                                      body=b"<a>")[1]
    assert b"<ErrorCode>601<" in discover(host, host.address(1), MOBILE)
    assert b"<ErrorCode>500<" in discover(host, "a@elsewhere.example")


def test_apple(host):
    headers, profile = good(host, "/mail.mobileconfig?emailaddress="
                            + host.address(1))
    same(headers["Content-Type"], "application/x-apple-aspen-config")
    st.check_apple(host, profile, host.address(1))


def test_apple_signed(host):
    host.set_conf({"profile-cert": '"tls/cert.pem"',
                   "profile-key": '"tls/key.pem"'})
    host.admin("reload")
    url = "/mail.mobileconfig?emailaddress=" + host.address(1)
    st.check_apple(host, st.verify(host, good(host, url)[1]),
                   host.address(1))
    host.set_conf({"profile-cert": '""', "profile-key": '""'})
    host.admin("reload")
    st.check_apple(host, good(host, url)[1], host.address(1))


def test_page(host):
    """A form; then the settings, in the reader's language."""
    for accept, lang in (("en-GB,de;q=0.5", "en"), ("fr,de-AT", "de"),
                         ("fr", "de")):
        headers, page = good(host, "/settings",
                             headers={"Accept-Language": accept})
        same(headers["Content-Language"], lang)
        st.check_page(page.decode(), lang)
        assert b"<form" in page
    headers, page = good(host, "/settings?lang=en&emailaddress="
                         + host.address(1))
    text = st.check_page(page.decode(), "en")
    assert f" {host.port('imaps')} " in text and host.address(1) in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    status, _, page = ask(host, "/settings?emailaddress=a%40elsewhere.example")
    same(status, 404)
    assert 'role="alert"' in page.decode()
    assert "elsewhere" not in page.decode()


def test_all_addresses_look_alike(host):
    """One that exists and one that does not: the same bytes but for the
    address itself."""
    there = host.address(1)
    # As long, so that every length is the same.
    absent = "z" * (len(there) - len(pt.DOMAIN) - 1) + "@" + pt.DOMAIN
    for make in (lambda a: ask(host, "/mail/config-v1.1.xml?emailaddress=" + a),
                 lambda a: ask(host, "/settings?emailaddress=" + a),
                 lambda a: (0, {}, discover(host, a))):
        one, other = make(there), make(absent)
        same(one[0], other[0])
        same({k: v for k, v in one[1].items() if k != "Date"},
             {k: v for k, v in other[1].items() if k != "Date"})
        same(one[2].replace(there.encode(), b"X"),
             other[2].replace(absent.encode(), b"X"))


def test_umlauts(host):
    """U10: asked in U-labels, told in A-labels."""
    host.admin("domain", "add", "müller.example", "--package", pt.PACKAGE)
    pt.wait_for("the domain", lambda: ask(
        host, "/mail/config-v1.1.xml?emailaddress=a%40m%C3%BCller.example")[0]
        == 200)
    _, xml = good(host, "/mail/config-v1.1.xml?emailaddress="
                  "a%40m%C3%BCller.example")
    xml.decode("ascii")
    incoming, _ = st.thunderbird(xml, "a@xn--mller-kva.example")
    same(incoming[0]["hostname"], "xn--mller-kva.example")
    same(incoming[0]["username"], "a@xn--mller-kva.example")


def test_domains_come_and_go(host):
    url = "/mail/config-v1.1.xml?emailaddress=a%40new.example"
    same(ask(host, url)[0], 404)
    host.admin("domain", "add", "new.example", "--package", pt.PACKAGE)
    pt.wait_for("the domain", lambda: ask(host, url)[0] == 200)
    host.admin("domain", "del", "new.example")
    pt.wait_for("its end", lambda: ask(host, url)[0] == 404)


def test_a_plus_that_was_not_escaped(host):
    for form in ("a+b", "a%2Bb"):
        _, xml = good(host, "/mail/config-v1.1.xml?emailaddress="
                      + form + "@" + pt.DOMAIN)
        assert b"<username>a+b@" in xml


# -- strangers

def test_bad_requests(host):
    base = "/mail/config-v1.1.xml?emailaddress="
    for bad in ("", "x", "@" + pt.DOMAIN, "a@", "a@@b", "a%00b@" + pt.DOMAIN,
                "a%0d%0aX:1@" + pt.DOMAIN, "%ff@" + pt.DOMAIN, "a" * 400
                + "@" + pt.DOMAIN, "<a>@" + pt.DOMAIN):
        status, headers, body = ask(host, base + bad)
        assert status in (200, 400, 404), (bad, status)
        assert "X" not in headers and b"<a>" not in body
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE"):
        status, headers, _ = ask(host, "/settings", method=method)
        same((status, headers["Allow"]), (405, "GET, HEAD"))
    same(ask(host, "/nothing")[0], 404)
    same(ask(host, "/../../etc/passwd")[0], 404)
    same(ask(host, "/settings", method="HEAD")[2], b"")


def test_too_much(host):
    """A body, a head, a line: capped, and the server lives."""
    status = ask(host, "/autodiscover/autodiscover.xml", method="POST",
                 body=b"<a>" * 100000)[0]
    same(status, 413)
    same(ask(host, "/settings", method="POST", body=b"x")[0], 413)
    for data in (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
                 b"\0" * 1000 + b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
                 b"POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: x\r\n"
                 b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"):
        with socket.create_connection(("127.0.0.1", host.port("http"))) as s:
            s.settimeout(2)
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
            except OSError:
                pass
    good(host, "/settings")


def test_many_connections(host):
    """A thousand that say nothing do not keep others out for long, nor
    make memory grow without end."""
    idle = []
    try:
        for _ in range(400):
            s = socket.create_connection(("127.0.0.1", host.port("http")))
            idle.append(s)
        pid, = host.children()["webd"]
        with open(f"/proc/{pid}/statm", encoding="ascii") as f:
            pages = int(f.read().split()[1])
        assert pages * 4096 < (100 << 20) * pt.SLOW, pages
    finally:
        for s in idle:
            s.close()
    pt.wait_for("an answer", lambda: ask(host, "/settings")[0] == 200)


# -- figures

def figures(host):
    headers, text = good(host, "/metrics", door="metrics")
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return prometheus(text.decode())


def prometheus(text):
    """{(name, labels): value} by the rules of the text format: HELP and TYPE
    before the samples, once each; samples of a metric side by side."""
    found, typed, seen, now = {}, {}, set(), None
    for line in text.splitlines():
        if m := re.fullmatch(r"# HELP (\w+) .+", line):
            assert m[1] not in seen, m[1]
            seen.add(m[1])
            now = m[1]
        elif m := re.fullmatch(r"# TYPE (\w+) (counter|gauge)", line):
            same(m[1], now)
            typed[now] = m[2]
        else:
            m = re.fullmatch(r'(\w+)\{((?:\w+="[^"\\]*",?)+)\} '
                             r"(\d+(?:\.\d+)?)", line)
            assert m, line
            same(m[1], now)
            assert (m[1], m[2]) not in found, line
            assert typed[now] != "counter" or m[1].endswith("_total"), line
            found[m[1], m[2]] = float(m[3])
    assert text.endswith("\n")
    return found


def figure(host, name, labels):
    return figures(host)["posthof_" + name, labels]


def test_figures_rise(host):
    before = figures(host)
    c = host.imap(1)
    c.logout()
    bad = socket.create_connection(("127.0.0.1", host.port("pop3")))
    bad.close()
    host.deliver(2, b"Subject: x\r\n\r\nx\r\n")

    def rose(name, labels, by):
        key = "posthof_" + name, labels
        return figures(host)[key] >= before[key] + by

    for name, labels, by in (
            ("connections_total", 'program="imapd"', 1),
            ("logins_total", 'program="imapd",result="good"', 1),
            ("connections_total", 'program="pop3d"', 1),
            ("messages_accepted_total", 'program="submitd"', 1),
            ("deliveries_total", 'program="submitd"', 1),
            ("message_bytes_accepted_total", 'program="submitd"', 10),
            ("sent_bytes_total", 'program="imapd"', 50)):
        pt.wait_for(name, lambda: rose(name, labels, by))


def test_bad_logins_are_counted(host):
    key = 'program="imapd",result="bad"'
    before = figure(host, "logins_total", key)
    c = imaplib.IMAP4_SSL("127.0.0.1", host.port("imaps"),
                          ssl_context=host.tls())
    try:
        c.login(host.user(1), "wrong")
    except imaplib.IMAP4.error:
        pass
    c.shutdown()
    same(figure(host, "logins_total", key), before + 1)


def test_figures_of_now(host):
    now = time.time()
    f = figures(host)
    for program in ("keeper", "imapd", "pop3d", "submitd", "webd"):
        same(f["posthof_up", f'program="{program}"'], 1)
        assert f["posthof_process_resident_memory_bytes",
                 f'program="{program}"'] > 1 << 20
        assert abs(f["posthof_process_start_time_seconds",
                     f'program="{program}"'] - now) < 3600
    keeper = 'program="keeper"'
    assert f["posthof_store_free_bytes", keeper] > 0
    assert abs(f["posthof_last_checkpoint_seconds", keeper] - now) < 3600
    assert f["posthof_store_bytes", keeper + ',part="mail"'] > 0
    assert f["posthof_store_bytes", keeper + ',part="index"'] > 0
    assert f["posthof_domains", keeper] >= 1
    same(f["posthof_queue_messages", keeper + ',state="held"'], 0)
    c = host.imap(1)
    pt.wait_for("a session", lambda: figure(
        host, "sessions", 'program="imapd"') >= 1)
    c.logout()
    pt.wait_for("its end", lambda: figure(
        host, "sessions", 'program="imapd"') == 0)


def test_doors_apart(host):
    """Figures are not on the web door, nor settings on the other."""
    same(ask(host, "/metrics")[0], 404)
    same(ask(host, "/settings", door="metrics")[0], 404)


def test_status(host):
    """posthof status has the rates and the store."""
    host.imap(1).logout()
    status = st.json.loads(host.admin("status", "--json"))
    daemons = {d["name"]: d for d in status["daemons"]}
    assert daemons["imapd"]["per_minute"]["logins_good"] >= 1
    assert daemons["imapd"]["totals"]["connections"] >= 1
    for key in ("last_checkpoint", "last_backup", "mail_bytes",
                "index_bytes", "queue_queued", "queue_scheduled"):
        assert key in status["store"], key
    same(status["store"]["last_backup"], None)
    text = host.admin("status")
    for word in ("LAST MINUTE", "LOGINS", "Last checkpoint", "Last backup"):
        assert word in text, word


# -- it falls alone

def test_zz_falls_alone(host):
    """kill -9: started again after a second; no session ends, no recovery."""
    c = host.imap(1)
    logins = figure(host, "logins_total", 'program="imapd",result="good"')
    others = {k: v for k, v in host.children().items() if k != "webd"}
    pid, = host.children()["webd"]
    os.kill(pid, signal.SIGKILL)
    pt.wait_for("another", lambda: host.children().get("webd", [pid])
                != [pid])
    pt.wait_for("an answer", lambda: quiet(
        lambda: ask(host, "/settings")[0]) == 200)
    same(c.noop()[0], "OK")
    same({k: v for k, v in host.children().items() if k != "webd"}, others)
    same(figure(host, "starts_total", 'program="webd"'), 2)
    same(figure(host, "failures_total", 'program="webd"'), 1)
    same(figure(host, "recoveries_total", 'program="posthof"'), 0)
    same(figure(host, "logins_total", 'program="imapd",result="good"'),
         logins)
    pt.wait_for("domains", lambda: ask(
        host, "/mail/config-v1.1.xml?emailaddress=" + host.address(1))[0]
        == 200)
    c.logout()


def test_zz_stays_when_others_fall():
    """A recovery leaves it and its counts; counters go on."""
    with pt.Host(accounts=1) as own:
        own.expect_restarts = True
        own.imap(1).logout()
        web = own.children()["webd"]
        own.kill("imapd")
        pt.wait_for("the recovery", lambda: quiet(lambda: figure(
            own, "up", 'program="imapd"')) == 1 and figure(
                own, "recoveries_total", 'program="posthof"') == 1)
        own.wait_ready()
        same(own.children()["webd"], web)
        same(figure(own, "failures_total", 'program="imapd"'), 1)
        own.imap(1).logout()
        same(figure(own, "logins_total",
                    'program="imapd",result="good"'), 2)


def test_zz_no_doors_no_program():
    with pt.Host(accounts=1, conf={"listen-http": "{}",
                                   "listen-metrics": "{}"}) as own:
        assert "webd" not in own.children()
        status = st.json.loads(own.admin("status", "--json"))
        assert "webd" not in {d["name"] for d in status["daemons"]}


if __name__ == "__main__":
    pt.main(globals())
