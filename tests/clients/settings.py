#!/usr/bin/env python3
"""What mail programs are told, fed to what reads it: Thunderbird's rules,
Outlook's schema, Apple's property list, a DNS resolver, an HTML parser."""

import html.parser
import json
import os
import plistlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))

import outside
import posthof_test as pt
from posthof_test import same

AD = "http://schemas.microsoft.com/exchange/autodiscover/"


def settings(host, who, *words):
    return host.admin("settings", who, *words, check=False).stdout


# -- Thunderbird

class Refused(AssertionError):
    """Thunderbird would not take this configuration."""


def sanitized(text, pattern, what):
    if not re.fullmatch(pattern, text or ""):
        raise Refused(f"{what}: {text!r}")
    return text


def server_of(element, types):
    """One server, by the rules of Mozilla's config-v1.1 reader: a known
    type, an ASCII host name, a port, one of three socket types, a user name,
    a known way to authenticate."""
    kind = element.get("type")
    if kind not in types:
        raise Refused(f"type {kind!r}")
    socket_type = {"SSL": "tls", "STARTTLS": "starttls", "plain": "plain"}
    ways = {"password-cleartext", "password-encrypted", "NTLM", "GSSAPI",
            "client-IP-address", "TLS-client-cert", "OAuth2", "none"}
    auth = [a.text for a in element.findall("authentication")
            if a.text in ways]
    port = int(sanitized(element.findtext("port"), r"\d+", "port"))
    if not 1 <= port <= 65535 or not auth:
        raise Refused("port or authentication")
    return {
        "type": kind,
        "hostname": sanitized(element.findtext("hostname"),
                              r"[A-Za-z0-9.-]+", "hostname").lower(),
        "port": port,
        "socket": socket_type[sanitized(element.findtext("socketType"),
                                        "SSL|STARTTLS|plain", "socket")],
        "username": sanitized(element.findtext("username"), r"[^\s]+",
                              "username"),
        "auth": auth[0],
    }


def thunderbird(xml, address):
    """What Thunderbird sets up: the first incoming and outgoing server."""
    root = ET.fromstring(xml)
    if root.tag != "clientConfig" or root.get("version") != "1.1":
        raise Refused("root")
    provider = root.find("emailProvider")
    sanitized(provider.get("id"), r"[A-Za-z0-9.-]+", "id")
    domains = [sanitized(d.text, r"[A-Za-z0-9.-]+", "domain")
               for d in provider.findall("domain")]
    if address.rpartition("@")[2] not in domains:
        raise Refused("domain")
    if not provider.findtext("displayName"):
        raise Refused("displayName")
    incoming = [server_of(e, {"imap", "pop3"})
                for e in provider.findall("incomingServer")]
    outgoing = [server_of(e, {"smtp"})
                for e in provider.findall("outgoingServer")]
    for server in incoming + outgoing:
        server["username"] = server["username"] \
            .replace("%EMAILADDRESS%", address) \
            .replace("%EMAILLOCALPART%", address.partition("@")[0]) \
            .replace("%EMAILDOMAIN%", address.rpartition("@")[2])
    return incoming, outgoing


def ports(host, servers):
    names = {("imap", "tls"): "imaps", ("imap", "starttls"): "imap",
             ("pop3", "tls"): "pop3s", ("pop3", "starttls"): "pop3",
             ("smtp", "tls"): "submissions",
             ("smtp", "starttls"): "submission"}
    for s in servers:
        same(s["port"], host.port(names[s["type"], s["socket"]]))
        same(s["auth"], "password-cleartext")
    return [(s["type"], s["socket"]) for s in servers]


def test_thunderbird(host):
    """The account's name or the address, whichever was asked with."""
    for who in (host.user(1), host.address(1)):
        xml = settings(host, who, "--format", "autoconfig")
        incoming, outgoing = thunderbird(xml, host.address(1))
        same(ports(host, incoming),
             [("imap", "tls"), ("imap", "starttls"),
              ("pop3", "tls"), ("pop3", "starttls")])
        same(ports(host, outgoing), [("smtp", "tls"), ("smtp", "starttls")])
        for server in incoming + outgoing:
            same(server["hostname"], pt.DOMAIN)
            same(server["username"], who)


