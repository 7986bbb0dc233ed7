"""The policies and identities that dnsproxyd is measured with."""

import os

NAMES = 10_000
ORIGIN = "bench.example"


class Documents:
    """Policies and identities of dnsproxyd.

    127.0.0.1 is one identity. The first `clients` addresses from 127.1.0.0 on are as many others, or one if it is 0.
    All may ask for the names below, and learn them, by one policy; or, with `rules`, each by a policy of its own with
    that many rules for queries: client n asks for the names whose number leaves n when divided by `clients`."""

    def __init__(self, clients=0, rules=0, selected=True, version=0):
        self.clients = clients
        self.rules = rules
        self.selected = selected
        # The rules that decide nothing here differ between versions.
        self.version = version

    def write(self, folder):
        """Writes policies/ and identities.yaml."""
        identities = ["{name: bench, namespace: bench, labels: {app: bench}, addresses: [127.0.0.1]}"]
        addresses = {str(n): f"127.1.{n // 256}.{n % 256}" for n in range(self.clients)} or {"all": "127.1.0.0/16"}
        app = "client" if self.rules else "bench"
        identities += [f"{{name: c{n}, namespace: bench, labels: {{app: {app}, client: c{n}}}, addresses: [{address}]}}"
                       for n, address in addresses.items()]
        with open(os.path.join(folder, "identities.yaml"), "w", encoding="utf-8") as file:
            file.write("identities:\n" + "".join(f"  - {identity}\n" for identity in identities))
        os.makedirs(os.path.join(folder, "policies"), exist_ok=True)
        with open(os.path.join(folder, "policies/bench.yaml"), "w", encoding="utf-8") as file:
            file.write(self.text())

    def text(self):
        """The policies."""
        every = [f'{{matchPattern: "*.{ORIGIN}"}}', f'{{matchPattern: "*.any.{ORIGIN}"}}']
        documents = [policy("bench", "app: bench", every, every if self.selected else [])]
        for client in range(self.clients if self.rules else 0):
            own = [f'{{matchName: "host{n:05}.{ORIGIN}"}}' for n in range(client, NAMES, self.clients)]
            others = [f'{{matchName: "v{self.version}-n{n}.c{client}.other.example"}}' if n % 2 else
                      f'{{matchPattern: "*.v{self.version}-p{n}.c{client}.other.example"}}'
                      for n in range(self.rules - len(own))]
            documents.append(policy(f"client{client}", f"client: c{client}", own + others, own))
        return "---\n".join(documents)


def policy(name, labels, queries, learned):
    """A policy document that allows the queries, and learns what some of them find."""
    rules = "".join(f"              - {rule}\n" for rule in queries)
    selected = f"""
    - toFQDNs:
{"".join(f"        - {rule}{chr(10)}" for rule in learned)}      toPorts:
        - ports: [{{port: "443", protocol: TCP}}]
""" if learned else ""
    return f"""apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: {name}, namespace: bench}}
spec:
  endpointSelector: {{matchLabels: {{{labels}}}}}
  egress:
    - toPorts:
        - ports: [{{port: "53", protocol: ANY}}]
          rules:
            dns:
{rules}{selected}"""
