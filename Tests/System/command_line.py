#!/usr/bin/env python3
"""The command as an operator meets it: starting, refusing, stopping, and the name `etcd`.

    command_line.py
"""

import json
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
from harness.report import Report, Skip, expect
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

        output, errors = serving(
            [places.synod(), "cluster", "--size", "3", "--base-port", str(base), "--data-dir", "c"], {}, folder, look)
        for n in range(3):
            expect(f"s{n + 1} | " in errors, f"the log of s{n + 1} stands behind its name: {errors}")
        for line in errors.splitlines():
            expect(re.match(r"s[123] \| \S", line), f"whose line is this: {line}")
        expect("connected to s" in errors and " again" not in errors, errors)
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


def commands():
    """The names that `synod help` lists, in its order."""
    return re.findall(r"^  ([a-z]+)  ", run("help").stdout, re.M)


# What has commands of its own.
NESTED = {
    "lab": ["list", "run", "run snapshot-bank", "flp", "flp valence", "flp adversary", "flp ben-or", "cos418"],
    "simulate": ["snapshots", "multicast"],
    "check": ["paxos"],
}


def help_everywhere():
    names = commands()
    known = "serve cluster backup restore check simulate lab linearizable flags version"
    expect(set(known.split()) == set(names), str(names))
    for asked in (["--help"], ["-h"], []):
        expect(run(*asked).stdout == run("help").stdout, f"synod {asked}")
    for name in names:
        for deeper in [[]] + [nested.split() for nested in NESTED.get(name, [])]:
            for word in ("--help", "-h") + (() if deeper else ("help",)):
                done = run(name, *deeper, word)
                expect(done.returncode == 0 and done.stdout.strip() and not done.stderr, f"{name} {deeper} {word}: {done}")
        expect(run("help", name).stdout == run(name, "--help").stdout, f"help {name}")


WRONG = [
    ("clster", "did you mean cluster?"),
    ("serve --listen-client-url=x", "did you mean --listen-client-urls?"),
    ("serve --listen-client-urls", "needs an argument"),
    ("serve stray", "'stray' is not a valid flag"),
    ("cluster --sise 3", "--size"),
    ("cluster --size many", "many"),
    ("backup x --endpont=y", "did you mean --endpoint?"),
    ("backup", "expected one FILE"),
    ("restore x y", "expected one FILE"),
    ("check paxs", "did you mean paxos?"),
    ("check paxos --ballot 3", "did you mean --ballots?"),
    ("check nothing-like-it", "there are"),
    ("simulate --sede 3", "did you mean --seed?"),
    ("simulate --seed x", "cannot be"),
    ("simulate snapshots --run 3", "did you mean --runs?"),
    ("simulate multicast --knid causal", "did you mean --kind?"),
    ("simulate multicast --kind casual", "did you mean causal?"),
    ("lab", "list, run, flp"),
    ("lab rum", "did you mean run?"),
    ("lab run snapshot-bnak", "did you mean snapshot-bank?"),
    ("lab run snapshot-bank --sede 3", "did you mean --seed?"),
    ("lab flp valance", "did you mean valence?"),
    ("lab flp valence --protocl paxos", "did you mean --protocol?"),
    ("lab flp valence --protocol paxo", "did you mean paxos?"),
    ("lab cos418 --topologie x", "did you mean --topology?"),
    ("linearizable --modle register x", "did you mean --model?"),
    ("version now", "there are none"),
]


def wrong_parameters():
    for line, meant in WRONG:
        done = run(*line.split())
        last = done.stderr.strip()
        expect(done.returncode in (1, 2), f"{line}: exit code {done.returncode}")
        expect("\n" not in last and meant in last and not done.stdout, f"{line}: {done}")


