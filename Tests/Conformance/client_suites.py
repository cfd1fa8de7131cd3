#!/usr/bin/env python3
"""python-etcd3's and etcd3gw's own tests on two servers, case by case.

    client_suites.py [--server synod] [--reference etcd-3.4] [--suite etcd3|etcd3gw] [--keep-going]

Each suite comes from PyPI into an environment of the tree's own and runs against three processes of each
server. A case must end on the server as it ends on the reference; `differences.txt` lists those that may
differ, each with its reason, and a line there that is no longer needed is a failure too. The suites want the
default port and look for processes by name, so both run in namespaces of their own (util-linux `unshare`).
"""

import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "Tests", "System"))

from harness import peers, places  # noqa: E402
from harness.report import Report, expect  # noqa: E402
from harness.servers import KINDS, Cluster  # noqa: E402

ENVIRONMENT = os.path.join(ROOT, ".build-python")
# The versions of its time with which python-etcd3's tests pass on etcd: a later tenacity calls the lock's
# wait function in another way, a later hypothesis refuses the tests' fixtures, a later protobuf their messages.
SUITES = {
    "etcd3": [
        "etcd3==0.12.0", "tenacity==6.2.0", "hypothesis==5.30.0", "pytest==6.2.5", "protobuf==3.20.3", "grpcio",
        "six", "mock", "setuptools<81", "wheel",
    ],
    "etcd3gw": ["etcd3gw==2.7.0", "pytest==6.2.5", "oslotest"],
}


def python(suite):
    return os.path.join(ENVIRONMENT, f"venv-{suite}", "bin", "python3")


