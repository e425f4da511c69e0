"""An edge node as pysparkplug makes it. Arguments: port, user, secret.

Reads commands from stdin, a line each; tells on stdout what it was asked. It runs with packages of its own.
"""

import sys
import threading
import time
from queue import SimpleQueue

from pysparkplug import Client, DataType, Device, EdgeNode, Message, Metric

PORT, USER, SECRET = int(sys.argv[1]), sys.argv[2], sys.argv[3]
DEVICE = "Pump 7"
LINES: SimpleQueue[str] = SimpleQueue()


def metric(
    name: str, datatype: DataType, value: object, alias: int | None = None
) -> Metric:
    now_ms = int(time.time() * 1000)  # noqa: TID251 # a device's own clock
    return Metric(now_ms, name, datatype, value=value, alias=alias)


def told(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def asked(node: EdgeNode, message: Message) -> None:
    for one in message.payload.metrics:
        if one.name == "Node Control/Rebirth" and one.value:
            told("asked")
            LINES.put("rebirth")


def device() -> Device:
    return Device(
        DEVICE,
        [
            metric("voltage", DataType.DOUBLE, 12.5, 4),
            metric("current", DataType.INT16, 3, 5),
        ],
    )


def edge_node() -> EdgeNode:
    node = EdgeNode(
        "city",
        USER,
        [
            metric("Node Control/Rebirth", DataType.BOOLEAN, value=False),
            metric("grid/voltage", DataType.FLOAT, 230.4, 1),
            metric("breaker", DataType.STRING, "closed", 2),
            metric("energy", DataType.INT64, 4711, 3),
        ],
        Client(USER, username=USER, password=SECRET),
        asked,
    )
    node.register(device())
    return node


def read_lines() -> None:
    for line in sys.stdin:
        LINES.put(line)


def main() -> None:
    node = edge_node()
    node.connect("127.0.0.1", port=PORT)
    told("born")
    threading.Thread(target=read_lines, daemon=True).start()
    while True:
        what, _, value = LINES.get().strip().partition(" ")
        if what == "data":
            node.update([metric("grid/voltage", DataType.FLOAT, float(value), 1)])
        elif what == "device":
            node.update_device(
                DEVICE, [metric("voltage", DataType.DOUBLE, float(value), 4)]
            )
        elif what == "device-birth":
            node.register(device())
        elif what == "device-death":
            node.deregister(DEVICE)
        elif what == "rebirth":  # the library sends births with a connection only
            node.disconnect()
            node.connect("127.0.0.1", port=PORT)


if __name__ == "__main__":
    main()