def another_etcds_data():
    """A link named etcd on the data of a real etcd refuses it, says what it found, and what it advises works."""
    if not (places.etcd_34() and places.etcdctls().get("3.4")):
        raise Skip("no etcd")
    with Cluster("etcd-3.4") as old:
        member = old.members[0]
        for n in range(20):
            member.gateway.put(f"kept/{n}", str(n))
        with Cluster("synod") as new:
            mirror = subprocess.Popen(
                [places.etcdctls()["3.4"], f"--endpoints={member.endpoint}", "make-mirror", new.members[0].endpoint],
                env={**CLEAN, "ETCDCTL_API": "3"}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            try:
                deadline = time.monotonic() + 20
                while new.members[0].gateway.range("kept/", "kept0").get("count") != "20":
                    expect(mirror.poll() is None and time.monotonic() < deadline, "make-mirror copies the keys")
                    time.sleep(0.1)
            finally:
                mirror.kill()
                mirror.communicate()
        # etcd ends by the signal itself.
        member.stop()
        with tempfile.TemporaryDirectory() as folder:
            link = os.path.join(folder, "etcd")
            os.symlink(places.synod(), link)
            before = sorted(os.listdir(member.directory))
            done = run(f"--data-dir={member.directory}", program=link)
            last = json.loads(done.stderr.strip().splitlines()[-1])
            expect(done.returncode == 1 and last["level"] == "fatal", str(done))
            for word in ("holds the data of an etcd whose cluster has version 3.4.0", "member/wal", "make-mirror"):
                expect(word in last["msg"], last["msg"])
            expect(sorted(os.listdir(member.directory)) == before, "nothing is written there")


def log_lines():
    """JSON as etcd has it through the link; several outputs; levels; the version first; no \"again\" at the first time."""
    client, peer = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        link = os.path.join(folder, "etcd")
        os.symlink(places.synod(), link)
        flags = [
            f"--listen-client-urls=http://127.0.0.1:{client}", f"--advertise-client-urls=http://127.0.0.1:{client}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}"]
        _, errors = serving([link, *flags, "--log-outputs=stderr,a.log,b.log"], {}, folder, ready(client))
        lines = [json.loads(line) for line in errors.splitlines()]
        expect(re.search(r"synod \d+\.\d+\.\d+", lines[0]["msg"]), str(lines[0]))
        for line in lines:
            expect(list(line)[:4] == ["level", "ts", "caller", "msg"], str(line))
            expect(line["level"] in ("debug", "info", "warn", "error"), str(line))
            expect(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["ts"]), str(line))
            expect(re.fullmatch(r"\w+/[\w+]+\.swift:\d+", line["caller"]), str(line))
            expect(" again" not in line["msg"], str(line))
        for name in ("a.log", "b.log"):
            expect(open(os.path.join(folder, name)).read() == errors, name)
        seen = {}
        for level in ("debug", "info", "warn", "error"):
            _, errors = serving([link, *flags, f"--log-level={level}", "--pre-vote=false"], {}, folder, ready(client))
            seen[level] = {json.loads(line)["level"] for line in errors.splitlines()}
        expect(seen["info"] == {"info", "warn"}, str(seen))
        expect(seen["warn"] == {"warn"} and not seen["error"], str(seen))


def sample_configuration():
    """etcd's sample file, copied as it is but for the addresses."""
    client, peer = free_port(), free_port()
    url, peers = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "etcd.conf.yml"), "w") as file:
            file.write(
                f"name: 'default'\ndata-dir:\nwal-dir:\nlisten-peer-urls: {peers}\nlisten-client-urls: {url},unix://socket:1\n"
                f"initial-advertise-peer-urls: {peers}\nadvertise-client-urls: {url}\ninitial-cluster:\nenable-v2: true\n"
                "discovery-fallback: 'proxy'\nproxy: 'off'\nproxy-read-timeout: 0\nself-signed-cert-validity: 1\n"
                "client-transport-security:\n  cert-file:\n  auto-tls: false\nlogger: zap\nlog-outputs: [stderr]\n"
                "cipher-suites: [\n  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n]\ntls-min-version: 'TLS1.2'\n"
                "watch-progress-notify-interval: 0\nfeature-gates: CompactHashCheck=true\n")

        def look(process):
            ready(client)(process)
            with socket.socket(socket.AF_UNIX) as door:
                door.connect(os.path.join(folder, "socket:1"))
                door.sendall(b"GET /version HTTP/1.0\r\n\r\n")
                expect(b"etcdserver" in door.makefile("rb").read(), "/version on the socket file")

        _, errors = serving([places.synod(), "serve", "--config-file=etcd.conf.yml"], {}, folder, look)
        expect("--enable-v2=true has no effect: the second API is not offered" in errors, errors)


def changed_initial_flags():
    """With data there, other initial flags are passed over with a notice."""
    with Cluster("synod", 1) as cluster:
        member = cluster.members[0]
        member.gateway.put("kept", "1")
        expect(member.stop() == 0, "exit code")

        def look(process):
            ready(member.client_port)(process)
            expect(member.gateway.range("kept").get("count") == "1", "what was there")
            member.gateway.close()

        _, errors = serving([
            places.synod(), "serve", "--name=other", f"--data-dir={member.directory}", "--initial-cluster-token=other",
            f"--listen-client-urls=http://{member.endpoint}", f"--advertise-client-urls=http://{member.endpoint}",
            f"--listen-peer-urls={member.peer_url}", "--initial-cluster=x=http://127.0.0.1:1"], {}, cluster.directory, look)
        expect("is passed over" in errors, errors)


def versions():
    expect(run("--version").stdout == run("version").stdout, "synod --version")
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
    report.check("every command and every command within it has help", help_everywhere)
    report.check("a wrong parameter is answered with one line that names the right one", wrong_parameters)
    report.check("what cannot be done is refused by name", refusals)
    report.check("a configuration file, pages on both ports, and a clean end", serve_with_a_file)
    report.check("through a link named etcd it is an etcd", run_as_etcd)
    report.check("etcd's sample configuration starts it, with notices, and a socket file is a door", sample_configuration)
    report.check("the log has etcd's form, levels and outputs", log_lines)
    report.check("the data of a real etcd is refused, and the way across works", another_etcds_data)
    report.check("with data there, other initial flags are passed over", changed_initial_flags)
    report.check("what was acknowledged survives SIGTERM and SIGKILL", restart)
    report.check("synod cluster starts three members and stops them", local_cluster)
    report.check("synod simulate replays a seed", simulate)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
