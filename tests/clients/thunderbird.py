#!/usr/bin/env python3
"""Debian's Thunderbird, headless, driven through its Marionette socket: its
own reader takes our autoconfig, and an account set up from it finds folders,
reads, flags, moves, deletes, and hears of new mail by IDLE."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))

import outside
import posthof_test as pt
from posthof_test import same

PROGRAM = shutil.which("thunderbird")

# Every script begins with these and ends by calling done().
PRELUDE = """
const done = arguments[arguments.length - 1];
const { MailServices } = ChromeUtils.importESModule(
    "resource:///modules/MailServices.sys.mjs");
const server = () => MailServices.accounts.allServers.find(
    s => s.type == "imap");
const folder = name => {
    const find = at => at.name.toLowerCase() == name.toLowerCase() ? at
        : [...at.subFolders].map(find).find(f => f);
    return find(server().rootFolder);
};
const later = (call) => Promise.resolve().then(call).then(
    v => done(v ?? null), e => done("ERROR " + e));
"""


class Thunderbird:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="posthof-tb-")
        self.count = 0
        port = outside.free_port()
        with open(f"{self.profile}/user.js", "w", encoding="ascii") as f:
            f.write(f'user_pref("marionette.port", {port});\n'
                    'user_pref("mail.biff.on_startup", false);\n'
                    'user_pref("mailnews.start_page.enabled", false);\n')
        self.process = subprocess.Popen(
            [PROGRAM, "--headless", "--marionette",
             "--remote-allow-system-access", "--no-remote", "--profile",
             self.profile],
            env={**os.environ, "HOME": self.profile},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.socket = pt.wait_for("Thunderbird", lambda: self.dial(port), 90)
        self.socket.settimeout(120 * pt.SLOW)
        self.read()
        self.call("WebDriver:NewSession", {"capabilities": {}})
        self.call("Marionette:SetContext", {"value": "chrome"})

    def dial(self, port):
        assert self.process.poll() is None, "Thunderbird ended"
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), 5)
        return None

    def take(self, n):
        data = b""
        while len(data) < n:
            got = self.socket.recv(n - len(data))
            assert got, "Thunderbird closed"
            data += got
        return data

    def read(self):
        size = b""
        while not size.endswith(b":"):
            size += self.take(1)
        return json.loads(self.take(int(size[:-1])))

    def call(self, name, params):
        self.count += 1
        text = json.dumps([0, self.count, name, params]).encode()
        self.socket.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self.read()
        assert not error, error
        return result

    def js(self, script, *args):
        value = self.call("WebDriver:ExecuteAsyncScript", {
            "script": PRELUDE + script, "args": list(args),
            "scriptTimeout": 60000 * pt.SLOW})["value"]
        assert not str(value).startswith("ERROR"), value
        return value

    def wait(self, what, script, *args):
        return pt.wait_for(what, lambda: self.js(script, *args), 60)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.socket.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def autoconfig(host, n):
    url = (f"http://127.0.0.1:{host.port('http')}/mail/config-v1.1.xml"
           f"?emailaddress={host.address(n)}")

    def fetch():
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(url, timeout=10) as r:
                return r.read().decode()
        return None
    return pt.wait_for("autoconfig", fetch)


def check_reader(tb, host):
    """Thunderbird's readFromXML."""
    config = tb.js("""
const { readFromXML } = ChromeUtils.importESModule(
    "resource:///modules/accountcreation/readFromXML.sys.mjs");
const { JXON } = ChromeUtils.importESModule(
    "resource:///modules/JXON.sys.mjs");
later(() => {
    const c = readFromXML(JXON.build(new DOMParser().parseFromString(
        arguments[0], "text/xml")), "test");
    const of = s => [s.type, s.hostname, s.port, s.username, s.socketType,
                     s.auth];
    return { incoming: [c.incoming, ...c.incomingAlternatives].map(of),
             outgoing: [c.outgoing, ...c.outgoingAlternatives].map(of) };
});""".replace("arguments[0]", "xml").replace("later(() => {",
                                              "const xml = arguments[0];\n"
                                              "later(() => {"),
                   autoconfig(host, 1))
    tls, starttls, password = 3, 2, 3
    address = host.address(1)
    want = [[kind, pt.DOMAIN, host.port(door), address, how, password]
            for kind, door, how in (
                ("imap", "imaps", tls), ("imap", "imap", starttls),
                ("pop3", "pop3s", tls), ("pop3", "pop3", starttls))]
    same(config["incoming"], want)
    same([s[2:] for s in config["outgoing"]],
         [[host.port("submissions"), address, tls, password],
          [host.port("submission"), address, starttls, password]])
    return config["incoming"][0]


def set_up(tb, host, config):
    """The account as it was read; only the name is one that resolves."""
    with open(host.ca, encoding="ascii") as f:
        pem = "".join(line for line in f.read().split("-----END")[0]
                      .splitlines() if "-----" not in line)
    tb.js("""
const [pem, port, user, socketType, auth, password, address] = arguments;
later(() => {
    Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB)
        .addCertFromBase64(pem, "C,C,C");
    const s = MailServices.accounts.createIncomingServer(user, "localhost",
                                                         "imap");
    s.port = port;
    s.socketType = socketType;
    s.authMethod = auth;
    s.password = password;
    const identity = MailServices.accounts.createIdentity();
    identity.email = address;
    const account = MailServices.accounts.createAccount();
    account.incomingServer = s;
    account.addIdentity(identity);
    s.performExpand(null);
});""", pem, config[2], config[3], config[4], config[5], host.password(1),
          host.address(1))


