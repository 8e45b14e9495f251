#!/usr/bin/env python3
"""A full disk: new mail waits outside, what is there can be read, nothing
that was accepted is lost, and all goes on by itself when there is room.

The state lives on a small tmpfs of its own, in a mount namespace of this
test's own.
"""

import collections
import os
import re
import shutil
import smtplib
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import outside                  # noqa: E402
import posthof_test as pt       # noqa: E402

DISK_MB = 320
MESSAGE = (b"From: a@example.net\r\nSubject: %s\r\n\r\n"
           + (b"x" * 70 + b"\r\n") * 3000)


class SmallDisk(pt.Host):
    """A host whose state directory is a file system of DISK_MB."""

    def __init__(self, conf):
        super().__init__(accounts=3, conf=conf, start=False)
        owner = os.stat(self.state)
        aside = self.state + ".aside"
        os.rename(self.state, aside)
        os.mkdir(self.state)
        subprocess.run(["mount", "-t", "tmpfs", "-o",
                        f"size={DISK_MB}m,mode=750", "tmpfs", self.state],
                       check=True)
        for name in os.listdir(aside):
            shutil.move(os.path.join(aside, name), self.state)
        os.rmdir(aside)
        for where, dirs, files in os.walk(self.state):
            for name in ("", *dirs, *files):
                os.chown(os.path.join(where, name), owner.st_uid,
                         owner.st_gid)
        self.start()

    def _abandon(self):
        self.stop()
        subprocess.run(["umount", "-l", self.state], check=False,
                       stderr=subprocess.DEVNULL)
        super()._abandon()

    def fill(self, leave_kb, name="filler"):
        """A file that leaves so much room."""
        path = os.path.join(self.state, name)
        free = os.statvfs(self.state)
        free = free.f_bavail * free.f_frsize - leave_kb * 1024
        with open(path, "wb") as f:
            while free > 0:     # others take some meanwhile
                try:
                    os.posix_fallocate(f.fileno(), 0, max(free, 4096))
                    break
                except OSError:
                    free -= 64 << 10
        return path


def send(host, n, word):
    """True: accepted; False: refused till later.  Anything else is wrong."""
    try:
        with smtplib.LMTP(host.lmtp_socket, timeout=60) as c:
            c.sendmail("a@example.net", [host.address(n)],
                       MESSAGE % word.encode())
        return True
    except (smtplib.SMTPServerDisconnected, ConnectionError):
        # A full disk may end a daemon (no answer is no OK): it comes back.
        host.wait_ready()
        return False
    except smtplib.SMTPSenderRefused as e:
        assert e.smtp_code == 452, e
    except smtplib.SMTPDataError as e:
        assert 400 <= e.smtp_code < 500, e
    except smtplib.SMTPRecipientsRefused as e:
        assert all(400 <= code < 500 for code, _ in e.recipients.values()), e
    return False


def subjects(host, n):
    c = host.imap(n)
    count = int(c.select("INBOX")[1][0])
    found = [c.fetch(str(i), "(BODY.PEEK[HEADER.FIELDS (SUBJECT)] "
                             "BODY.PEEK[])")[1][0][1] for i in
             range(1, count + 1)]
    c.logout()
    return [f.split(b"Subject: ")[1].split(b"\r\n")[0].decode()
            for f in found]


def until_refused(host, n, prefix):
    accepted = []
    for i in range(2000):
        word = f"{prefix}{i}"
        if not send(host, n, word):
            return accepted
        accepted.append(word)
    raise pt.Failure("the disk never got full")


def test_floor():
    """Below the floor mail is refused before its bytes, and then no more."""
    with SmallDisk({"free-space-floor": "20M"}) as host:
        host.expect_restarts = True
        filler = host.fill(70 << 10)
        accepted = until_refused(host, 1, "floor")
        assert subjects(host, 1) == accepted
        c = host.imap(1)
        c.select("INBOX")
        c.store("1", "+FLAGS", r"(\Seen \Deleted)")
        assert c.expunge()[0] == "OK"
        os.unlink(filler)
        pt.wait_for("room again", lambda: send(host, 2, "again"))
        assert subjects(host, 2) == ["again"]
        assert subjects(host, 1) == accepted[1:]


