#!/usr/bin/env python3
"""The same load on Synod and on every etcd that is here, alternating, with what it cost the servers.

    bench.py [--servers synod,etcd-3.4,etcd-3.5] [--sizes 1,3] [--operations put,range,serializable]
             [--in-flight 1,32,256,1000] [--scale 1.0] [--rounds 2] [--no-spread] [--no-reads] [--json FILE]

The load is h2load with prebuilt gRPC frames: puts of 256 bytes to one key, ranges of that key. h2load sends
the same bytes each time, so all puts of a run go to one key; each still writes a revision of its own. Every
server gets the same number of requests from one h2load thread. Columns: answers per second; p50 and p99 in
milliseconds over every single answer; server CPU in microseconds per answer, user and system time of all the
cluster's processes together; at the end the highest memory (VmHWM) of any of its processes.

With three processes the load goes to the leader; the rows marked * spread 255 in flight evenly over all
three, as `etcdctl --endpoints` with three names does.

Last come the puts of one client beside another's endless ranges (`reads.py`).

Each answer is checked: HTTP status 200; the answers' bytes add up to what that many single answers have,
which a gRPC error, having none, would miss; and the revision grows by the number of puts.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "Tests", "System"))

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import reads  # noqa: E402
from harness import peers, places  # noqa: E402
from harness.report import Skip, expect  # noqa: E402
from harness.servers import KINDS, Cluster, program  # noqa: E402

KEY, VALUE = b"bench/key", b"v" * 256
# In flight: h2load's clients (connections), streams on each, and requests of a round at --scale 1.
SHAPES = {1: (1, 1, 3_000), 32: (4, 8, 24_000), 256: (16, 16, 48_000), 1000: (100, 10, 48_000)}
SPREAD = (5, 17, 16_000)  # on each of three processes
OPERATIONS = {
    "put": "/etcdserverpb.KV/Put",
    "range": "/etcdserverpb.KV/Range",
    "serializable": "/etcdserverpb.KV/Range",
}


def field(number, data):
    """A length-delimited protobuf field."""
    length, size = len(data), b""
    while length > 0x7F:
        size += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + data


def frame(operation):
    """A gRPC message with its five bytes of prefix."""
    body = field(1, KEY)
    if operation == "put":
        body += field(2, VALUE)
    if operation == "serializable":
        body += bytes([7 << 3, 1])
    return b"\0" + len(body).to_bytes(4, "big") + body


class Load:
    """One h2load process: started, then read."""

    def __init__(self, folder, operation, port, clients, streams, count):
        self.count = count
        self.log = tempfile.NamedTemporaryFile(dir=folder, suffix=".log")
        body = os.path.join(folder, operation)
        self.process = subprocess.Popen(
            ["h2load", "-n", str(count), "-c", str(min(clients, count)), "-m", str(streams), "-t", "1", "-d", body,
             "-H", "content-type: application/grpc", "-H", "te: trailers", f"--log-file={self.log.name}",
             f"http://127.0.0.1:{port}{OPERATIONS[operation]}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish(self, timeout=120):
        """Seconds, bytes of answers, and the microseconds of every request."""
        try:
            text, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        done = re.search(r"requests: (\d+) total, \d+ started, \d+ done, (\d+) succeeded", text)
        expect(done and int(done.group(2)) == self.count, f"h2load: {text}")
        times = []
        with open(self.log.name) as file:
            for line in file:
                _, status, microseconds = line.split()
                expect(status == "200", f"HTTP status {status}")
                times.append(int(microseconds))
        expect(len(times) == self.count, f"{len(times)} of {self.count} requests logged")
        seconds = re.search(r"finished in ([\d.]+)(us|ms|s|m)", text)
        scale = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[seconds.group(2)]
        data = int(re.search(r"\((\d+)\) data", text).group(1))
        return float(seconds.group(1)) * scale, data, times


class Cell:
    """What one server did under one load, over all rounds."""

    def __init__(self):
        self.count, self.seconds, self.cpu, self.times = 0, 0.0, 0.0, []

    def add(self, seconds, cpu, times):
        self.count += len(times)
        self.seconds += seconds
        self.cpu += cpu
        self.times += times

    def figures(self):
        ordered = sorted(self.times)
        return {
            "rate": self.count / self.seconds,
            "p50": ordered[len(ordered) // 2] / 1000,
            "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] / 1000,
            "cpu": self.cpu / self.count * 1e6,
        }


def revision(cluster):
    return int(cluster.members[0].gateway.range("bench/key")["header"]["revision"])


def run(cluster, folder, operation, shape, ports, cell):
    clients, streams, count = shape
    if operation != "put":
        _, sample, _ = Load(folder, operation, ports[0], 1, 1, 1).finish()
        expect(sample > len(VALUE), f"a single answer has only {sample} bytes")
    before, cpu = revision(cluster), sum(member.cpu_seconds() for member in cluster.members)
    start = time.monotonic()
    loads = [Load(folder, operation, port, clients, streams, count) for port in ports]
    results = [load.finish() for load in loads]
    elapsed = time.monotonic() - start if len(loads) > 1 else results[0][0]
    cpu = sum(member.cpu_seconds() for member in cluster.members) - cpu
    total = count * len(ports)
    grown = revision(cluster) - before
    if operation == "put":
        expect(grown == total, f"the revision grew by {grown} for {total} puts")
    else:
        data = sum(data for _, data, _ in results)
        # Three processes sign their answers with ids of different lengths, a byte or so apart.
        slack = 0 if len(ports) == 1 else total * 2
        expect(abs(data - sample * total) <= slack, f"{total} answers have {data} bytes, a single one {sample}")
        expect(grown == 0, "a range changed the revision")
    cell.add(elapsed, cpu, [t for _, _, times in results for t in times])


def measure(clusters, size, options, folder):
    """All cells of one cluster size: {(operation, in flight): {server: figures}}."""
    for operation in options.operations:
        with open(os.path.join(folder, operation), "wb") as file:
            file.write(frame(operation))
    cells = {}
    loads = [(op, n, False) for op in options.operations for n in options.in_flight]
    if size == 3 and options.spread:
        loads += [(op, 255, True) for op in options.operations]
    for operation, in_flight, spread in loads:
        row = {kind: Cell() for kind in clusters}
        clients, streams, count = SPREAD if spread else SHAPES[in_flight]
        shape = (clients, streams, max(clients * streams, int(count * options.scale / options.rounds)))
        for _ in range(options.rounds):
            for kind, cluster in clusters.items():
                leader = cluster.leader()
                ports = [member.client_port for member in cluster.members] if spread else [leader.client_port]
                run(cluster, folder, operation, shape, ports, row[kind])
        label = f"{in_flight}*" if spread else str(in_flight)
        cells[operation, label] = {kind: cell.figures() for kind, cell in row.items()}
        print_row(operation, label, cells[operation, label])
    return cells


HEAD = f"{'load':<13}{'in flight':>9}  {'server':<9}{'ops/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>8}   ratios of Synod to it"


def print_row(operation, label, row):
    ours = row.get("synod")
    for kind, figures in row.items():
        line = f"{operation:<13}{label:>9}  {kind:<9}{figures['rate']:>9.0f}{figures['p50']:>9.2f}"
        line += f"{figures['p99']:>9.2f}{figures['cpu']:>8.1f}"
        if ours and kind != "synod":
            rate, p50, p99, cpu = (ours[name] / max(figures[name], 1e-9) for name in ("rate", "p50", "p99", "cpu"))
            line += f"   {rate:.2f}× ops/s, {p50:.2f} p50, {p99:.2f} p99, {cpu:.2f} CPU"
        print(line, flush=True)
        operation = label = ""


def memory(clusters):
    peaks = {kind: max(member.reading("VmHWM") for member in cluster.members) / 1024 for kind, cluster in clusters.items()}
    text = ", ".join(f"{kind} {peak:.0f} MiB" for kind, peak in peaks.items())
    ratios = [f"{peaks['synod'] / peak:.2f} of {kind}'s" for kind, peak in peaks.items() if "synod" in peaks and kind != "synod"]
    print(f"peak memory of one process: {text}{'; Synod ' + ', '.join(ratios) if ratios else ''}\n", flush=True)
    return peaks


def numbers(text):
    return [int(piece) for piece in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=lambda text: text.split(","), default=list(KINDS))
    parser.add_argument("--sizes", type=numbers, default=[1, 3])
    parser.add_argument("--operations", type=lambda text: text.split(","), default=list(OPERATIONS))
    parser.add_argument("--in-flight", type=numbers, default=list(SHAPES))
    parser.add_argument("--scale", type=float, default=1.0, help="times the number of requests")
    parser.add_argument("--rounds", type=int, default=2, help="alternations between the servers")
    parser.add_argument("--no-spread", dest="spread", action="store_false", help="leave out the rows marked *")
    parser.add_argument("--no-reads", dest="reads", action="store_false", help="leave out puts beside large ranges")
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args()
    for name, allowed in (("servers", KINDS), ("operations", OPERATIONS), ("in_flight", SHAPES)):
        for value in getattr(options, name):
            if value not in allowed:
                parser.error(f"{name}: {value} is none of {', '.join(map(str, allowed))}")
    peers.ensure()
    kinds = []
    for kind in options.servers:
        try:
            program(kind)
            kinds.append(kind)
        except Skip as reason:
            print(f"notice: {reason}")
    figures, start = {}, time.monotonic()
    print(f"servers: {', '.join(kinds)}; {os.cpu_count()} cores; load average {os.getloadavg()[0]:.1f}")
    for size in options.sizes:
        clusters = {}
        with tempfile.TemporaryDirectory(prefix="synod-bench-") as folder:
            try:
                for kind in kinds:
                    clusters[kind] = Cluster(kind, size)
                    clusters[kind].__enter__()
                    clusters[kind].members[0].gateway.put(KEY.decode(), VALUE.decode())
                print(f"{size} process{'es' if size > 1 else ''}\n{HEAD}", flush=True)
                cells = measure(clusters, size, options, folder)
                peaks = memory(clusters)
                beside = reads.measure(clusters, options.rounds) if options.reads else {}
            finally:
                for cluster in clusters.values():
                    cluster.__exit__(None, None, None)
        figures[size] = {"cells": {" ".join(key): row for key, row in cells.items()}, "peak MiB": peaks, "puts beside": beside}
    print(f"{time.monotonic() - start:.0f} s; every answer was a success")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
