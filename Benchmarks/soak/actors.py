"""Who does something to the daemon during a run; each is a process of its own that ends with the run."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../speed"))

from servers import ORIGIN, find, question  # noqa: E402


class Actor(threading.Thread):
    """Does something again and again until it is stopped, and notes when."""

    def __init__(self, period, began):
        super().__init__(daemon=True)
        self.period = period
        self.began = began
        self.moments = []
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.wait(self.period):
            self.moments.append(time.monotonic() - self.began)
            self.act()

    def act(self):
        """What it does."""
        raise NotImplementedError

    def stop(self):
        """Ends it, when it has done what it is at."""
        self.is_over.set()
        self.join(timeout=60)


class Reloads(Actor):
    """Replaces a policy by one whose rules are all others, and has the daemon read it."""

    def __init__(self, period, began, folder, process, document):
        super().__init__(period, began)
        self.folder = folder
        self.process = process
        self.document = document
        self.write(0)

    def write(self, version):
        """Moves a version into place."""
        with open(os.path.join(self.folder, ".next"), "w", encoding="utf-8") as file:
            file.write(self.document(version))
        os.rename(os.path.join(self.folder, ".next"), os.path.join(self.folder, "turn.yaml"))

    def act(self):
        self.write(len(self.moments))
        self.process.send_signal(signal.SIGHUP)


class Flaps(Actor):
    """Ends the upstream, and starts it again after a while."""

    def __init__(self, period, began, bench, length):
        super().__init__(period, began)
        self.bench = bench
        self.length = length

    def act(self):
        self.bench.end_upstream()
        self.is_over.wait(self.length)
        self.bench.begin_upstream()


class Observers(Actor):
    """Look at the daemon for a while, each in another way."""

    def __init__(self, period, began, program, socket_path):
        super().__init__(period, began)
        self.commands = [[program, *words, "--admin", socket_path] for words in
                         (["observe", "-f"], ["feed", "watch"], ["status"], ["observe", "-f", "-o", "jsonpb"],
                          ["cache", "list", "-p", "host0000*." + ORIGIN])]

    def act(self):
        command = self.commands[len(self.moments) % len(self.commands)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            self.is_over.wait(self.period / 2)
            process.terminate()


class Enforcer(Actor):
    """Takes the feed and acknowledges it; now and then it leaves, and goes on where it was."""

    def __init__(self, period, began, path):
        super().__init__(period, began)
        self.path = path
        self.process = self.begin()

    def begin(self):
        """Starts the process that does it, apart from the clocks of the measurement."""
        return subprocess.Popen([sys.executable, os.path.abspath(__file__), "enforcer", self.path],
                                stdout=subprocess.DEVNULL)

    def act(self):
        self.process.kill()
        self.process.wait()
        self.is_over.wait(0.5)
        self.process = self.begin()

    def stop(self):
        super().stop()
        self.process.kill()
        self.process.wait()


class Load(Actor):
    """dnsperf with questions of one kind, begun anew for each part of the run, so that losses have a time."""

    def __init__(self, kind, length, began, bench, port, rate, questions, codes, arguments=()):
        super().__init__(0, began)
        self.kind = kind
        self.length = length
        self.bench = bench
        self.questions = questions
        self.codes = codes
        self.command = [find("dnsperf"), "-s", "127.0.0.1", "-p", str(port), "-Q", str(rate), "-c", "2", "-t", "5",
                        *arguments]
        self.sent = self.lost = self.odd = 0

    def run(self):
        part = 0
        while not self.is_over.is_set():
            path = self.bench.write(f"load-{self.kind}", self.questions(part))
            part += 1
            text = subprocess.run([*self.command, "-d", path, "-l", str(self.length)], capture_output=True, text=True,
                                  check=True).stdout
            self.sent += int(re.search(r"Queries sent:\s+(\d+)", text)[1])
            self.lost += int(re.search(r"Queries lost:\s+(\d+)", text)[1])
            self.odd += sum(int(count) for code, count in re.findall(r"([A-Z]+) (\d+) \(", text)
                            if code not in self.codes)
            self.moments.append((time.monotonic() - self.began, self.lost))

    def stop(self):
        self.is_over.set()
        self.join(timeout=self.length + 30)


def enforce(path):
    """Acknowledges everything until it is killed."""
    position = None
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(path)
                lines = connection.makefile("rwb")
                instance = json.loads(lines.readline())["instance"]
                subscription = {"event": "subscribe", "acknowledge": True, "resume": position}
                lines.write(json.dumps(subscription).encode() + b"\n")
                lines.flush()
                in_snapshot = False
                for line in lines:
                    event = json.loads(line)
                    kind = event["event"]
                    in_snapshot = kind == "snapshot-begin" or in_snapshot and kind != "snapshot-end"
                    if not in_snapshot and "seq" in event:
                        position = {"instance": instance, "seq": event["seq"]}
                        lines.write(b'{"event":"ack","seq":%d}\n' % event["seq"])
                        lines.flush()
        except (OSError, ValueError, KeyError):
            time.sleep(0.2)


def probe(port, path, known):
    """Asks for a known name fifty times a second and for a new one ten times; writes what each took until it is killed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client, open(path, "w", buffering=1, encoding="ascii") as log:
        client.connect(("127.0.0.1", port))
        client.settimeout(5)
        number = 0
        while True:
            number += 1
            is_new = number % 6 == 0
            name = f"p{random.getrandbits(64):016x}.any.{ORIGIN}" if is_new else known
            query = os.urandom(2) + b"\x01\0\0\1\0\0\0\0\0\0" + question(name)
            start = time.monotonic()
            took = -1.0
            try:
                client.send(query)
                while client.recv(4096)[:2] != query[:2]:
                    pass
                took = 1e3 * (time.monotonic() - start)
            except OSError:
                pass
            log.write(f"{start:.3f} {'new' if is_new else 'known'} {took:.4f}\n")
            time.sleep(max(0, 1 / 60 - (time.monotonic() - start)))


if __name__ == "__main__":
    if sys.argv[1] == "enforcer":
        enforce(sys.argv[2])
    else:
        probe(int(sys.argv[2]), sys.argv[3], sys.argv[4])