def update(tb, name):
    tb.js("""const name = arguments[0];
later(() => folder(name).updateFolder(null));""", name)


def subjects(tb, name):
    return tb.js("""const name = arguments[0];
later(() => [...folder(name).messages].map(m => m.mime2DecodedSubject));""",
                 name)


def test_thunderbird(host):
    for i in range(3):
        host.deliver(1, f"From: a@x.test\r\nSubject: tb {i}\r\n"
                     f"Message-ID: <tb{i}@x.test>\r\n\r\nText {i}\r\n"
                     .encode())
    imap = host.imap(1)
    imap.create('"B&APw-ro"')
    imap.subscribe('"B&APw-ro"')        # it shows no others
    imap.select("INBOX")
    with Thunderbird() as tb:
        print("# Thunderbird", tb.js("done(Services.appinfo.version);"))
        set_up(tb, host, check_reader(tb, host))
        tb.wait("the folders", 'later(() => !!folder("Büro"));')
        steps(tb, imap, host)
    imap.logout()


def steps(tb, imap, host):
    update(tb, "Inbox")
    pt.wait_for("messages", lambda: sorted(subjects(tb, "Inbox"))
                == ["tb 0", "tb 1", "tb 2"], 60)
    # Its special folders are ours (RFC 6154).
    flags = tb.js("""later(() => Object.fromEntries(
    ["Sent", "Drafts", "Trash", "Junk", "Archive"].map(n => [n,
        !!folder(n) && folder(n).flags & (Ci.nsMsgFolderFlags.SentMail |
            Ci.nsMsgFolderFlags.Drafts | Ci.nsMsgFolderFlags.Trash |
            Ci.nsMsgFolderFlags.Junk | Ci.nsMsgFolderFlags.Archive)])));""")
    assert all(flags.values()), flags
    # Flags go there ...
    tb.js("""later(() => {
    const of = s => [...folder("Inbox").messages].find(m => m.subject == s);
    folder("Inbox").markMessagesRead([of("tb 0")], true);
    folder("Inbox").markMessagesFlagged([of("tb 1")], true);
});""")

    def seen(criterion):
        imap.noop()
        return imap.search(None, criterion)[1][0]
    pt.wait_for("\\Seen", lambda: seen("SEEN") == b"1", 60)
    pt.wait_for("\\Flagged", lambda: seen("FLAGGED") == b"2", 60)
    # ... messages move ...
    tb.js("""later(() => MailServices.copy.copyMessages(folder("Inbox"),
    [...folder("Inbox").messages].filter(m => m.subject == "tb 2"),
    folder("Büro"), true, null, null, false));""")
    pt.wait_for("the move", lambda: imap.status(
        '"B&APw-ro"', "(MESSAGES)")[1] == [b'"B&APw-ro" (MESSAGES 1)'], 60)
    # ... and what comes in shows without being asked for (IDLE).
    before = time.monotonic()
    host.deliver(1, b"From: a@x.test\r\nSubject: tb new\r\n\r\nx\r\n")
    pt.wait_for("new mail by IDLE", lambda: "tb new" in subjects(tb, "Inbox"),
                60)
    print(f"# new mail seen after {time.monotonic() - before:.1f} s")
    # A body, as it is shown.
    text = tb.js("""later(() => new Promise((good, bad) => {
    const m = [...folder("Inbox").messages].find(m => m.subject == "tb 0");
    const uri = folder("Inbox").getUriForMsg(m);
    const { MailUtils } = ChromeUtils.importESModule(
        "resource:///modules/MailUtils.sys.mjs");
    const service = MailServices.messageServiceFromURI(uri);
    let got = "";
    service.streamMessage(uri, {
        QueryInterface: ChromeUtils.generateQI(["nsIStreamListener"]),
        onStartRequest() {},
        onDataAvailable(request, stream, offset, count) {
            const s = Cc["@mozilla.org/scriptableinputstream;1"]
                .createInstance(Ci.nsIScriptableInputStream);
            s.init(stream);
            got += s.read(count);
        },
        onStopRequest() { good(got); },
    }, null, null, false, "", false);
}));""")
    assert "Text 0" in text, text
    # Deleting goes through Trash.
    tb.js("""later(() => folder("Inbox").deleteMessages(
    [...folder("Inbox").messages].filter(m => m.subject == "tb 1"),
    null, false, false, null, false));""")
    pt.wait_for("the deletion", lambda: imap.status(
        "Trash", "(MESSAGES)")[1] == [b'"Trash" (MESSAGES 1)'], 60)


if __name__ == "__main__":
    if PROGRAM is None:
        print("ok - thunderbird: skipped, it is not installed")
        sys.exit(0)
    pt.main(globals(), accounts=1)