def prepare(suite):
    """Installs the suite; False when PyPI cannot be reached."""
    if not peers.ensure(SUITES[suite], os.path.dirname(os.path.dirname(python(suite)))):
        return False
    if suite == "etcd3" and not os.path.isdir(os.path.join(ENVIRONMENT, "etcd3-0.12.0")):
        # The tests are only in the source distribution.
        download = [python(suite), "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
        done = subprocess.run(
            [*download, "--no-binary", ":all:", "-d", ENVIRONMENT, "etcd3==0.12.0"], capture_output=True, timeout=240)
        archive = os.path.join(ENVIRONMENT, "etcd3-0.12.0.tar.gz")
        if done.returncode != 0 or not os.path.exists(archive):
            print(f"notice: no etcd3==0.12.0 source from PyPI: {done.stderr.decode()[-300:]}")
            return False
        subprocess.run(["tar", "xzf", archive, "-C", ENVIRONMENT], check=True)
    return True


def inside(suite, kind, result):
    """Runs the suite on a new cluster and writes {case: outcome}. Called within the namespaces."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    names, ports = ["pifpaf0", "pifpaf1", "pifpaf2"], [2379, 2381, 2383]
    with Cluster(kind, 3, names=names, client_ports=ports) as cluster, tempfile.TemporaryDirectory() as folder:
        # The suite's own checks of quorum freeze the second and third process: the first must not lead alone.
        report = os.path.join(folder, "report.xml")
        url = f"http://localhost:{ports[0]}"
        environment = {
            **os.environ, "ETCDCTL_API": "3", "PYTHON_ETCD_HTTP_URL": url, "TEST_ETCD_VERSION": "v3.4.23",
            "TOOZ_TEST_HTTP_URL": url, "TOOZ_TEST_ETCD_PORT": str(ports[0]), "PYTHONDONTWRITEBYTECODE": "1",
        }
        tests, working = ["tests"], os.path.join(ENVIRONMENT, "etcd3-0.12.0")
        # One of the tests names the package's messages as if the package itself were on the path.
        environment["PYTHONPATH"] = os.path.join(working, "etcd3")
        if suite == "etcd3gw":
            del environment["PYTHONPATH"]
            tests, working = ["--pyargs", "etcd3gw.tests"], folder
        subprocess.run(
            [python(suite), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *tests],
            cwd=working, env=environment, timeout=900)
        outcomes = read(report)
        for member in cluster.members:
            if not member.running:
                outcomes[f"{member.name} still runs"] = "failed"
    with open(result, "w") as file:
        json.dump(outcomes, file)


def read(report):
    """{case: passed|failed|skipped} from a JUnit file; an error in a fixture counts as failed."""
    import xml.etree.ElementTree as tree

    outcomes = {}
    for case in tree.parse(report).iter("testcase"):
        name = f"{case.get('classname').split('.')[-1]}.{case.get('name')}"
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        if outcomes.get(name) != "failed":
            outcomes[name] = outcome
    return outcomes


def outcomes(suite, kind):
    with tempfile.NamedTemporaryFile(suffix=".json") as result, tempfile.NamedTemporaryFile("w+") as log:
        done = subprocess.run(
            ["unshare", "--net", "--pid", "--fork", "--mount-proc", sys.executable, os.path.abspath(__file__),
             "--inside", suite, kind, result.name],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.seek(0)
        text = log.read()
        try:
            expect(done.returncode == 0, f"{suite} did not run on {kind}: {text[-3000:]}")
            return json.load(result)
        finally:
            folder = os.path.join(ENVIRONMENT, "logs")
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, f"{suite}-{kind}.log"), "w") as file:
                file.write(text)


def allowed(suite):
    """{case: reason} from differences.txt."""
    reasons = {}
    with open(os.path.join(HERE, "differences.txt")) as file:
        for line in file:
            match = re.match(r"(\S+)\s+(\S+)\s+(.+)", line.strip())
            if match and not line.startswith("#") and match.group(1) == suite:
                reasons[match.group(2)] = match.group(3)
    return reasons


def compare(report, suite, server, reference):
    # The suites mostly sleep, so both servers take their turn at once.
    with concurrent.futures.ThreadPoolExecutor() as both:
        ours, theirs = both.map(lambda kind: outcomes(suite, kind), (server, reference))
    reasons = allowed(suite)
    totals = {name: list(results.values()).count("passed") for name, results in ((server, ours), (reference, theirs))}
    print(f"{suite}: {totals[server]} of {len(ours)} pass on {server}, {totals[reference]} of {len(theirs)} on {reference}")
    for case in sorted(set(ours) | set(theirs)):
        here, there = ours.get(case, "missing"), theirs.get(case, "missing")

        def judge(case=case, here=here, there=there):
            if case in reasons:
                expect(here != there, f"{case} no longer differs: remove it from differences.txt")
                return f"{here}, on {reference} {there}: {reasons[case]}"
            expect(here == there, f"{here} on {server}, {there} on {reference}; see .build-python/logs")
            return None

        report.check(f"{suite} {case}", judge)


def main():
    if sys.argv[1:2] == ["--inside"]:
        return inside(*sys.argv[2:5])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=KINDS, default="synod")
    parser.add_argument("--reference", choices=KINDS, default="etcd-3.4")
    parser.add_argument("--suite", choices=list(SUITES), action="append")
    options = parser.parse_args()
    report = Report("client suites")
    can_unshare = subprocess.run(
        ["unshare", "--net", "--pid", "--fork", "--mount-proc", "ip", "link", "set", "lo", "up"],
        capture_output=True).returncode == 0
    for suite in options.suite or SUITES:
        if not can_unshare:
            report.skip(suite, "namespaces cannot be made here (unshare needs root)")
        elif not places.etcd_34() or not places.etcdctls():
            report.skip(suite, "etcd or etcdctl is not on this machine")
        elif not prepare(suite):
            report.skip(suite, "PyPI cannot be reached")
        else:
            try:
                compare(report, suite, options.server, options.reference)
            except Exception as error:
                report.check(suite, lambda error=error: (_ for _ in ()).throw(error))
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
