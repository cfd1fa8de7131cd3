"""What one server did under one load, and the rows that say so."""

# The name of each column, and the place of its percentile among a thousand sorted latencies.
PERCENTILES = {"p50": 500, "p99": 990, "p99.9": 999}


def percentile(ordered, of_thousand):
    return ordered[len(ordered) * of_thousand // 1000]


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
            **{name: percentile(ordered, place) / 1000 for name, place in PERCENTILES.items()},
            "cpu": self.cpu / self.count * 1e6,
        }


HEAD = (f"{'load':<13}{'in flight':>9}  {'server':<9}{'ops/s':>9}"
        + "".join(f"{name + ' ms':>10}" for name in PERCENTILES) + f"{'CPU µs':>8}   ratios of Synod to it")


def print_row(operation, label, row):
    ours = row.get("synod")
    for kind, figures in row.items():
        line = f"{operation:<13}{label:>9}  {kind:<9}{figures['rate']:>9.0f}"
        line += "".join(f"{figures[name]:>10.2f}" for name in PERCENTILES) + f"{figures['cpu']:>8.1f}"
        if ours and kind != "synod":
            ratios = [(ours[name] / max(figures[name], 1e-9), name) for name in PERCENTILES]
            line += f"   {ours['rate'] / figures['rate']:.2f}× ops/s, "
            line += ", ".join(f"{ratio:.2f} {name}" for ratio, name in ratios)
            line += f", {ours['cpu'] / max(figures['cpu'], 1e-9):.2f} CPU"
        print(line, flush=True)
        operation = label = ""


def memory(clusters):
    """The highest of any process of each cluster, MiB."""
    return {kind: max(member.reading("VmHWM") for member in cluster.members) / 1024 for kind, cluster in clusters.items()}


def print_memory(peaks):
    text = ", ".join(f"{kind} {peak:.0f} MiB" for kind, peak in peaks.items())
    ratios = [f"{peaks['synod'] / peak:.2f} of {kind}'s" for kind, peak in peaks.items() if "synod" in peaks and kind != "synod"]
    print(f"peak memory of one process: {text}{'; Synod ' + ', '.join(ratios) if ratios else ''}\n", flush=True)


def revision(cluster):
    return int(cluster.members[0].gateway.range("bench/key")["header"]["revision"])


def cpu_seconds(cluster):
    return sum(member.cpu_seconds() for member in cluster.members)
