"""The Things Stack's webhooks: golden messages, and whatever bytes may come."""

import json
import os
import re
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from services.core.broker.link import Publication
from services.core.broker.topics import door_topic
from services.ingest.decode import Decoder
from services.ingest.decoders.tts import decode_webhook
from services.ingest.messages import (
    Birth,
    Decoded,
    ForeignReading,
    Message,
    Unusable,
    milliseconds,
)

CASES = Path(__file__).parents[2] / "golden" / "tts"


def plain(decoded: Decoded | ForeignReading) -> dict[str, Any]:
    if isinstance(decoded, Unusable):
        assert decoded.detail
        return {"unusable": decoded.reason.value}
    if isinstance(decoded, Message):
        readings = [item for item in decoded.items if isinstance(item, ForeignReading)]
        return {"items": [plain(reading) for reading in readings]}
    assert isinstance(decoded, Birth | ForeignReading)
    said = {name: getattr(decoded, name) for name in decoded.__struct_fields__}
    if decoded.time is not None:
        said["time"] = milliseconds(decoded.time)
    said["optional"] = sorted(said.get("optional", ()))
    told = {name: value for name, value in said.items() if value}
    return {"birth": told} if isinstance(decoded, Birth) else told


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_golden(case: Path) -> None:
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    assert plain(decode_webhook((case / "message.json").read_bytes())) == expected


EVENT = st.fixed_dictionaries(
    {},
    optional={
        name: st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["device_id", "dev_eui", "decoded_payload", "rssi"]
                    ),
                    inner,
                )
            ),
            max_leaves=8,
        )
        for name in ("end_device_ids", "uplink_message", "join_accept", "received_at")
    },
)


@given(st.binary(max_size=100) | EVENT.map(lambda event: json.dumps(event).encode()))
def test_no_bytes_make_it_raise(payload: bytes) -> None:
    assert isinstance(decode_webhook(payload), Message | Birth | Unusable)


PAGE = Path(__file__).parents[3] / "docs" / "formats" / "the-things-stack.md"
UPLINK = (CASES / "of_the_storage_integration" / "message.json").read_bytes()


class Both(BaseHTTPRequestHandler):
    """The Storage Integration, which has two uplinks, and the door."""

    posted: ClassVar[list[bytes]] = []

    def do_GET(self) -> None:
        self._answer(UPLINK.rstrip() + b"\n\n" + UPLINK)

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        self.posted.append(self.rfile.read(size))
        self._answer(b"{}")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, *_arguments: object) -> None: ...


def test_what_the_page_tells_to_post_again_is_read() -> None:
    text = PAGE.read_text(encoding="utf-8")
    (commands,) = re.findall(r"```\n(curl .*?)```", text, re.DOTALL)
    with ThreadingHTTPServer(("127.0.0.1", 0), Both) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        names = {"TTS": url, "DOOR": url, "SECRET": "s", "API_KEY": "k"}
        subprocess.run(
            ["bash", "-euc", commands], env={**os.environ, **names}, check=True
        )
        server.shutdown()
    assert Both.posted == [UPLINK.rstrip()] * 2
    decoded = [plain(decode_webhook(body)) for body in Both.posted]
    assert [len(one["items"]) for one in decoded] == [1, 1]


def test_it_is_reached_by_the_doors_topic_alone() -> None:
    decoder = Decoder()
    assert decoder.reads(door_topic("gw-1", "tts"))
    assert decoder.reads(door_topic("gw-1", "chirpstack", "up"))
    assert not decoder.reads(door_topic("gw-1", "chirpstack"))
    assert not decoder.reads(door_topic("gw-1", "nothing"))
    assert not decoder.reads(door_topic("GW 1", "tts"))
    received = decoder.decode(
        Publication(door_topic("gw-1", "tts"), b"{}", 1, 1, -1),
    )
    assert (received.publisher, received.kind) == ("gw-1", "tts")
