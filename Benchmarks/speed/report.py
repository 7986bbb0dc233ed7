"""Tables of what was measured, goals, and changes since another time."""

import os
import platform
import re
import statistics
import subprocess

from scenarios import FLOOR, FORWARD, OWN, PEERS
from servers import find

# What is printed where CPU time per query is not what matters: title, figure and form of each column.
COLUMNS = {
    "latency": [("queries/s", "rate", "{:,.0f}"), ("p50, µs", "p50", "{:,.0f}"), ("p99, µs", "p99", "{:,.0f}"),
                ("p99.9, µs", "p99.9", "{:,.0f}"), ("lost", "lost", "{:,.0f}"), ("reloads", "reloads", "{:,.0f}")],
    "memory": [("idle, MB", "idle", "{:.1f}"), ("with 100,000 answers, MB", "answers", "{:.1f}")],
    "start": [("to the first answer, ms", "first answer", "{:.1f}")],
}
# Figures that are not compared with those of an earlier run.
INCIDENTAL = ("busy", "max", "lost", "skipped", "reloads")


def machine(program):
    """What the figures depend on."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    with open("/etc/os-release", encoding="utf-8") as file:
        system = re.search(r'PRETTY_NAME="(.*)"', file.read())
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(re.search(r"MemTotal:\s+(\d+)", file.read()).group(1))
    return {
        "processor": model.group(1) if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory": memory * 1024,
        "kernel": platform.release(),
        "system": system.group(1) if system else "",
        "load": os.getloadavg()[0],
        "versions": {
            OWN: output(program, "--version").split()[-1],
            "unbound": output(find("unbound"), "-V").split()[1],
            "dnsmasq": output(find("dnsmasq"), "--version").split()[2],
            "dnsdist": output(find("dnsdist"), "--version").split()[1],
            "nsd": output(find("nsd"), "-v").split()[2],
            "dnsperf": output(find("dnsperf"), "-h").split()[-1],
        },
    }


def output(*command):
    """The first line that a program prints about itself, or all of what dnsperf does."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    text = result.stdout or result.stderr
    versions = re.findall(r"^.*[vV]ersion.*$", text, re.MULTILINE)
    return versions[-1] if versions and "-h" in command else text.splitlines()[0]


def values(rounds, key):
    """One figure of all rounds."""
    return [one[key] for one in rounds if key in one]


def spread(numbers, form="{:.2f}"):
    """Median and range."""
    if not numbers:
        return ""
    median = form.format(statistics.median(numbers))
    return median if len(numbers) == 1 else f"{median} ({form.format(min(numbers))}–{form.format(max(numbers))})"


def ratios(rounds, others, key="cpu"):
    """The ratios of two servers, round by round."""
    return [one / other for one, other in zip(values(rounds, key), values(others, key))]


def best_peer(servers):
    """The other cache that costs least."""
    peers = [name for name in servers if name in PEERS]
    return min(peers, key=lambda name: statistics.median(values(servers[name], "cpu")), default=None)


def table(titles, rows):
    """A table in Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def markdown(result):
    """The table of one scenario."""
    servers = result["servers"]
    if columns := COLUMNS.get(result["key"]):
        rows = [[name, *(spread(values(rounds, key), form) for _, key, form in columns)]
                for name, rounds in servers.items()]
        text = table(["server", *(title for title, _, _ in columns)], rows)
    else:
        floor = next((name for name in (FLOOR, FORWARD) if name in servers), None)
        peer, rows = best_peer(servers), []
        for name, rounds in servers.items():
            least = spread(ratios(rounds, servers[floor])) if floor and name != floor else ""
            best = spread(ratios(rounds, servers[peer])) if peer and name not in (FLOOR, peer) else ""
            rows.append([name, spread(values(rounds, "rate"), "{:,.0f}"), spread(values(rounds, "cpu")), least, best])
        text = table(["server", "queries/s", "CPU per query, µs", f"server / {floor or 'floor'}",
                      f"server / {peer or 'peer'}"], rows)
    missing = "".join(f"\nNot {name}: {why}.\n" for name, why in result["without"].items())
    return f"### {result['title']}\n\n{text}{missing}"


def goals(results):
    """What was to be reached, as (what, figure, limit); only what was measured."""
    def servers(key):
        return results[key]["servers"] if key in results else {}

    def ratio(what, key, one, other, limit, figure="cpu", among=None):
        mine, theirs = servers(key), servers(among or key)
        other = best_peer(theirs) if other == "best peer" else other
        if one in mine and other in theirs:
            found.append((what.format(other), statistics.median(ratios(mine[one], theirs[other], figure)), limit))

    def figure(what, key, name, of, limit):
        if name in servers(key):
            found.append((what, statistics.median(values(servers(key)[name], of)), limit))

    found = []
    ratio("hits, 10,000 names / echo", "hits", OWN, FLOOR, 1.12)
    ratio("hits, 10,000 names / {}, the best peer", "hits", OWN, "best peer", 0.80)
    ratio("hits with 1,000 identities and 100,000 rules / with one", "identities", "1,000 identities, 100,000 rules",
          "one identity", 1.05)
    ratio("denials / hits", "denials", "denials", "hits", 1.0)
    ratio("misses / dnsdist without a cache", "misses", OWN, "dnsdist", 1.0)
    # 1.8 times the queries for twice the time.
    ratio("CPU per query, two workers / one", "workers", OWN, "one worker", 2 / 1.8)
    ratio("p99.9, reloading / not", "latency", f"{OWN} reloading", OWN, 2.0, "p99.9")
    figure("resident memory idle, MB", "memory", OWN, "idle", 25)
    figure("resident memory with 100,000 answers, MB", "memory", f"{OWN}, names not selected", "answers", 60)
    figure("start to first answer, quickstart, ms", "start", f"{OWN}, quickstart", "first answer", 60)
    figure("start to first answer, 10,000 rules, ms", "start", f"{OWN}, 10,000 rules", "first answer", 300)
    return found


def goals_table(results):
    """The goals and whether they were reached."""
    rows = [[what, f"{number:.2f}", f"{limit:.2f}", "reached" if number <= limit else "**missed**"]
            for what, number, limit in goals(results)]
    return "### Goals\n\n" + table(["what", "figure", "at most", ""], rows)


def changes(results, old):
    """What has changed since an earlier run."""
    rows = []
    for key, result in results.items():
        for name, rounds in result["servers"].items():
            earlier = old.get(key, {}).get("servers", {}).get(name, [])
            for figure in dict.fromkeys(figure for one in rounds for figure in one if figure not in INCIDENTAL):
                before, now = values(earlier, figure), values(rounds, figure)
                if not before or not statistics.median(before):
                    continue
                change = f"{statistics.median(now) / statistics.median(before) - 1:+.1%}"
                apart = min(now) > max(before) or max(now) < min(before)
                rows.append([key, name, figure, spread(before), spread(now), f"**{change}**" if apart else change])
    return ("### Changes, bold where the ranges do not overlap\n\n"
            + table(["scenario", "server", "figure", "before", "now", "change"], rows))
