"""The load generator's packets are what a device would send, and it finds fault with a wrong receipt."""

import socket

import numpy as np
import pytest

from services.cli.benches import load_publisher
from services.cli.benches.load_packets import SEQ_BEFORE, Templates
from services.core.broker.link import Link, Publication
from services.ingest.decode import Decoder
from services.ingest.messages import Message, Reading

EPOCH = 7
NAMES = ["bench-01", "bench-02"]


@pytest.mark.parametrize("values", [1, 20])
def test_packets_are_numbered_messages_of_each_publisher(values: int) -> None:
    said = {f"c{place}": place + 0.5 for place in range(values)}
    numbers = np.array([[1, 65_535, 65_536], [2, 3, 4]], np.int64)
    times = 1_795_320_000_000 + numbers
    packets = Templates(NAMES, said, EPOCH).packets(np.array([0, 1]), numbers, times)
    for place, name in enumerate(NAMES):
        publications = _received(packets[place].tobytes())
        assert [p.mid for p in publications] == [
            (number - 1) % 65_535 + 1 for number in numbers[place].tolist()
        ]
        for number, publication in zip(
            numbers[place].tolist(), publications, strict=True
        ):
            received = Decoder().decode(publication)
            assert (received.publisher, received.kind) == (name, "data")
            assert isinstance(received.content, Message)
            assert received.content.seq == SEQ_BEFORE + number
            assert received.content.epoch == EPOCH
            (item,) = received.content.items
            assert isinstance(item, Reading)
            assert (item.time, item.values) == (1_795_320_000_000 + number, said)


def _received(stream: bytes) -> list[Publication]:
    here, there = socket.socketpair()
    link = Link(here)
    there.sendall(stream)
    link.fill()
    publications = link.take_publishes(1)
    link.close()
    there.close()
    return publications


RECEIPT = '{{"epoch":{},"stored_through":{}{}}}'


@pytest.mark.parametrize(
    ("texts", "receipted", "faults"),
    [
        ([RECEIPT.format(EPOCH, SEQ_BEFORE + 2, "")], 2, 0),
        ([RECEIPT.format(EPOCH, SEQ_BEFORE + 2, ',"also":[[1,2]]')], 2, 0),
        ([RECEIPT.format(EPOCH, SEQ_BEFORE + 1, "")[:20], "cut"], 0, 0),
        (['{"epoch":7,"stored_', f'through":{SEQ_BEFORE + 3}}}'], 3, 0),
        ([RECEIPT.format(EPOCH, SEQ_BEFORE + 4, "")], 0, 1),  # never sent
        ([RECEIPT.format(EPOCH + 1, SEQ_BEFORE + 1, "")], 0, 1),
        (
            [RECEIPT.format(EPOCH, SEQ_BEFORE + n, "") for n in (2, 1)],
            2,
            1,
        ),  # takes back
        ([RECEIPT.format(EPOCH, SEQ_BEFORE + 1, ',"rejected":[{"seq":1}]')], 0, 1),
    ],
)
def test_receipts_are_checked(texts: list[str], receipted: int, faults: int) -> None:
    ledger = load_publisher.ReceiptLedger(1, EPOCH)
    ledger.sent([0], [3], 10.0)
    before = b"\x40\x02\x00\x01\x30\x20"  # a PUBACK, and a PUBLISH's head
    for text in texts:
        ledger.take(0, before + text.encode(), 12.5)
        before = b""
    assert (ledger.receipted, ledger.faults) == (receipted, faults)
    assert ledger.take_latencies().tolist() == ([2.5] if receipted == 3 else [])


def test_at_full_speed_a_lone_receipt_is_left_until_all_sockets_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as device,
        listener.accept()[0] as broker,
    ):
        monkeypatch.setattr(load_publisher, "_connect", lambda *_: device)
        publishers = load_publisher.Publishers(0, {"bench-01": "secret"}, EPOCH)
        publishers.ledger.sent([0], [1], 0.0)
        publishers.look_from(100)
        broker.sendall(RECEIPT.format(EPOCH, SEQ_BEFORE + 1, "").encode())
        publishers.read()
        assert publishers.ledger.receipted == 0
        publishers.read_all()
        assert publishers.ledger.receipted == 1
