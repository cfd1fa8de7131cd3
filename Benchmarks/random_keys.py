"""Puts and ranges of many keys, by the generator in Benchmarks/Load.

All keys are written before anything is measured, so that every range finds its key and every put finds a store of the
same size. Keys are drawn evenly from a seed, another in each round and the same for every server.
"""

import array
import json
import os
import subprocess
import tempfile

from figures import Cell, cpu_seconds, print_row, revision
from h2load import Load, field
from harness.report import expect

GENERATOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Load", ".build", "release", "load")
KEYS, MOST_KEYS, VALUE_BYTES = 100_000, 1_000_000, 256
# In flight: connections, streams on each, and requests of all rounds at --scale 1.
SHAPES = {1: (1, 1, 3_000), 256: (16, 16, 48_000)}
# Of a hundred requests, how many are puts; and what is in flight.
LOADS = {"random-put": (100, (1, 256)), "mix": (10, (256,))}
# Of all keys: h2load's requests of all rounds at --scale 1, one in flight.
LARGE, LARGE_REQUESTS = ["count", "page"], 400
PAGE = 500
OPERATIONS = [*LOADS, *LARGE]
PREFIX = b"bench/random/"


def rows(options):
    """What is asked for: operation, puts of a hundred requests, in flight."""
    return [
        (name, puts, flight) for name, (puts, flights) in LOADS.items() for flight in flights
        if name in options.operations and flight in options.in_flight]


def number_of_keys(scale):
    return max(1_000, min(MOST_KEYS, int(KEYS * scale)))


def generate(port, count, connections=1, streams=1, **options):
    """What the generator says of one load, and the microseconds of every request.

    It ends by itself when no answer comes.
    """
    words = []
    for name, value in {"connections": connections, "streams": streams, **options}.items():
        words += ["--" + name.replace("_", "-")] + ([] if value is True else [str(value)])
    with tempfile.NamedTemporaryFile(prefix="synod-load-") as file:
        done = subprocess.run(
            [GENERATOR, "--port", str(port), "--count", str(count), "--latencies", file.name, *words],
            capture_output=True, text=True)
        expect(done.returncode == 0, done.stderr.strip())
        times = array.array("I", file.read())
    said = json.loads(done.stdout)
    expect(said["count"] == count == len(times), f"{said['count']} answers and {len(times)} latencies of {count} requests")
    return said, times


def load(cluster, count, **options):
    """Seconds, server CPU and latencies of one load on the leader, and the generator's own CPU; checked."""
    before, cpu = revision(cluster), cpu_seconds(cluster)
    said, times = generate(cluster.leader().client_port, count, value_bytes=VALUE_BYTES, key=PREFIX.decode(), **options)
    cpu, grown = cpu_seconds(cluster) - cpu, revision(cluster) - before
    expect(grown == said["puts"], f"the revision grew by {grown} for {said['puts']} puts")
    expect(said["bytes"] > said["ranges"] * VALUE_BYTES, f"{said['ranges']} ranges have {said['bytes']} bytes")
    return said, cpu, times


def measure(clusters, options):
    """All cells: {(operation, in flight): {server: figures}}, the servers alternating."""
    keys = number_of_keys(options.scale)
    for cluster in clusters.values():
        load(cluster, keys, connections=16, streams=16, keys=keys, in_order=True)
    cells, own = {}, {}
    for name, puts, in_flight in rows(options):
        connections, streams, count = SHAPES[in_flight]
        count = max(connections * streams, int(count * options.scale / options.rounds))
        row = {kind: Cell() for kind in clusters}
        for number in range(options.rounds):
            for kind, cluster in clusters.items():
                said, cpu, times = load(
                    cluster, count, connections=connections, streams=streams, keys=keys, puts=puts, seed=number + 1)
                row[kind].add(said["seconds"], cpu, times)
                own.setdefault(in_flight, []).append(said["cpu"] / count * 1e6)
        cells[name, str(in_flight)] = {kind: cell.figures() for kind, cell in row.items()}
        print_row(name, str(in_flight), cells[name, str(in_flight)])
    measure_large(clusters, keys, options, cells)
    means = (f"{sum(each) / len(each):.1f} µs at {in_flight} in flight" for in_flight, each in own.items())
    print(f"CPU per request of the generator itself: {', '.join(means)}", flush=True)
    return cells


def message(operation, keys):
    """The range of all keys that only counts them, or that of 500 from their middle; as gRPC frames it."""
    end = field(2, PREFIX[:-1] + bytes([PREFIX[-1] + 1]))
    if operation == "count":
        body = field(1, PREFIX) + end + bytes([9 << 3, 1])
    else:
        body = field(1, PREFIX + b"%08d" % (keys // 2)) + end + bytes([3 << 3, PAGE & 0x7F | 0x80, PAGE >> 7])
    return b"\0" + len(body).to_bytes(4, "big") + body


def measure_large(clusters, keys, options, cells):
    """A count of all keys, and a page from their middle, each by itself."""
    with tempfile.TemporaryDirectory(prefix="synod-bench-") as folder:
        for operation in LARGE:
            if operation not in options.operations or 1 not in options.in_flight:
                continue
            with open(os.path.join(folder, operation), "wb") as file:
                file.write(message(operation, keys))
            for cluster in clusters.values():
                check_large(cluster, operation, keys)
            row = {kind: Cell() for kind in clusters}
            for _ in range(options.rounds):
                for kind, cluster in clusters.items():
                    port, cpu = cluster.leader().client_port, cpu_seconds(cluster)
                    count = max(1, LARGE_REQUESTS // options.rounds)
                    seconds, _, times = Load(folder, operation, "/etcdserverpb.KV/Range", port, 1, 1, count).finish()
                    row[kind].add(seconds, cpu_seconds(cluster) - cpu, times)
            cells[operation, "1"] = {kind: cell.figures() for kind, cell in row.items()}
            print_row(operation, "1", cells[operation, "1"])


def check_large(cluster, operation, keys):
    first = PREFIX if operation == "count" else PREFIX + b"%08d" % (keys // 2)
    end = PREFIX[:-1] + bytes([PREFIX[-1] + 1])
    asked = {"count_only": True} if operation == "count" else {"limit": PAGE}
    said = cluster.leader().gateway.range(first.decode(), end.decode(), **asked)
    wanted = (keys, 0) if operation == "count" else (keys - keys // 2, PAGE)
    found = (int(said["count"]), len(said.get("kvs", [])))
    expect(found == wanted, f"{operation}: {found[0]} keys and {found[1]} of them, not {wanted}")