def test_really_full():
    """Not a byte left, whatever the floor says; kill -9 on top of it."""
    with SmallDisk({"free-space-floor": "0"}) as host:
        host.expect_restarts = True
        assert send(host, 1, "before")
        filler = host.fill(0)
        accepted = ["before", *until_refused(host, 1, "full")]
        assert subjects(host, 1) == accepted
        os.unlink(filler)
        pt.wait_for("room again", lambda: send(host, 1, "after"), 30)
        accepted.append("after")
        assert subjects(host, 1) == accepted
        host.kill("submitd")
        pt.wait_for("recovery", lambda: " restart " in host.log()
                    and host.log().rsplit(" restart ", 1)[1].count(" ready "))
        assert subjects(host, 1) == accepted
        assert host.admin("fsck", check=False).returncode == 0


def test_full_while_it_recovers():
    """Somebody takes every block that comes free: the host waits for room."""
    with SmallDisk({"free-space-floor": "0"}) as host:
        host.expect_restarts = True
        accepted = [w for w in ("a", "b") if send(host, 1, w)]
        gone = threading.Event()
        fillers = [host.fill(0)]

        def hog():
            while not gone.is_set():
                fillers.append(host.fill(0, f"hog{len(fillers)}"))
        t = threading.Thread(target=hog)
        t.start()
        try:
            host.kill("submitd")
            pt.wait_for("no room", lambda: 'why="no space"' in host.log(), 60)
        finally:
            gone.set()
            t.join()
        for path in fillers:
            os.unlink(path)
        pt.wait_for("recovery", lambda: " restart " in host.log()
                    and host.log().rsplit(" restart ", 1)[1].count(" ready "),
                    60)
        assert subjects(host, 1) == accepted == ["a", "b"]


def test_way_out():
    """The disk gets full while other hosts take mail: no more goes out until
    there is room for what becomes of it, so none goes again and again."""
    port = outside.free_port("127.0.0.2")
    gate = threading.Event()
    sink = outside.Sink("127.0.0.2", port)
    sink.before_end = lambda _: gate.wait(60)
    with sink, SmallDisk({
            "free-space-floor": "0", "smarthost": f'"127.0.0.2:{port}"',
            "queue-retry-first": '"1s"', "queue-retry-max": '"1s"'}) as host:
        host.expect_restarts = True
        # What became of so many fits into no corner that is left.
        many = [f"u{k}@{'d' * 60}.{'e' * 60}.test" for k in range(100)]
        c = host.submit(1)
        for i in range(40):
            c.sendmail(host.address(1), many,
                       b"Message-ID: <%d@c>\r\n\r\nx\r\n" % i)
        c.quit()
        pt.wait_for("mails under way", lambda: len(sink.taken) >= 5)
        filler = host.fill(0)
        time.sleep(1.2)         # it is looked at every second
        gate.set()
        time.sleep(2)
        first = len(sink.taken)
        time.sleep(6 if os.environ.get("POSTHOF_LONG") else 2)
        assert len(sink.taken) == first, (first, len(sink.taken))
        os.unlink(filler)
        host.wait_ready(60)
        pt.wait_for("an empty queue", lambda: host.admin(
            "queue", "list", "--json").strip() in ("[]", ""), 90)
        copies = collections.Counter(
            re.search(rb"Message-ID: <(\d+)@c>", t.text)[1]
            for t in sink.taken)
        twice = len(sink.taken) - 40
        print(f"# disk full: {first} taken before, {twice} twice", flush=True)
        assert len(copies) == 40 and max(copies.values()) <= 2, copies
        # At most those that were under way.
        assert twice <= first, (twice, first)


def own_mounts():
    """Starts again in a mount namespace; others as a user's own root."""
    words = ["unshare", "--mount", "--propagation", "private"]
    if os.geteuid() != 0:
        words.append("--map-root-user")
    os.environ["POSTHOF_OWN_MOUNTS"] = "1"
    os.execvp("unshare", [*words, sys.executable, *sys.argv])


if __name__ == "__main__":
    if not os.environ.get("POSTHOF_OWN_MOUNTS"):
        own_mounts()
    pt.main(globals())
