"""What is measured: the servers, how they are set up, and what they are asked."""

import dataclasses
import os
import shutil
import signal
import socket
import threading
import time
from typing import Callable

from documents import NAMES, ORIGIN, Documents
from measure import Dnsperf, Generated, Load, Wrong
from servers import question, resident

OWN, FLOOR, FORWARD = "dnsproxyd", "echo", "forward"
ANY = f"n#######.any.{ORIGIN}"
# Clients whose identities share the names that are learned, because one identity has at most 50,000.
CLIENTS = 64
NOT_A_FORWARDER = {FLOOR: "it asks nobody"}


@dataclasses.dataclass
class Setup:
    """A server in a scenario: how it starts, and what it is asked."""

    start: Callable
    load: Load
    # Names that it must have learned before it is measured.
    learned: int = 0
    # The cores of the load generator, where it is not alone on one.
    core: str | None = None


@dataclasses.dataclass
class Scenario:
    """Servers that are measured in turns."""

    key: str
    title: str
    setups: dict[str, Setup]
    # Why servers are missing.
    without: dict[str, str] = dataclasses.field(default_factory=dict)


class Starts:
    """How the servers are started, all of them with the same upstream."""

    def __init__(self, bench, program, upstream):
        self.bench = bench
        self.program = program
        self.upstream = upstream

    def own(self, **options):
        return lambda: self.bench.dnsproxyd(self.program, self.upstream, **options)

    def echo(self, threads=1):
        return lambda: self.bench.echo(threads)

    def unbound(self, **options):
        return lambda: self.bench.unbound(self.upstream, **options)

    def dnsmasq(self, **options):
        return lambda: self.bench.dnsmasq(self.upstream, **options)

    def dnsdist(self, **options):
        return lambda: self.bench.dnsdist(self.upstream, **options)

    def forward(self, sockets):
        return lambda: self.bench.forward(self.upstream, sockets)

    def five(self, load, learned=0, many=0):
        """All servers with one thread, under the same load, and with room for all, or for so many names."""
        own = self.own(documents=Documents(clients=CLIENTS), cache="256MiB" if many else "64MiB")
        return {
            OWN: Setup(own, load, learned),
            FLOOR: Setup(self.echo(), load),
            "unbound": Setup(self.unbound(messages="512m", records="512m") if many else self.unbound(), load),
            "dnsmasq": Setup(self.dnsmasq(room=many) if many else self.dnsmasq(), load),
            "dnsdist": Setup(self.dnsdist(room=many) if many else self.dnsdist(), load),
        }


def throughput(starts):
    """The scenarios whose figure is CPU time per query."""
    def without(setups, *names):
        return {name: setup for name, setup in setups.items() if name not in names}

    hits = Dnsperf()
    paced = Dnsperf(rate=30_000)
    million = Generated(ANY, 1_000_000, sources=CLIENTS)
    refused = Dnsperf("host%05d.denied.example", code="REFUSED")
    missing = Dnsperf(f"nohost%05d.{ORIGIN}", code="NXDOMAIN")
    from_thousand = Generated(sources=1_000)
    misses = Generated(ANY, 10_000_000, sources=CLIENTS, unique=True, upstream=1.0)
    mixed = Generated(f"host#####.{ORIGIN}", sources=CLIENTS, fresh=ANY, upstream=0.1)
    streams = Dnsperf(transport="tcp")
    own = starts.own(documents=Documents(clients=CLIENTS))
    no_policy = "has no policy by client"
    no_denials = {FLOOR: "it denies nothing", **{name: no_policy for name in ("unbound", "dnsmasq", "dnsdist")}}
    forwarders = without(starts.five(misses, many=2_000_000), FLOOR) | {
        "dnsdist": Setup(starts.dnsdist(room=0), misses),
        f"{OWN}, nothing learned": Setup(
            starts.own(documents=Documents(clients=CLIENTS, selected=False), cache="256MiB"), misses),
        FORWARD: Setup(starts.forward(16), misses),
        f"{FORWARD}, one port": Setup(starts.forward(1), misses),
    }
    mixers = without(starts.five(mixed, learned=NAMES, many=2_000_000), FLOOR)
    both = "0,1"
    return [
        Scenario("hits-1", "Hits, 1 name", starts.five(Dnsperf(count=1), learned=1)),
        Scenario("hits", "Hits, 10,000 names", starts.five(hits, learned=NAMES)),
        Scenario("hits-paced", "Hits, 10,000 names, 30,000 queries/s", starts.five(paced, learned=NAMES)),
        Scenario("hits-1m", "Hits, 1,000,000 names", starts.five(million, learned=900_000, many=2_000_000)),
        Scenario("identities", "Hits from 1,000 addresses, 10,000 names", {
            "one identity": Setup(starts.own(documents=Documents()), from_thousand, NAMES),
            "1,000 identities, 100,000 rules": Setup(
                starts.own(documents=Documents(clients=1_000, rules=100)), from_thousand, NAMES),
            FLOOR: Setup(starts.echo(), from_thousand),
        }, {name: no_policy for name in ("unbound", "dnsmasq", "dnsdist")}),
        Scenario("denials", "Denials", {"hits": Setup(own, hits, NAMES), "denials": Setup(own, refused)}, no_denials),
        Scenario("nxdomain", "NXDOMAIN hits, 10,000 names", without(starts.five(missing), FLOOR),
                 {FLOOR: "it knows no codes"}),
        Scenario("misses", "Misses: forwarding, every name once", forwarders, NOT_A_FORWARDER),
        Scenario("mixed", "Mixed: 90 % hits, 10 % misses", mixers, NOT_A_FORWARDER),
        Scenario("tcp", "Hits over 16 TCP connections", without(starts.five(streams, learned=NAMES), "dnsmasq"),
                 {"dnsmasq": "starts a process for each connection, and ends it after 100 queries"}),
        Scenario("workers", "Hits with two workers on two cores, shared with dnsperf", {
            "one worker": Setup(own, hits, NAMES),
            f"{FLOOR}, one thread": Setup(starts.echo(), hits),
            OWN: Setup(starts.own(documents=Documents(clients=CLIENTS), workers=2), hits, NAMES, both),
            FLOOR: Setup(starts.echo(2), hits, core=both),
            "unbound": Setup(starts.unbound(threads=2), hits, core=both),
            "dnsdist": Setup(starts.dnsdist(threads=2), hits, core=both),
        }, {"dnsmasq": "has one thread"}),
    ]