# -- Outlook

PROTOCOL_ORDER = ["Type", "ExpirationDate", "TTL", "Server", "Port",
                  "DomainRequired", "DomainName", "LoginName", "SPA", "SSL",
                  "Encryption", "AuthRequired", "UsePOPAuth", "SMTPLast"]


def outlook(xml):
    """{type: {element: text}} by the rules of the 2006a schema: namespaces,
    required elements, known ones only, their words."""
    root = ET.fromstring(xml)
    same(root.tag, f"{{{AD}responseschema/2006}}Autodiscover")
    ns = f"{{{AD}outlook/responseschema/2006a}}"
    response = root.find(ns + "Response")
    account = response.find(ns + "Account")
    same(account.findtext(ns + "AccountType"), "email")
    same(account.findtext(ns + "Action"), "settings")
    found = {}
    for protocol in account.findall(ns + "Protocol"):
        names = [e.tag.removeprefix(ns) for e in protocol]
        assert set(names) <= set(PROTOCOL_ORDER), names
        same(len(names), len(set(names)))
        p = {e.tag.removeprefix(ns): e.text for e in protocol}
        assert p["Type"] in ("IMAP", "POP3", "SMTP"), p
        for word in ("DomainRequired", "SPA", "SSL", "AuthRequired",
                     "UsePOPAuth", "SMTPLast"):
            assert p.get(word, "on") in ("on", "off"), p
        assert p["Encryption"] in ("None", "SSL", "TLS", "Auto"), p
        assert 1 <= int(p["Port"]) <= 65535
        found.setdefault(p["Type"], p)
    return found


def test_outlook(host):
    found = outlook(settings(host, host.address(1), "--format",
                             "autodiscover"))
    doors = {"IMAP": "imaps", "POP3": "pop3s", "SMTP": "submissions"}
    same(set(found), set(doors))
    for kind, door in doors.items():
        p = found[kind]
        same((p["Server"], int(p["Port"]), p["LoginName"], p["Encryption"],
              p["AuthRequired"]),
             (pt.DOMAIN, host.port(door), host.address(1), "SSL", "on"))


# -- Apple

def apple(profile):
    """The mail payload, by the rules of Apple's profile reference."""
    top = plistlib.loads(profile)
    same(top["PayloadType"], "Configuration")
    for part in (top, *top["PayloadContent"]):
        same(part["PayloadVersion"], 1)
        assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}",
                            part["PayloadUUID"]), part["PayloadUUID"]
        assert part["PayloadIdentifier"] and part["PayloadDisplayName"]
    mail, = top["PayloadContent"]
    same(mail["PayloadType"], "com.apple.mail.managed")
    assert mail["EmailAccountType"] in ("EmailTypeIMAP", "EmailTypePOP")
    for side in ("Incoming", "Outgoing"):
        same(mail[side + "MailServerAuthentication"], "EmailAuthPassword")
        same(mail[side + "MailServerUseSSL"], True)
    return mail


def check_apple(host, profile, login):
    mail = apple(profile)
    same(mail["IncomingMailServerHostName"], pt.DOMAIN)
    same(mail["IncomingMailServerPortNumber"], host.port("imaps"))
    same(mail["OutgoingMailServerPortNumber"], host.port("submissions"))
    same(mail["IncomingMailServerUsername"], login)
    same(mail["OutgoingMailServerUsername"], login)
    same(mail["OutgoingPasswordSameAsIncomingPassword"], True)


