#!/usr/bin/env python3
"""Perl's Mail::IMAPClient (imapsync and many a script), driven by
mailimapclient.pl."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))

import posthof_test as pt

DRIVER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "mailimapclient.pl")


def test_mail_imapclient(host):
    run = subprocess.run(
        ["perl", DRIVER, str(host.port("imaps")), host.user(1),
         host.password(1), host.ca],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=120 * pt.SLOW, check=False)
    text = run.stdout.decode(errors="replace")
    wrong = [line for line in text.splitlines()
             if not line.startswith("ok ")]
    assert run.returncode == 0 and not wrong, "\n".join(wrong) or text
    assert "ok logout" in text
    print(f"# {text.count('ok ')} steps")


if __name__ == "__main__":
    pt.main(globals(), accounts=1)
