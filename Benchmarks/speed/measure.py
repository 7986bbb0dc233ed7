"""One measurement: load on a server for some seconds, what it cost, and whether it was what it should have been."""

import re
import time

from documents import NAMES, ORIGIN
from servers import cpu_seconds

# Queries that wait for an answer at any time; more do not fit into the receive buffer that sockets have by default.
WINDOW = 100
# Without a common divisor with the counts of names: the order in which they are asked for is not that of their storage.
STRIDE = 7_919
CODES = {"NOERROR": 0, "NXDOMAIN": 3, "REFUSED": 5}


class Wrong(Exception):
    """A measurement that does not show what it should."""


class Load:
    """Queries of one kind. The upstream has to see `upstream` of them: none, all, or every tenth."""

    def __init__(self, code="NOERROR", upstream=0.0):
        self.code = code
        self.upstream = upstream

    def measure(self, bench, port, process, seconds, **options):
        """The figures of one run.

        Throws Wrong when a query was lost, answered otherwise than expected, or not from where it should have been."""
        asked, used, start = bench.asked_upstream(), cpu_seconds(process), time.monotonic()
        figures = self.run(bench, port, seconds, **options)
        used, asked = cpu_seconds(process) - used, bench.asked_upstream() - asked
        completed = figures.pop("completed")
        # What is out at the end may be answered by the upstream and still not be counted.
        expected, slack = self.upstream * completed, 0.01 * completed + 3 * WINDOW if self.upstream else 20
        if abs(asked - expected) > slack:
            raise Wrong(f"the upstream was asked {asked:,} times for {completed:,} queries")
        return {"cpu": used * 1e6 / completed, "busy": used / (time.monotonic() - start), **figures}


class Dnsperf(Load):
    """Names from a file in random order, asked by dnsperf as 16 clients."""

    def __init__(self, label=f"host%05d.{ORIGIN}", count=NAMES, transport="udp", rate=None, **options):
        super().__init__(**options)
        self.label = label
        self.count = count
        self.transport = transport
        # Queries a second; as many as it gets answered if there is none.
        self.rate = rate

    def names(self, bench):
        """The path of the file."""
        lines = (self.label % (n * STRIDE % self.count) for n in range(self.count))
        return bench.write("names-" + re.sub(r"\W", "-", self.label) + str(self.count),
                           "".join(f"{line} A\n" for line in lines))

    def warm(self, bench, port):
        """Asks for every name until all are answered from the cache."""
        bench.warm(port, self.code, self.names(bench), self.count, self.transport)

    def run(self, bench, port, seconds, **options):
        """One run of dnsperf."""
        rate = ["-Q", str(self.rate)] if self.rate else []
        figures = bench.dnsperf(port, *rate, "-l", str(seconds), "-c", "16", "-q", str(WINDOW), "-m", self.transport,
                                queries=self.names(bench), **options)
        completed = int(figures["Queries completed"].split()[0])
        lost = int(figures["Queries lost"].split()[0])
        codes = dict(re.findall(r"([A-Z]+) (\d+)", figures["Response codes"]))
        if lost or int(codes.get(self.code, 0)) != completed:
            raise Wrong(f"{lost} queries lost, response codes {figures['Response codes']}")
        reached = float(figures["Queries per second"])
        if self.rate and reached < 0.95 * self.rate:
            raise Wrong(f"{reached:,.0f} queries/s instead of {self.rate:,}")
        return {"completed": completed, "rate": reached}


class Generated(Load):
    """Names with numbers, asked by the generator in load.c from `sources` addresses."""

    # Numbers that were used for names that are not repeated.
    used = 0

    def __init__(self, name=f"host#####.{ORIGIN}", count=NAMES, sources=1, unique=False, fresh=None, **options):
        super().__init__(**options)
        self.name = name
        self.count = count
        self.sources = sources
        self.unique = unique
        self.fresh = fresh

    def options(self):
        """The options of every run."""
        options = {"sources": self.sources, "window": WINDOW, "code": CODES[self.code],
                   "answers": 1 if self.code == "NOERROR" else 0, "stride": 1 if self.unique else STRIDE}
        if self.unique or self.fresh:
            options["first"] = Generated.used
        if self.fresh:
            options["fresh"] = self.fresh
        return options

    def warm(self, bench, port):
        """Asks for every name until all are answered from the cache, unless no name is asked for twice."""
        if self.unique:
            self.run(bench, port, 0.5)
            return
        options = self.options() | {"seconds": 600}
        options.pop("fresh", None)
        options.pop("first", None)
        for _ in range(5):
            asked = bench.asked_upstream()
            figures = bench.load(port, self.name, self.count, queries=self.count, **options)
            # What a busy upstream has lost is asked for again.
            missing = figures["wrong"] or figures["received"] < self.count
            if not missing and bench.asked_upstream() - asked <= 20:
                return
        raise Wrong(f"not every name is answered from the cache: {figures}")

    def run(self, bench, port, seconds, core=None, **options):
        """One run of the generator."""
        figures = bench.load(port, self.name, self.count, core=core, **(self.options() | options), seconds=seconds)
        if self.unique or self.fresh:
            Generated.used = figures["next"]
        # At a given rate, what does not fit into a buffer is lost, and counts as the longest latency.
        tolerated = 0.01 * figures["sent"] if "rate" in options else 0
        if figures["lost"] > tolerated or figures["wrong"]:
            raise Wrong(f"{figures['lost']} queries lost, {figures['wrong']} answers wrong")
        others = {key: figures[key] for key in ("p50", "p99", "p99.9", "max", "lost", "skipped")}
        return {"completed": figures["received"], "rate": figures["rate"], **others}