def test_apple_unsigned(host):
    one = settings(host, host.address(1), "--format", "mobileconfig")
    check_apple(host, one, host.address(1))
    same(settings(host, host.address(1), "--format", "mobileconfig"), one)
    other = settings(host, host.address(2), "--format", "mobileconfig")
    assert plistlib.loads(one)["PayloadUUID"] != \
        plistlib.loads(other)["PayloadUUID"]


def verify(host, der):
    """openssl's judgement of the signature; the content."""
    with tempfile.NamedTemporaryFile() as f:
        f.write(der)
        f.flush()
        run = subprocess.run(
            ["openssl", "cms", "-verify", "-inform", "DER", "-in", f.name,
             "-CAfile", host.ca, "-purpose", "any"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout


def test_apple_signed(host):
    """profile-cert and profile-key: running, reloaded, and stopped."""
    tls = os.path.dirname(host.ca)
    pair = {"profile-cert": f'"{tls}/cert.pem"',
            "profile-key": f'"{tls}/key.pem"'}
    with pt.Host(accounts=1, conf={
            "profile-cert": '"tls/cert.pem"',
            "profile-key": '"tls/key.pem"'}) as own:
        der = settings(own, own.address(1), "--format", "mobileconfig")
        check_apple(own, verify(own, der), own.address(1))
        own.stop()
        der = settings(own, own.address(1), "--format", "mobileconfig")
        check_apple(own, verify(own, der), own.address(1))
        own.start()
    host.set_conf(pair)
    host.admin("reload")
    der = settings(host, host.address(1), "--format", "mobileconfig")
    check_apple(host, verify(host, der), host.address(1))
    host.set_conf({"profile-cert": '""', "profile-key": '""'})
    host.admin("reload")
    check_apple(host, settings(host, host.address(1), "--format",
                               "mobileconfig"), host.address(1))


def test_key_that_does_not_fit(host):
    host.set_conf({"profile-cert": '"tls/ca.pem"',
                   "profile-key": '"tls/key.pem"'})
    run = host.admin("reload", check=False)
    host.set_conf({"profile-cert": '""', "profile-key": '""'})
    same(run.returncode, 1)
    assert b"profile-cert" in run.stderr, run.stderr
    host.admin("reload")


def test_check_config(host):
    host.set_conf({"profile-cert": '"tls/nothing.pem"',
                   "listen-metrics": '{"0.0.0.0:9"}'})
    run = host.admin("check-config", check=False)
    host.set_conf({"profile-cert": '""', "listen-metrics":
                   '{"127.0.0.1:%d"}' % host.port("metrics")})
    same(run.returncode, 1)
    assert b"profile-cert" in run.stderr, run.stderr
    assert b"warning: 0.0.0.0:9" in run.stderr, run.stderr
    same(host.admin("check-config", check=False).stderr, b"")


# -- DNS

def ask_srv(port, name):
    """[(priority, weight, port, target)] from a name server."""
    labels = b"".join(struct.pack("B", len(x)) + x.encode()
                      for x in name.split(".")) + b"\0"
    query = struct.pack(">6H", 77, 0x100, 1, 0, 0, 0) + labels + \
        struct.pack(">HH", 33, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        s.sendto(query, ("127.0.0.1", port))
        answer = s.recv(4096)

    def read_name(at):
        words = []
        while answer[at]:
            if answer[at] >= 0xc0:
                pointer = struct.unpack(">H", answer[at:at + 2])[0] & 0x3fff
                return ".".join(filter(None, [*words,
                                              read_name(pointer)[0]])), at + 2
            words.append(answer[at + 1:at + 1 + answer[at]].decode())
            at += 1 + answer[at]
        return ".".join(words), at + 1

    count = struct.unpack(">H", answer[6:8])[0]
    at, found = len(query), []
    for _ in range(count):
        _, at = read_name(at)
        size = struct.unpack(">H", answer[at + 8:at + 10])[0]
        found.append((*struct.unpack(">3H", answer[at + 10:at + 16]),
                      read_name(at + 16)[0]))
        at += 10 + size
    return found


def test_srv(host):
    """RFC 6186: the lines, served by dnsmasq, lead to servers that greet."""
    lines = settings(host, host.user(1), "--format", "srv").decode()
    want = {}
    records = []
    for line in lines.splitlines():
        name, _, kind, *rest = line.split()
        if kind != "SRV" or name.startswith("_autodiscover"):
            continue
        priority, weight, port, target = rest
        want[name[:-1]] = (int(priority), int(weight), int(port),
                           target.rstrip("."))
        records.append(f"--srv-host={name[:-1]},{target.rstrip('.')},{port},"
                       f"{priority},{weight}")
    same(set(want), {f"_{s}._tcp.{pt.DOMAIN}" for s in
                     ("imap", "imaps", "pop3", "pop3s", "submission",
                      "submissions")})
    with outside.Zone(records) as zone:
        for name, record in want.items():
            same(ask_srv(zone.port, name), [record])
            same(record[3], pt.DOMAIN)
            same(record[2], host.port(name.split(".")[0][1:]))
    assert want[f"_imaps._tcp.{pt.DOMAIN}"] < want[f"_pop3s._tcp.{pt.DOMAIN}"]
    assert lines in host.admin("domain", "dns", pt.DOMAIN)


# -- people

class Reader(html.parser.HTMLParser):
    """Well-formed, and what assistive technology needs is there."""

    VOID = {"meta", "input", "br"}

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.words = [], [], []
        self.ids, self.refs = set(), set()
        self.feed(page)
        self.close()
        same(self.open, [])

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.seen.append((tag, attrs))
        if "id" in attrs:
            assert attrs["id"] not in self.ids
            self.ids.add(attrs["id"])
        self.refs.update(attrs[a] for a in ("for", "aria-labelledby")
                         if a in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        same(self.open.pop(), tag)

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.seen if name == tag]


def check_page(page, lang):
    reader = Reader(page)
    same(reader.all("html"), [{"lang": lang}])
    same(len(reader.all("h1")), 1)
    same(len(reader.all("main")), 1)
    same(len(reader.all("title")), 1)
    assert reader.refs <= reader.ids
    assert all(t.get("scope") == "row" for t in reader.all("th"))
    assert not reader.all("script") + reader.all("img") + reader.all("link")
    assert "@media print" in page and "@import" not in page
    assert "url(" not in page
    return " ".join(" ".join(reader.words).split())


def test_page(host):
    for lang, words in {
            "de": ("Posteingang mit IMAP", "Posteingang mit POP3",
                   "Postausgang", "Server erfordert Authentifizierung ja",
                   "IMAP oder POP3?"),
            "en": ("Incoming mail with IMAP", "Incoming mail with POP3",
                   "Outgoing mail", "Server requires authentication yes",
                   "IMAP or POP3?")}.items():
        page = settings(host, host.user(1), "--format", "html", "--lang",
                        lang).decode()
        text = check_page(page, lang)
        for word in words:
            assert word in text, word
        for door in ("imaps", "imap", "pop3s", "pop3", "submissions",
                     "submission"):
            assert f" {host.port(door)} " in text, door


def test_json(host):
    sheet = json.loads(settings(host, host.user(1), "--format", "json"))
    same(sheet["account"], host.user(1))
    same([(p["port"], p["security"]) for p in sheet["pop3"]["ports"]],
         [(host.port("pop3s"), "SSL/TLS"), (host.port("pop3"), "STARTTLS")])


def test_server_name(host):
    """settings-server says what the server is called."""
    host.set_conf({"settings-server": '"mail.%d"'})
    host.admin("reload")
    try:
        for form in ("text", "html", "json", "autoconfig", "autodiscover",
                     "mobileconfig", "srv"):
            assert ("mail." + pt.DOMAIN).encode() in settings(
                host, host.user(1), "--format", form), form
    finally:
        host.set_conf({"settings-server": '"%d"'})
        host.admin("reload")


if __name__ == "__main__":
    pt.main(globals())
