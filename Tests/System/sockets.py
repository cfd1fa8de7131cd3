#!/usr/bin/env python3
"""Where a server is heard: addresses that are taken, sockets in the file system, and the service manager's.

    sockets.py
"""

import os
import socket
import stat
import subprocess
import sys
import tempfile
import time

from harness import places
from harness.gateway import Gateway, GatewayError
from harness.report import Report, expect
from harness.servers import free_port

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("SYNOD_", "ETCD_", "NOTIFY_"))}


class Server:
    """`synod serve` in a folder of its own, ended with SIGTERM."""

    def __init__(self, folder, *arguments, client=None, peer=None, env=None):
        self.client, self.peer = client or free_port(), peer or free_port()
        url, peer_url = f"http://127.0.0.1:{self.client}", f"http://127.0.0.1:{self.peer}"
        command = [
            places.synod(), "serve", "--data-dir=d", f"--listen-client-urls={url}", f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer_url}", f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}", *arguments,
        ]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=folder,
            env={**CLEAN, **(env or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def wait_ready(self):
        gateway, deadline = Gateway("127.0.0.1", self.client, timeout=2), time.monotonic() + 20
        while True:
            try:
                return gateway.range("x")
            except (OSError, GatewayError) as error:
                expect(self.process.poll() is None, f"ended with {self.process.returncode}")
                expect(time.monotonic() < deadline, f"not ready: {error}")
                time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        expect(self.process.wait(20) == 0, f"exit code {self.process.returncode}")

    def refusal(self):
        """What it says when it does not start."""
        _, errors = self.process.communicate(timeout=20)
        expect(self.process.returncode == 1, f"exit code {self.process.returncode}: {errors}")
        return errors


def taken():
    """Each address is named, with the reason, and the member has taken part in nothing."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = []
        for arguments, audience in (
            ({"client": port}, "clients"), ({"peer": port}, "peers"),
            ({"metrics": f"--listen-metrics-urls=http://127.0.0.1:{port}"}, "metrics"),
        ):
            metrics = [arguments.pop("metrics")] if "metrics" in arguments else []
            with tempfile.TemporaryDirectory() as folder, Server(folder, *metrics, **arguments) as server:
                text, has_begun = server.refusal(), os.path.exists(os.path.join(folder, "d"))
            expect(f"http://127.0.0.1:{port}" in text and "Address already in use" in text, text)
            expect(audience in text, text)
            expect(audience == "peers" or not has_begun, f"{audience}: there is a data directory")
            said.append(text.strip().splitlines()[-1].split(" ", 1)[1])
        return said[0]


def over(path, request):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        client.sendall(request)
        data = b""
        while part := client.recv(65536):
            data += part
        return data


def in_the_file_system():
    health = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "etcd.sock")
        client, peer = free_port(), free_port()
        flags = f"--listen-client-urls=http://127.0.0.1:{client},unix://{path},unix://localhost:17"
        with Server(folder, flags, client=client, peer=peer) as server:
            server.wait_ready()
            for name in (path, os.path.join(folder, "localhost:17")):
                expect(b'"health":"true"' in over(name, health), name)
            # A second server does not take away what the first listens on.
            with Server(folder, "--data-dir=e", f"--listen-metrics-urls=unix://{path}") as second:
                text = second.refusal()
                expect(f"unix://{path}" in text and "Address already in use" in text, text)
            expect(b'"health":"true"' in over(path, health), "after the second")
            server.process.kill()
            server.process.wait()
        expect(stat.S_ISSOCK(os.stat(path).st_mode), "a process that was killed leaves its socket")
        with Server(folder, flags, client=client, peer=peer) as server:
            server.wait_ready()
            expect(b'"health":"true"' in over(path, health), "after a kill")
            server.stop()
        expect(not os.path.exists(path), "the socket is gone with a clean end")
        with open(path, "w") as file:
            file.write("precious")
        with Server(folder, flags, client=client, peer=peer) as server:
            expect(f"unix://{path}" in server.refusal(), "a file that is no socket")
        expect(open(path).read() == "precious", "a file that is no socket was changed")


def service_manager():
    """READY=1 once clients are served, STOPPING=1 at the end, to a path and to a name without a file."""
    with tempfile.TemporaryDirectory() as folder:
        peer = free_port()
        for name in (os.path.join(folder, "notify"), f"@synod-{os.getpid()}"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.bind(name.replace("@", "\0") if name[0] == "@" else name)
                manager.settimeout(20)
                with Server(folder, peer=peer, env={"NOTIFY_SOCKET": name}) as server:
                    expect(manager.recv(999) == b"READY=1", "READY=1")
                    expect(Gateway("127.0.0.1", server.client).get("/health")[0] == 200, "ready and not serving")
                    server.stop()
                    expect(manager.recv(999) == b"STOPPING=1", "STOPPING=1")
        # A manager that has gone is no reason not to serve.
        with Server(folder, peer=peer, env={"NOTIFY_SOCKET": os.path.join(folder, "nobody")}) as server:
            server.wait_ready()
            server.stop()


def main():
    report = Report("sockets")
    if not places.synod():
        print("there is no built synod: swift build -c release --product synod")
        return 1
    report.check("an address that is taken is named before anything else happens", taken)
    report.check("clients are served over sockets in the file system", in_the_file_system)
    report.check("the service manager is told", service_manager)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
