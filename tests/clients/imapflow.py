#!/usr/bin/env python3
"""npm's imapflow 1.0.164 (EmailEngine, Nodemailer's), driven by imapflow.mjs:
QRESYNC, UTF8=ACCEPT, IDLE from two sessions.  `make test-deps` puts it into
the build directory; without npm the test says so and counts for nothing."""

import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))

import posthof_test as pt
from posthof_test import same

FROM = os.environ.get("POSTHOF_NPM", os.path.join(pt.REPO, "build", "npm"))
DRIVER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "imapflow.mjs")


def drive(host):
    run = subprocess.run(
        ["node", DRIVER, str(host.port("imaps")), host.user(1),
         host.password(1), host.ca],
        env={**os.environ, "IMAPFLOW_FROM": FROM}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=120 * pt.SLOW, check=False)
    assert run.returncode == 0, run.stderr.decode()[-2000:]
    steps = {}
    for line in run.stdout.decode().splitlines():
        step = json.loads(line)
        steps[step.pop("step")] = step
    return steps


def test_imapflow(host):
    steps = drive(host)
    assert set(steps["connect"]["enabled"]) >= {"CONDSTORE", "QRESYNC"}
    folders = {f["path"]: f for f in steps["list"]["folders"]}
    same(folders["Sent"]["use"], "\\Sent")
    assert folders["Büro/Ünter"]["subscribed"]
    uids = steps["append"]["uids"]
    same(uids, sorted(set(uids)))
    same(steps["append"]["exists"], 5)
    same([m["subject"] for m in steps["fetch"]["messages"]],
         [f"Grüße {n}" for n in range(1, 6)])
    for m, uid in zip(steps["fetch"]["messages"], uids):
        same((m["uid"], m["from"]), (uid, "a@posthof.test"))
        same(m["parts"], ["text/plain", "application/pdf"])
        assert m["email"] and int(m["modseq"]) > 0
    same(steps["download"]["text"], "PDF2")
    search = steps["search"]
    same(search["seen"], uids[:2])
    same(search["subject"], [uids[2]])
    same(search["either"], [uids[1], uids[3]])
    same(search["since"], uids[3:])
    same([a for a, b in steps["copy"]["copied"]], uids[:2])
    same([a for a, b in steps["copy"]["moved"]], [uids[2]])
    same(steps["delete"]["exists"], 3)
    kinds = {e[0] for e in steps["idle"]["events"]}
    same(kinds, {"exists", "expunge", "flags"})
    same(steps["status"]["status"]["messages"], 3)
    same(len(steps["changed"]["messages"]), 1)
    assert "\\Answered" in steps["changed"]["messages"][0][1]
    assert not [f for f in steps["folders"]["left"] if "Büro" in f]
    assert "end" in steps


if __name__ == "__main__":
    if shutil.which("node") is None or \
            not os.path.isdir(os.path.join(FROM, "node_modules", "imapflow")):
        print("# skipped: no node, or no imapflow in build/npm "
              "(make test-deps needs npm)")
        print("ok - imapflow: skipped, it is not installed")
        sys.exit(0)
    pt.main(globals(), accounts=1)
