#!/usr/bin/env python3
"""The same load on Synod and on every etcd that is here, alternating, with what it cost the servers.

    bench.py [--servers synod,etcd-3.4,etcd-3.5] [--sizes 1,3] [--operations put,range,serializable,random-put,mix,count,page]
             [--in-flight 1,32,256,1000] [--scale 1.0] [--rounds 2] [--no-spread] [--no-reads] [--no-random] [--json FILE]

put, range, serializable: h2load with prebuilt gRPC frames: puts of 256 bytes to one key, ranges of that key. h2load
sends the same bytes each time, so all puts of a run go to one key; each still writes a revision of its own. With
three processes the load goes to the leader; the rows marked * spread 255 in flight evenly over all three, as
`etcdctl --endpoints` with three names does.

random-put, mix: our own generator (`Load`), on servers of their own that hold 100,000 keys times --scale, from 1,000
to 1,000,000: puts of 256 bytes to keys drawn evenly, at 1 and 256 in flight, and one put to nine linearizable ranges
at 256 in flight, to the leader; then on the same servers, one in flight, the count of all keys, and a page of 500
from their middle.

Every server gets the same number of requests from one thread. Columns: answers per second; p50, p99 and p99.9 in
milliseconds over every single answer; server CPU in microseconds per answer, user and system time of all the
cluster's processes together; at the end the highest memory (VmHWM) of any of its processes.

Between the two come the puts of one client beside another's endless ranges (`reads.py`).

Each answer is checked. Of h2load's: HTTP status 200; the answers' bytes add up to what that many single answers
have, which a gRPC error, having none, would miss. The generator judges each by its gRPC status, and each range by
the key and the value that it found. And the revision grows by the number of puts.
"""

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "Tests", "System"))

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import random_keys  # noqa: E402
import reads  # noqa: E402
from figures import HEAD, Cell, cpu_seconds, memory, print_memory, print_row, revision  # noqa: E402
from h2load import Load, field  # noqa: E402
from harness import peers  # noqa: E402
from harness.report import Skip, expect  # noqa: E402
from harness.servers import KINDS, Cluster, program  # noqa: E402

KEY, VALUE = b"bench/key", b"v" * 256
# In flight: h2load's clients (connections), streams on each, and requests of a round at --scale 1.
SHAPES = {1: (1, 1, 3_000), 32: (4, 8, 24_000), 256: (16, 16, 48_000), 1000: (100, 10, 48_000)}
SPREAD = (5, 17, 16_000)  # on each of three processes
H2LOAD = {
    "put": "/etcdserverpb.KV/Put",
    "range": "/etcdserverpb.KV/Range",
    "serializable": "/etcdserverpb.KV/Range",
}
OPERATIONS = [*H2LOAD, *random_keys.OPERATIONS]


def frame(operation):
    """A gRPC message with its five bytes of prefix."""
    body = field(1, KEY)
    if operation == "put":
        body += field(2, VALUE)
    if operation == "serializable":
        body += bytes([7 << 3, 1])
    return b"\0" + len(body).to_bytes(4, "big") + body


def run(cluster, folder, operation, shape, ports, cell):
    clients, streams, count = shape
    if operation != "put":
        _, sample, _ = Load(folder, operation, H2LOAD[operation], ports[0], 1, 1, 1).finish()
        expect(sample > len(VALUE), f"a single answer has only {sample} bytes")
    before, cpu = revision(cluster), cpu_seconds(cluster)
    start = time.monotonic()
    loads = [Load(folder, operation, H2LOAD[operation], port, clients, streams, count) for port in ports]
    results = [load.finish() for load in loads]
    elapsed = time.monotonic() - start if len(loads) > 1 else results[0][0]
    cpu = cpu_seconds(cluster) - cpu
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


