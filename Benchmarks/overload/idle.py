"""Opens connections and keeps them open, each after one query that was answered, until its standard input ends.

    idle.py ADDRESS PORT COUNT

Says how many there are when all are open.
"""
import resource
import socket
import sys

ADDRESS, PORT, COUNT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
QUERY = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\x08host0000\x05bench\x07example\0\0\1\0\1"

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, COUNT + 100), hard))
connections = []
for number in range(COUNT):
    connection = socket.socket()
    # So many do not fit into the ports of one address and one limit for a client.
    connection.bind((f"127.9.{number // 200 // 250}.{number // 200 % 250 + 1}", 0))
    connection.connect((ADDRESS, PORT))
    connection.sendall(len(QUERY).to_bytes(2, "big") + QUERY)
    if len(connection.recv(512)) < 14:
        sys.exit(f"connection {number} was closed")
    connections.append(connection)
print(len(connections), flush=True)
sys.stdin.read()