# Seconds after its first answer at which a server is idle.
SETTLED = 5
# Those that are measured beside ours.
PEERS = ("unbound", "dnsmasq", "dnsdist")


class Field:
    """The servers that are measured in turns. A peer that does not do what is asked of it is left out, with the reason; of
    ours and of the floor all figures are wanted."""

    def __init__(self, names, say):
        self.results = {name: [] for name in names}
        self.left_out = {}
        self.say = say

    def try_(self, name, body):
        """Does `body` for a server that is still measured."""
        if name not in self.results:
            return None
        try:
            return body()
        except Wrong as problem:
            if name not in PEERS:
                raise
            self.say(f"{name} is left out: {problem}")
            self.left_out[name] = f"was left out: {problem}"
            del self.results[name]
            return None

    def measure(self, name, body):
        """Notes the figures that `body` comes to."""
        figures = self.try_(name, body)
        if figures is not None:
            self.results[name].append(figures)


def run_throughput(bench, scenario, only, rounds, seconds, say):
    """Measures the servers of a scenario in turns; figures by server, a list with one for each round, and why some are
    missing."""
    setups = {name: setup for name, setup in scenario.setups.items() if not only or name in only}
    field, running = Field(setups, say), {}
    try:
        for name, setup in setups.items():
            say(f"{scenario.key}: {name} starts")
            running[name] = setup.start()
            field.try_(name, lambda: prepare(bench, setup, name, *running[name]))
        names = list(running)
        for turn in range(rounds):
            # Every round begins with another one: A B C, B C A, …
            begin = turn % len(names)
            for name in names[begin:] + names[:begin]:
                say(f"{scenario.key}: round {turn + 1}, {name}")
                field.measure(name, lambda: again(bench, setups[name], *running[name], seconds, say))
        return field.results, scenario.without | field.left_out
    finally:
        for _, process in running.values():
            bench.stop(process)


def again(bench, setup, port, process, seconds, say, **options):
    """One measurement, repeated once when it was none."""
    if setup.core:
        options["core"] = setup.core
    try:
        return setup.load.measure(bench, port, process, seconds, **options)
    except Wrong as problem:
        say(f"again, because {problem}")
        return setup.load.measure(bench, port, process, seconds, **options)


def prepare(bench, setup, name, port, process):
    """Fills the cache of a server, and makes sure that policy and learning of ours are on."""
    setup.load.warm(bench, port)
    if not os.path.exists(bench.path(f"dnsproxyd-{port}")):
        return
    if ask(port, f"host00000.{ORIGIN}", source="127.0.0.2") != 5:
        raise Wrong(f"{name} does not refuse a client without an identity")
    learned = bench.status(port)["mappings"]["names"]
    if learned < setup.learned:
        raise Wrong(f"{name} has learned {learned:,} names, not {setup.learned:,}")


