#!/usr/bin/env python3
"""The command as an operator meets it: starting, refusing, stopping, and the name `etcd`.

    command_line.py
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from harness import places
from harness.gateway import Gateway, GatewayError
from harness.report import Report, expect
from harness.servers import Cluster, free_port

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("SYNOD_", "ETCD_"))}


def run(*arguments, program=None, env=None, cwd=None, timeout=20):
    return subprocess.run(
        [program or places.synod(), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=timeout, env={**CLEAN, **(env or {})}, cwd=cwd)


def refused(message, *arguments, code=1, env=None):
    done = run("serve", *arguments, env=env)
    expect(done.returncode == code and message in done.stderr, f"exit code {done.returncode}: {done.stderr}")


def refusals():
    refused("flag provided but not defined: -listen-client-url", "--listen-client-url=x", code=2)
    refused("--cert-file=x: TLS is not supported yet", "--cert-file=x")
    refused("--advertise-client-urls is required", "--listen-client-urls=http://127.0.0.1:1")
    refused("is shadowed by corresponding command-line flag", "--name=a", env={"SYNOD_NAME": "b"})
    refused("should be at least as 5 times", "--heartbeat-interval=500")
    refused("couldn't find local name \"default\"", "--initial-cluster=a=http://127.0.0.1:1")


def serving(command, env, folder, look):
    """Starts a server, waits until it answers, looks at it, and expects SIGTERM to end it with 0."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**CLEAN, **env}, cwd=folder)
    try:
        look(process)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=20)
        expect(process.returncode == 0, f"exit code {process.returncode}: {errors}")
        return output, errors
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def ready(port):
    def look(process):
        gateway, deadline = Gateway("127.0.0.1", port, timeout=2), time.monotonic() + 20
        while True:
            try:
                gateway.range("x")
                gateway.close()
                return
            except (OSError, GatewayError) as error:
                if process.poll() is not None:
                    raise AssertionError(f"ended with {process.returncode}: {process.stderr.read()}") from error
                expect(time.monotonic() < deadline, f"not ready: {error}")
                time.sleep(0.05)

    return look


def serve_with_a_file():
    client, peer, metrics = free_port(), free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "c.yaml"), "w") as file:
            file.write(
                f"name: filed\nlisten-client-urls: http://127.0.0.1:{client}\n"
                f"advertise-client-urls: http://127.0.0.1:{client}\nlisten-peer-urls: http://127.0.0.1:{peer}\n"
                f"listen-metrics-urls: http://127.0.0.1:{metrics}\n")

        def look(process):
            ready(client)(process)
            for port in (client, metrics):
                pages = Gateway("127.0.0.1", port)
                expect(pages.get("/health")[1].startswith('{"health":"true"'), "/health")
                expect("etcd_server_has_leader 1" in pages.get("/metrics")[1], "/metrics")
            status, _ = Gateway("127.0.0.1", metrics).get("/version")
            member = Gateway("127.0.0.1", client).call("/v3/cluster/member/list", {})["members"][0]
            expect(member["name"] == "filed", str(member))

        output, errors = serving([places.synod(), "serve", "--config-file=c.yaml"], {}, folder, look)
        expect(f"etcdctl --endpoints=http://127.0.0.1:{client} put" in output, f"one line to try: {output}")
        expect(os.path.isdir(os.path.join(folder, "filed.synod")), "the data directory is named after the member")


def run_as_etcd():
    client, peer = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        link = os.path.join(folder, "etcd")
        os.symlink(places.synod(), link)
        done = run("--version", program=link)
        expect(done.stdout.startswith("etcd Version: 3.5.21\n"), done.stdout)
        env = {
            "ETCD_NAME": "linked", "ETCD_LISTEN_CLIENT_URLS": f"http://127.0.0.1:{client}",
            "ETCD_ADVERTISE_CLIENT_URLS": f"http://127.0.0.1:{client}",
        }
        command = [link, "-listen-peer-urls", f"http://127.0.0.1:{peer}", "--logger=zap", "--snapshot-count", "5000"]
        serving(command, env, folder, ready(client))
        expect(os.path.isdir(os.path.join(folder, "linked.etcd")), "the data directory is etcd's")


def restart():
    """What was written is there after SIGTERM and after SIGKILL; two servers do not share a directory."""
    with Cluster("synod", 1) as cluster:
        member = cluster.members[0]
        member.gateway.put("kept", "1")
        expect(member.stop() == 0, "exit code after SIGTERM")
        member.start()
        cluster.wait_ready()
        expect(member.gateway.range("kept").get("count") == "1", "after SIGTERM")
        revision = member.gateway.put("kept", "2")
        member.kill()
        member.start()
        cluster.wait_ready()
        answer = member.gateway.range("kept")
        expect(int(answer["kvs"][0]["mod_revision"]) == revision, "after SIGKILL")
        second = run(
            "serve", f"--name={member.name}", f"--data-dir={member.directory}",
            f"--listen-client-urls=http://127.0.0.1:{free_port()}", "--advertise-client-urls=http://127.0.0.1:1",
            f"--listen-peer-urls=http://127.0.0.1:{free_port()}", f"--initial-advertise-peer-urls={member.peer_url}",
            f"--initial-cluster-token={cluster.directory}")
        expect(second.returncode == 1, f"a second server on the directory: {second.returncode} {second.stderr}")
        return second.stderr.strip().splitlines()[-1]


def local_cluster():
    base = free_port()
    while not all(is_free(base + 10 * n + m) for n in range(3) for m in (0, 1)):
        base = free_port()
    with tempfile.TemporaryDirectory() as folder:

        def look(process):
            for n in range(3):
                ready(base + 10 * n)(process)
            members = Gateway("127.0.0.1", base).call("/v3/cluster/member/list", {})["members"]
            expect(len(members) == 3, str(members))

        output, _ = serving(
            [places.synod(), "cluster", "--size", "3", "--base-port", str(base), "--data-dir", "c"], {}, folder, look)
        endpoints = ",".join(f"127.0.0.1:{base + 10 * n}" for n in range(3))
        expect(f"etcdctl --endpoints={endpoints}" in output, output)


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def simulate():
    first, second = (run("simulate", "--seed", "7", timeout=120) for _ in range(2))
    expect(first.returncode == 0, first.stdout + first.stderr)
    expect(re.search(r"seed 7: trace \S+", first.stdout), first.stdout)
    expect(first.stdout == second.stdout, "one seed gives one trace")
    expect(run("simulate", "--seed", "x").returncode != 0, "a wrong number")


def versions():
    expect(re.match(r"synod \d+\.\d+\.\d+ ", run("version").stdout), "synod version")
    expect("synod serve" in run("help").stdout or "serve" in run("help").stdout, "synod help")
    for flag in ("--help", "-h"):
        expect("--initial-cluster-state" in run("serve", flag).stdout, f"synod serve {flag}")


def main():
    report = Report("command line")
    if not places.synod():
        print("there is no built synod: swift build -c release --product synod")
        return 1
    report.check("version and help", versions)
    report.check("what cannot be done is refused by name", refusals)
    report.check("a configuration file, pages on both ports, and a clean end", serve_with_a_file)
    report.check("through a link named etcd it is an etcd", run_as_etcd)
    report.check("what was acknowledged survives SIGTERM and SIGKILL", restart)
    report.check("synod cluster starts three members and stops them", local_cluster)
    report.check("synod simulate replays a seed", simulate)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
