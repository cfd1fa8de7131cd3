#!/usr/bin/env python3
"""Each package under Examples is built as its README says, and run: it ends with 0 and says what it saw."""

import os
import subprocess

from harness import places
from harness.report import Report, expect

EXAMPLES = os.path.join(places.ROOT, "Examples")


def run(name):
    environment = dict(os.environ, SYNOD_CORE="1")
    done = subprocess.run(
        ["swift", "run", "--package-path", os.path.join(EXAMPLES, name), "--scratch-path",
         os.path.join(places.ROOT, f".build-example-{name}")],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600)
    expect(done.returncode == 0, f"exit code {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    lines = done.stdout.strip().splitlines()
    expect(lines, "it prints nothing")
    return lines[-1]


def main():
    report = Report("examples")
    for name in sorted(os.listdir(EXAMPLES)):
        report.check(name, run, name)
    return report.close()


if __name__ == "__main__":
    raise SystemExit(main())