def ask(port, name, source="127.0.0.1", timeout=2.0):
    """The response code of one query, None without a response."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        client.bind((source, 0))
        client.connect(("127.0.0.1", port))
        try:
            client.send(b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + question(name))
            return client.recv(4096)[3] & 0xF
        except OSError:
            return None


class Reloads(threading.Thread):
    """Replaces the policies of a dnsproxyd once a second, by others with as many rules."""

    def __init__(self, bench, port, process, documents):
        super().__init__(daemon=True)
        self.folder = bench.path(f"dnsproxyd-{port}")
        self.process = process
        self.ended = threading.Event()
        for number, version in enumerate(documents):
            bench.write(f"dnsproxyd-{port}/version{number}", version.text())

    def run(self):
        turn = 0
        while not self.ended.wait(1):
            turn = 1 - turn
            # A copy: renaming one link of a file onto another one does nothing (rename(2)).
            shutil.copyfile(f"{self.folder}/version{turn}", f"{self.folder}/policies/.new")
            os.rename(f"{self.folder}/policies/.new", f"{self.folder}/policies/bench.yaml")
            self.process.send_signal(signal.SIGHUP)


def run_latency(bench, starts, only, rounds, seconds, say):
    """Latency at 60 % of what each server can do; ours with and without reloads of 100,000 rules, once a second."""
    load = Generated(sources=1_000)
    documents = [Documents(clients=1_000, rules=100, version=version) for version in range(2)]
    setups = starts.five(load)
    # Its buffer is the kernel's default, which does not hold what comes in a moment at 60 % of its queries.
    del setups[FLOOR]
    setups[OWN] = Setup(starts.own(documents=documents[0]), load, NAMES)
    reloading = f"{OWN} reloading"
    setups[reloading] = setups[OWN]
    setups = {name: setup for name, setup in setups.items() if not only or name in only}
    field, rates, running = Field(setups, say), {}, {}

    def saturate(name, setup):
        """Finds out how much the server can do."""
        prepare(bench, setup, name, *running[name])
        rates[name] = again(bench, setup, *running[name], min(seconds, 3), say)["rate"]

    def paced(name):
        """Figures at 60 % of that, with reloads if they are asked for."""
        port, process = running[name]
        before = bench.status(port)["policy"]["generation"] if name == reloading else 0
        reloads = Reloads(bench, port, process, documents) if name == reloading else None
        if reloads:
            reloads.start()
        try:
            figures = again(bench, setups[name], port, process, seconds, say, rate=round(0.6 * rates[name]))
        finally:
            if reloads:
                reloads.ended.set()
                reloads.join()
        if reloads:
            figures["reloads"] = bench.status(port)["policy"]["generation"] - before
            if figures["reloads"] < 1:
                raise Wrong("the policy was not replaced")
        return figures

    try:
        for name, setup in setups.items():
            say(f"latency: {name} starts")
            running[name] = setup.start()
            field.try_(name, lambda: saturate(name, setup))
        # The same load for both of ours.
        rates[reloading] = rates.get(OWN, rates.get(reloading))
        for turn in range(rounds):
            for name in setups:
                say(f"latency: round {turn + 1}, {name}")
                field.measure(name, lambda: paced(name))
        return field.results, field.left_out
    finally:
        for _, process in running.values():
            bench.stop(process)


def run_memory(bench, starts, say):
    """Resident bytes of servers whose start is over, before and after 100,000 names with an address each."""
    count = 100_000
    load = Generated(ANY, count, sources=CLIENTS)
    setups = starts.five(load, many=2 * count)
    del setups[FLOOR]
    setups[OWN] = Setup(starts.own(documents=Documents(clients=CLIENTS)), load, count)
    setups[f"{OWN}, names not selected"] = Setup(
        starts.own(documents=Documents(clients=CLIENTS, selected=False)), load)
    results = {}
    for name, setup in setups.items():
        say(f"memory: {name}")
        port, process = setup.start()
        time.sleep(SETTLED)
        idle = resident(process)
        prepare(bench, setup, name, port, process)
        results[name] = [{"idle": idle / 1e6, "answers": resident(process) / 1e6}]
        bench.stop(process)
    return results


def run_start(bench, starts, rounds, say):
    """Milliseconds from the start of a process to its first answer; that of forwarders is from the upstream."""
    cases = {
        f"{OWN}, quickstart": lambda: bench.quickstart(starts.program),
        f"{OWN}, 10,000 rules": starts.own(documents=Documents(clients=100, rules=100)),
        "unbound": starts.unbound(),
        "dnsmasq": starts.dnsmasq(),
        "dnsdist": starts.dnsdist(),
    }
    results = {name: [] for name in cases}
    for turn in range(rounds):
        for name, start in cases.items():
            say(f"start: round {turn + 1}, {name}")
            _, process = start()
            results[name].append({"first answer": bench.first_answers[process.pid] * 1e3})
            bench.stop(process)
    return results