def measure(kinds, size, options, folder):
    """All cells of one cluster size by h2load: {(operation, in flight): {server: figures}}, and the highest memory.

    Every round has fresh clusters: how a process happens to lie in memory moves its CPU time by a tenth and more.
    """
    operations = [operation for operation in options.operations if operation in H2LOAD]
    for operation in operations:
        with open(os.path.join(folder, operation), "wb") as file:
            file.write(frame(operation))
    loads = [(op, n, False) for op in operations for n in options.in_flight]
    if size == 3 and options.spread:
        loads += [(op, 255, True) for op in operations]
    rows, peaks = {load: {kind: Cell() for kind in kinds} for load in loads}, {}
    for _ in range(options.rounds):
        with running(kinds, size) as clusters:
            for operation, in_flight, spread in loads:
                clients, streams, count = SPREAD if spread else SHAPES[in_flight]
                shape = (clients, streams, max(clients * streams, int(count * options.scale / options.rounds)))
                for kind, cluster in clusters.items():
                    leader = cluster.leader()
                    ports = [member.client_port for member in (cluster.members if spread else [leader])]
                    run(cluster, folder, operation, shape, ports, rows[operation, in_flight, spread][kind])
            for kind, peak in memory(clusters).items():
                peaks[kind] = max(peak, peaks.get(kind, 0))
    cells = {}
    for (operation, in_flight, spread), row in rows.items():
        label = f"{in_flight}*" if spread else str(in_flight)
        cells[operation, label] = {kind: cell.figures() for kind, cell in row.items()}
        print_row(operation, label, cells[operation, label])
    return cells, peaks


@contextlib.contextmanager
def running(kinds, size):
    """A fresh cluster of each kind, which holds the one key."""
    with contextlib.ExitStack() as stack:
        clusters = {}
        for kind in kinds:
            clusters[kind] = stack.enter_context(Cluster(kind, size))
            clusters[kind].members[0].gateway.put(KEY.decode(), VALUE.decode())
        yield clusters


def measure_size(kinds, size, options):
    """Everything of one cluster size, as --json writes it."""
    cells, figures = {}, {"puts beside": {}}
    processes = f"{size} process{'es' if size > 1 else ''}"
    if options.h2load:
        print(f"{processes}\n{HEAD}", flush=True)
        with tempfile.TemporaryDirectory(prefix="synod-bench-") as folder:
            measured, figures["peak MiB"] = measure(kinds, size, options, folder)
        cells.update(measured)
        print_memory(figures["peak MiB"])
    if options.reads:
        with running(kinds, size) as clusters:
            figures["puts beside"] = reads.measure(clusters, options.rounds)
        print()
    if options.random:
        with running(kinds, size) as clusters:
            print(f"{processes}, {random_keys.number_of_keys(options.scale):,} keys\n{HEAD}", flush=True)
            cells.update(random_keys.measure(clusters, options))
            figures["peak MiB of many keys"] = memory(clusters)
        print_memory(figures["peak MiB of many keys"])
    return {"cells": {" ".join(key): row for key, row in cells.items()}, **figures}


def names(text):
    return text.split(",")


def number(text, kind=int, least=1, most=1_000_000):
    try:
        if least <= kind(text) <= most:
            return kind(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"wants a number from {least} to {most:,}, not {text!r}")


def numbers(text):
    return [number(piece) for piece in names(text)]


def factor(text):
    return number(text, float, 0.001, 1_000)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=names, default=list(KINDS))
    parser.add_argument("--sizes", type=numbers, default=[1, 3])
    parser.add_argument("--operations", type=names, default=OPERATIONS)
    parser.add_argument("--in-flight", type=numbers, default=list(SHAPES))
    parser.add_argument("--scale", type=factor, default=1.0, help="times the number of requests, and of keys")
    parser.add_argument("--rounds", type=number, default=2, help="alternations between the servers, each on fresh clusters")
    parser.add_argument("--no-spread", dest="spread", action="store_false", help="leave out the rows marked *")
    parser.add_argument("--no-reads", dest="reads", action="store_false", help="leave out puts beside large ranges")
    parser.add_argument("--no-random", dest="random", action="store_false", help="leave out random-put, mix, count and page")
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args()
    for name, allowed in (("servers", KINDS), ("operations", OPERATIONS), ("in_flight", SHAPES)):
        for value in getattr(options, name):
            if value not in allowed:
                parser.error(f"--{name.replace('_', '-')}: {value} is none of {', '.join(map(str, allowed))}")
    options.h2load = not set(H2LOAD).isdisjoint(options.operations)
    options.random = options.random and not set(random_keys.OPERATIONS).isdisjoint(options.operations)
    if options.random and not os.access(random_keys.GENERATOR, os.X_OK):
        parser.error("the load generator is not built: `make load`, or leave it out with --no-random")
    if (options.h2load or options.reads) and not shutil.which("h2load"):
        parser.error("h2load is not on this machine; Debian's nghttp2-client has it")
    if options.json:
        try:
            open(options.json, "a").close()
        except OSError as error:
            parser.error(f"--json: {error}")
    return options


def main():
    options = parsed()
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
        figures[size] = measure_size(kinds, size, options)
    print(f"{time.monotonic() - start:.0f} s; every answer was a success")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
