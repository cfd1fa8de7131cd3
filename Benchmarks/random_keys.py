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
from harness.report import expect

GENERATOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Load", ".build", "release", "load")
KEYS, MOST_KEYS, VALUE_BYTES = 100_000, 1_000_000, 256
# In flight: connections, streams on each, and requests of all rounds at --scale 1.
SHAPES = {1: (1, 1, 3_000), 256: (16, 16, 48_000)}
# Of a hundred requests, how many are puts; and what is in flight.
OPERATIONS = {"random-put": (100, (1, 256)), "mix": (10, (256,))}


def rows(options):
    """What is asked for: operation, puts of a hundred requests, in flight."""
    return [
        (name, puts, flight) for name, (puts, flights) in OPERATIONS.items() for flight in flights
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
    said, times = generate(cluster.leader().client_port, count, value_bytes=VALUE_BYTES, key="bench/random/", **options)
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
    means = (f"{sum(each) / len(each):.1f} µs at {in_flight} in flight" for in_flight, each in own.items())
    print(f"CPU per request of the generator itself: {', '.join(means)}", flush=True)
    return cells
