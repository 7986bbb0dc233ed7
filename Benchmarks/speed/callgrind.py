"""Runs the daemon under callgrind and reads what it has counted."""

import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from servers import find

# Otherwise glibc takes the variant of memcpy and its like that suits the processor best, and counts of two machines
# differ. What is left is there on every x86 with AVX2.
PINNED = "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-RTM,-ERMS,-FSRM"


@dataclasses.dataclass
class Counts:
    """What one thread, or several, did between two dumps; instructions are those of user space."""

    # Instructions by object, function and address.
    own: dict = dataclasses.field(default_factory=dict)
    # Calls by the functions that call and are called.
    calls: dict = dataclasses.field(default_factory=dict)
    # Instructions of calls, with all that these call in turn, by object, function and address of the caller, and by
    # the function that is called.
    inclusive: dict = dataclasses.field(default_factory=dict)

    @property
    def total(self):
        return sum(self.own.values())

    def called(self, pattern):
        """How often functions that match were called."""
        return sum(number for (_, callee), number in self.calls.items() if re.match(pattern, callee))

    def add(self, other):
        for mine, theirs in ((self.own, other.own), (self.calls, other.calls), (self.inclusive, other.inclusive)):
            for key, number in theirs.items():
                mine[key] = mine.get(key, 0) + number


class Callgrind:
    """The daemon under callgrind, with policy and learning on."""

    def __init__(self, bench, program, upstream):
        self.bench = bench
        # valgrind stumbles over the compiler's debug information; the names of functions are in the symbol table.
        self.program = bench.path("dnsproxyd")
        subprocess.run([find("strip"), "--strip-debug", "-o", self.program, program], check=True)
        prefix = ["env", f"GLIBC_TUNABLES={PINNED}", find("valgrind"), "--tool=callgrind", "--quiet",
                  f"--callgrind-out-file={bench.path('calls')}", "--separate-threads=yes", "--dump-instr=yes",
                  "--dump-line=no", "--compress-pos=no"]
        # Every denied query is noted, so that counts do not depend on how much the clock allows.
        self.port, self.process = bench.dnsproxyd(self.program, upstream, prefix, extra="flows: {rate: 1000000}")
        self.dumps = 0

    def reload(self):
        """Has it read its documents again, and waits until that is over."""
        before = self.bench.status(self.port)["policy"]["generation"]
        self.process.send_signal(signal.SIGHUP)
        while self.bench.status(self.port)["policy"]["generation"] == before:
            time.sleep(0.1)
        # What was learned is brought into line with them twice.
        time.sleep(3)

    def dump(self):
        """What each thread has done since the last time, by its number."""
        subprocess.run([find("callgrind_control"), "--dump", str(self.process.pid)], check=True, capture_output=True,
                       timeout=120)
        self.dumps += 1
        pattern = re.compile(rf"calls(\.\d+)?\.{self.dumps}-(\d+)$")
        for _ in range(600):
            matches = filter(None, map(pattern.match, os.listdir(self.bench.folder)))
            paths = {int(match[2]): self.bench.path(match[0]) for match in matches}
            if paths and all(is_complete(path) for path in paths.values()):
                return {thread: read(path) for thread, path in paths.items()}
            time.sleep(0.1)
        sys.exit("callgrind writes nothing")

    def worker(self, threads):
        """The counts of the thread that answers queries."""
        for counts in threads.values():
            if counts.called(r"recvmmsg$"):
                return counts
        sys.exit("no thread has received a datagram")


def is_complete(path):
    """Whether callgrind has written the last line of a dump."""
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - 400))
        return b"totals:" in file.read()


def read(path):
    """The counts in a file of callgrind's."""
    counts = Counts()
    names = {"ob": {}, "fn": {}}
    place = {"ob": "", "fn": "", "cfn": ""}
    is_call = False
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            key, equals, rest = line.rstrip("\n").partition("=")
            if equals and key in ("ob", "fn", "cob", "cfn"):
                # A name is written once, with a number that stands for it from then on.
                number, _, name = rest.partition(" ")
                table = names[key[-2:]]
                if name:
                    table[number] = name
                place[key] = table[number]
            elif equals and key == "calls":
                pair = place["fn"], place["cfn"]
                counts.calls[pair] = counts.calls.get(pair, 0) + int(rest.split()[0])
                is_call = True
            elif line.startswith("0x"):
                address, _, cost = line.partition(" ")
                where = place["ob"], place["fn"], int(address, 16)
                if is_call:
                    where = *where, place["cfn"]
                table = counts.inclusive if is_call else counts.own
                table[where] = table.get(where, 0) + int(cost.split()[-1])
                is_call = False
    return counts


def demangle(text):
    """The text with names as they are in the source, if there is a toolchain."""
    if shutil.which("swift") is None:
        return text
    return subprocess.run(["swift", "demangle", "--simplified"], input=text, capture_output=True, text=True,
                          check=True).stdout.rstrip()
