"""Starts the servers of the measurements on free ports of 127.0.0.1 and ends them again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

NAMES = 10_000
ORIGIN = "bench.example"
TICKS = os.sysconf("SC_CLK_TCK")


def find(program):
    """The path of a program; those of the system are often not in a user's PATH."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        sys.exit(f"{program} is not installed; make bench installs it")
    return path


def free_port():
    """A port that nobody listens on, below those that the kernel hands out by itself."""
    for port in range(21_000 + os.getpid() % 5_000, 32_000):
        try:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        if port not in free_port.given:
            free_port.given.add(port)
            return port
    sys.exit("no free port")


free_port.given = set()


class Bench:
    """A temporary folder, the processes in it, and the file of questions; ends everything when it is left."""

    def __init__(self, server_core=0, client_core=1):
        self.folder = tempfile.mkdtemp(prefix="dnsproxyd-bench-")
        self.server_core = server_core
        self.client_core = client_core
        self.processes = []
        self.queries = self.write("queries", "".join(f"host{n:05}.{ORIGIN} A\n" for n in range(NAMES)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def start(self, name, command, port, core):
        """Starts a server on one core and waits until it answers."""
        with open(self.path(f"{name}.log"), "wb") as log:
            process = subprocess.Popen(
                ["taskset", "-c", str(core), *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.append(process)
        query = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + question(f"host00000.{ORIGIN}")
        deadline = time.monotonic() + 60
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.2)
            client.connect(("127.0.0.1", port))
            while time.monotonic() < deadline and process.poll() is None:
                try:
                    client.send(query)
                    if client.recv(512)[3] & 0xF == 0:
                        return process
                except OSError:
                    time.sleep(0.05)
        with open(self.path(f"{name}.log"), encoding="utf-8", errors="replace") as log:
            sys.exit(f"{name} does not answer:\n{log.read()}")

    def start_nsd(self):
        """The upstream of all: one zone of 10,000 names that nobody has to ask for twice. Returns port and process."""
        port = free_port()
        records = "".join(f"host{n:05} IN A 198.18.{n // 250}.{n % 250 + 1}\n" for n in range(NAMES))
        self.write("zone", f"$ORIGIN {ORIGIN}.\n$TTL 86400\n@ IN SOA ns h 1 3600 600 86400 60\n@ IN NS ns\n"
                   f"ns IN A 198.19.255.1\n*.any IN A 198.19.0.1\n{records}")
        config = self.write("nsd.conf", f"""
server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{self.folder}"
  database: ""
  pidfile: "{self.path('nsd.pid')}"
  zonelistfile: "{self.path('zone.list')}"
  xfrdfile: "{self.path('xfrd.state')}"
  xfrdir: "{self.folder}"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: {ORIGIN}
  zonefile: zone
""")
        return port, self.start("nsd", [find("nsd"), "-d", "-c", config], port, self.client_core)

    def dnsproxyd(self, program, upstream, prefix=()):
        """dnsproxyd with one worker, a policy for the client's identity, learning, feed socket and journal."""
        port = free_port()
        self.write("policies/bench.yaml", f"""
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: bench, namespace: bench}}
spec:
  endpointSelector: {{matchLabels: {{app: bench}}}}
  egress:
    - toPorts:
        - ports: [{{port: "53", protocol: ANY}}]
          rules: {{dns: [{{matchPattern: "*.{ORIGIN}"}}, {{matchPattern: "*.any.{ORIGIN}"}}]}}
    - toFQDNs: [{{matchPattern: "*.{ORIGIN}"}}, {{matchPattern: "*.any.{ORIGIN}"}}]
      toPorts:
        - ports: [{{port: "443", protocol: TCP}}]
""")
        self.write("identities.yaml", "identities:\n"
                   "  - {name: bench, namespace: bench, labels: {app: bench}, addresses: [127.0.0.1]}\n")
        config = self.write("dnsproxyd.yaml", f"""
listen: ["127.0.0.1:{port}"]
workers: 1
policies: [policies/]
identities: [identities.yaml]
upstreams: [{{servers: ["127.0.0.1:{upstream}"]}}]
feed: {{socket: feed.sock, journal: journal}}
admin: {{socket: admin.sock, http: null, health: null}}
""")
        command = [*prefix, os.path.abspath(program), "serve", "-c", config]
        return port, self.start("dnsproxyd", command, port, self.server_core)

    def unbound(self, upstream, messages="64m", records="128m"):
        """unbound with one thread and room for so much, as a forwarder that validates nothing."""
        port = free_port()
        config = self.write("unbound.conf", f"""
server:
  interface: 127.0.0.1@{port}
  port: {port}
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: "{self.path('unbound.pid')}"
  use-syslog: no
  module-config: "iterator"
  do-not-query-localhost: no
  msg-cache-size: {messages}
  rrset-cache-size: {records}
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{upstream}
remote-control:
  control-enable: no
""")
        return port, self.start("unbound", [find("unbound"), "-d", "-p", "-c", config], port, self.server_core)

    def dnsmasq(self, upstream, room=2 * NAMES):
        """dnsmasq with room for `room` answers."""
        port = free_port()
        command = [find("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file", "--no-resolv",
                   "--no-hosts", "--bind-interfaces", "--listen-address=127.0.0.1", f"--port={port}",
                   f"--server=127.0.0.1#{upstream}", f"--cache-size={room}", "--dns-forward-max=2000",
                   f"--user={os.environ.get('USER') or 'root'}"]
        return port, self.start(f"dnsmasq-{port}", command, port, self.server_core)

    def dnsperf(self, port, *arguments):
        """Runs dnsperf on the client's core and returns its figures by their names."""
        result = subprocess.run(
            ["taskset", "-c", str(self.client_core), find("dnsperf"), "-s", "127.0.0.1", "-p", str(port),
             "-d", self.queries, *arguments], capture_output=True, text=True, check=True)
        figures = {}
        for line in result.stdout.splitlines():
            name, colon, value = line.strip().partition(":")
            if colon and value.strip():
                figures[name.strip()] = value.strip()
        return figures

    def warm(self, port):
        """Asks for every name until all are answered from the cache."""
        for _ in range(3):
            figures = self.dnsperf(port, "-n", "1", "-c", "1", "-q", "20", "-t", "10")
        if not figures["Response codes"].startswith(f"NOERROR {NAMES} "):
            sys.exit(f"not every name is answered: {figures['Response codes']}")


def question(name):
    """A question of type A in wire format."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return labels + b"\0\0\1\0\1"


def cpu_seconds(process):
    """CPU time of a process and its children that still run, all threads, user and system."""
    total = 0
    for pid in [process.pid, *children(process.pid)]:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def children(pid):
    """The processes that `pid` has started."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(child) for child in file.read().split()]
