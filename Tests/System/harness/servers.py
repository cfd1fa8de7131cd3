"""Servers as processes: Synod or etcd, one or several, on free ports, with their logs in files."""

import os
import shutil
import signal
import socket
import subprocess
import time

from . import places
from .gateway import Gateway, GatewayError
from .report import Skip

KINDS = ("synod", "etcd-3.4", "etcd-3.5")
# A shell that starts this in the background has it ignored, and servers would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
_next_port = int(os.environ.get("SYNOD_TEST_BASE_PORT", "28000"))


def free_port():
    """A port that nobody listens on now. Counted upwards, so that one run never hands out a port twice."""
    global _next_port
    while True:
        port, _next_port = _next_port, _next_port + 1
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def program(kind):
    """How to start a server of this kind, or Skip when it is not here."""
    path = {"synod": places.synod, "etcd-3.4": places.etcd_34, "etcd-3.5": places.etcd_35}[kind]()
    if not path:
        raise Skip(f"{kind} is not on this machine")
    return [path, "serve"] if kind == "synod" else [path]


class Member:
    def __init__(self, cluster, index, name=None, client_port=None):
        self.cluster, self.index, self.name = cluster, index, name or f"m{index + 1}"
        self.client_port, self.peer_port = client_port or free_port(), free_port()
        # Another port than the one that peers are told, where a relay stands between.
        self.listen_peer_port = self.peer_port
        self.directory = os.path.join(cluster.directory, self.name)
        self.log = os.path.join(cluster.directory, f"{self.name}.log")
        # Another program of the same kind, such as an earlier one.
        self.binary = None
        self.process = None
        self.gateway = Gateway("127.0.0.1", self.client_port)

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.client_port}"

    @property
    def peer_url(self):
        return f"http://127.0.0.1:{self.peer_port}"

    def start(self):
        cluster = self.cluster
        client = f"http://{self.endpoint}"
        command = ([self.binary, "serve"] if self.binary else program(cluster.kind)) + [
            "--name", self.name, f"--data-dir={self.directory}",
            f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls=http://127.0.0.1:{self.listen_peer_port}", f"--initial-advertise-peer-urls={self.peer_url}",
            "--initial-cluster=" + ",".join(f"{m.name}={m.peer_url}" for m in cluster.members),
            "--initial-cluster-state=new", f"--initial-cluster-token={cluster.directory}",
        ] + cluster.flags
        if cluster.kind == "etcd-3.4":
            command.append("--logger=zap")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("ETCD_", "SYNOD_"))}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True)

    def signal(self, number):
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, number)

    def kill(self):
        """Ends the process as a power cut does, and waits until it is gone."""
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.gateway.close()

    def stop(self, timeout=20):
        """Asks it to end and returns its exit code."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {timeout} s of SIGTERM") from None
        finally:
            self.gateway.close()

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def reading(self, field):
        """A number from /proc/PID/status, such as VmRSS in kB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
        return 0

    @property
    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log_tail(self, lines=int(os.environ.get("SYNOD_TEST_LOG_LINES", "25"))):
        with open(self.log, errors="replace") as file:
            return "".join(file.readlines()[-lines:])


class Cluster:
    """`with Cluster("synod", 3) as cluster:` starts it, waits for a leader, and cleans up after it."""

    def __init__(self, kind, size=1, flags=(), directory=None, names=(), client_ports=()):
        program(kind)
        self.kind, self.flags = kind, list(flags)
        self.keeps = directory is not None
        self.directory = directory or places.scratch(kind)
        self.members = []
        for index in range(size):
            name = names[index] if names else None
            self.members.append(Member(self, index, name, client_ports[index] if client_ports else None))

    def __enter__(self):
        try:
            for member in self.members:
                member.start()
            self.wait_ready()
        except BaseException:
            self.__exit__(True, None, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            for member in self.members:
                if os.path.exists(member.log):
                    print(f"--- the end of the log of {member.name} ---\n{member.log_tail()}", flush=True)
        for member in self.members:
            member.gateway.close()
            if member.running:
                member.signal(signal.SIGCONT)
                member.signal(signal.SIGKILL)
                member.process.wait()
        if not self.keeps:
            shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def endpoints(self):
        return ",".join(member.endpoint for member in self.members)

    def wait_ready(self, timeout=60, members=None):
        """Waits until each member answers a linearizable read."""
        deadline = time.monotonic() + timeout
        for member in members or self.members:
            while True:
                if not member.running:
                    raise AssertionError(f"{member.name} ended with {member.process.returncode}")
                try:
                    member.gateway.range("ready", timeout=2)
                    break
                except (OSError, GatewayError) as error:
                    if time.monotonic() > deadline:
                        raise AssertionError(f"{member.name} is not ready after {timeout} s: {error}") from error
                    time.sleep(0.05)

    def leader(self, timeout=10):
        """The member that a running member takes for the leader, or None."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for member in self.members:
                if not member.running:
                    continue
                try:
                    status = member.gateway.status(timeout=1)
                except (OSError, GatewayError):
                    continue
                if status.get("leader", "0") != "0" and status["leader"] == status["header"]["member_id"]:
                    return member
            time.sleep(0.05)
        return None


def until(seconds, condition, message):
    """Waits for the condition; a member that cannot be asked right now does not meet it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (OSError, GatewayError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"after {seconds} s: {message}")
