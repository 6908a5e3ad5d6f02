"""A server of TCP and UDP, and who asks such servers: reach.py serve NAME PORT | ask SECONDS [PING,UDP,TCP/ADDRESS/PORT]...

The server answers with its name and with who asked. Who asks prints a line for each target: the target, and the answer
or "-". All are asked at once, each again and again until the time is up.
"""
import ipaddress
import socket
import struct
import sys
import threading
import time


def plain(address):
    ip = ipaddress.ip_address(address.split("%")[0])
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def answer(name, address):
    return ("%s from %s" % (name, plain(address))).encode()


def serve(name, port):
    try:
        tcp = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)
        udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        udp.bind(("::", port))
    except (OSError, ValueError):  # a host without IPv6
        tcp = socket.create_server(("0.0.0.0", port), backlog=512)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("0.0.0.0", port))

    def datagrams():
        while True:
            _, extra, _, who = udp.recvmsg(64, 256)
            # from the address that was asked; its interface may be another one on the way back
            back = [(a, b, c[:16] + bytes(4)) for a, b, c in extra if b == socket.IPV6_PKTINFO]
            try:
                udp.sendmsg([answer(name, who[0])], back, 0, who)
            except OSError:
                pass  # who asked is gone

    threading.Thread(target=datagrams, daemon=True).start()
    print("ready", flush=True)
    while True:
        connection, who = tcp.accept()
        try:
            connection.sendall(answer(name, who[0]))
        except OSError:
            pass
        connection.close()


def asked_by_tcp(address, port, seconds):
    with socket.create_connection((address, port), seconds) as connection:
        connection.settimeout(seconds)
        return connection.recv(99).decode()


def asked_by_udp(address, port, seconds):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.settimeout(seconds)
        sender.sendto(b"?", (address, port))
        said, who = sender.recvfrom(99)
        return said.decode() + ("" if plain(who[0]) == plain(address) else " by " + plain(who[0]))


def pinged(address, _, seconds):
    six = ":" in address
    family, protocol, kind = (socket.AF_INET6, 58, 128) if six else (socket.AF_INET, 1, 8)
    try:
        sender = socket.socket(family, socket.SOCK_DGRAM, protocol)
    except PermissionError:  # net.ipv4.ping_group_range
        sender = socket.socket(family, socket.SOCK_RAW, protocol)
    with sender:
        number = threading.get_native_id() & 0xFFFF
        body = struct.pack("!BBHHH", kind, 0, 0, number, 1) + b"caisson!"
        total = sum(struct.unpack("!8H", body))
        total = (total >> 16) + (total & 0xFFFF)
        body = body[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + body[4:]
        sender.connect((address, 0))
        sender.send(body)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            sender.settimeout(max(0.01, until - time.monotonic()))
            reply = sender.recv(256)
            if sender.type == socket.SOCK_RAW and not six:
                reply = reply[(reply[0] & 15) * 4 :]
            if reply[0] == (129 if six else 0) and reply[8:16] == b"caisson!":
                return "echo"
        raise TimeoutError


def ask(seconds, targets):
    ways = {"PING": pinged, "UDP": asked_by_udp, "TCP": asked_by_tcp}
    found = {}

    def one(target):
        kind, address, port = target.split("/")
        until = time.monotonic() + seconds
        while target not in found and time.monotonic() < until:
            try:
                said = ways[kind](address, int(port), min(1.3, max(0.2, until - time.monotonic())))
                if said:
                    found[target] = said
                    break
            except OSError:
                pass
            time.sleep(0.3)

    threading.stack_size(256 * 1024)
    threads = [threading.Thread(target=one, args=(target,), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 3)
    for target in targets:
        print(target, found.get(target, "-"))


if sys.argv[1] == "serve":
    serve(sys.argv[2], int(sys.argv[3]))
else:
    ask(float(sys.argv[2]), sys.argv[3:])
