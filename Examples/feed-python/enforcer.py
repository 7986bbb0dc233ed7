#!/usr/bin/env python3
"""An enforcer in forty lines: prints what a packet filter has to open and close. See docs/FEED.md."""
import json, socket, sys, time


def follow(path, open_now, position):
    """Does what one connection says, until it ends; `open_now` is {(identity, name): {address: (expires, ports)}}."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        lines = connection.makefile("rwb")

        def send(**message):
            lines.write(json.dumps(message).encode() + b"\n")
            lines.flush()

        hello, snapshot = json.loads(lines.readline()), None
        if hello.get("protocol") != "dnsproxyd.mappings/1":
            sys.exit(f"this is not the feed that I know: {hello}")
        send(event="subscribe", acknowledge=True, resume=position or None)
        for line in lines:
            event = json.loads(line)
            kind, seq, target = event["event"], event.get("seq"), open_now if snapshot is None else snapshot
            if kind == "snapshot-begin":
                snapshot = {}
                continue
            if kind == "upsert":
                ports = [(port["protocol"], port["port"], port.get("endPort"))
                         for rule in event["rules"] for port in rule["ports"] or [{"protocol": "ANY", "port": 0}]]
                for a in event["addresses"]:
                    target.setdefault((event["identity"], event["name"]), {})[a["ip"]] = (a["expires"], ports)
                    if snapshot is None: print("open", event["identity"], a["ip"], ports, flush=True)
            elif kind == "delete":
                for ip in event["addresses"]:
                    target.get((event["identity"], event["name"]), {}).pop(ip, None)
                    if not any(ip in held for (identity, _), held in target.items() if identity == event["identity"]):
                        print("close", event["identity"], ip, flush=True)
            elif kind == "identity" and event.get("removed"):
                for key in [key for key in target if key[0] == event["id"]]: del target[key]
                print("close", event["id"], "everything", flush=True)
            elif kind == "snapshot-end":
                open_now.clear(), open_now.update(snapshot)
                snapshot = None
                print("open exactly", {key: list(held) for key, held in open_now.items()}, flush=True)
            elif kind == "ping":
                send(event="pong")
            elif kind in ("error", "lagging"):
                print("the daemon says:", event, file=sys.stderr)
            if snapshot is None and kind in ("upsert", "delete", "identity", "snapshot-end", "ping"):
                position.update(instance=hello["instance"], seq=seq)
                send(event="ack", seq=seq)


openings, last = {}, {}
while True:
    try:
        follow(sys.argv[1] if len(sys.argv) > 1 else "/run/dnsproxyd/feed.sock", openings, last)
    except OSError as error:
        print("not connected:", error, file=sys.stderr)
    time.sleep(0.5)
