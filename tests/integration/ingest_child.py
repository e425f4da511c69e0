"""Ingest in a process of its own that kills itself at a named point, as `kill -9` would.

Arguments: point, count. At the count-th passing of the point the process is gone.
"""

import functools
import importlib
import inspect
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

# module, class, function, and whether before or after it
POINTS = {
    "received": ("services.core.broker.client", "BrokerClient", "receive", "after"),
    "decoded": ("services.ingest.decode", "Decoder", "decode", "after"),
    "checked": ("services.ingest.check", "Checker", "check", "after"),
    "batched": ("services.ingest.batch", "Batch", "add", "after"),
    "before-write": ("services.ingest.store", "Store", "write", "before"),
    "before-log": ("services.ingest.store", "", "encode_entry", "before"),
    # All of it is sent; the database goes on with it, or has committed it by now.
    "while-committing": (
        "services.core.storage.one_round_trip",
        "_Reader",
        "data_received",
        "before",
    ),
    "after-commit": ("services.ingest.store", "Store", "write", "after"),
    "before-acknowledge": (
        "services.core.broker.client",
        "BrokerClient",
        "acknowledge",
        "before",
    ),
    "after-acknowledge": (
        "services.core.broker.client",
        "BrokerClient",
        "acknowledge",
        "after",
    ),
    "before-receipt": (
        "services.core.broker.client",
        "BrokerClient",
        "publish_all",
        "before",
    ),
    "after-receipt": (
        "services.core.broker.client",
        "BrokerClient",
        "publish_all",
        "after",
    ),
}
# Of a batch that is more than new rows: which refuses something, revises, replays.
IN_TURN_POINTS = {
    "before-log-in-turn": ("services.ingest.store", "", "append", "before"),
    "before-commit": ("services.ingest.store", "", "append", "after"),
}
# Of the HTTPS door: MQTT alone never comes here.
DOOR_POINTS = {
    "before-answer": (
        "services.ingest.door.waiting",
        "WaitingRoom",
        "acknowledge",
        "before",
    ),
}
_POINTS = POINTS | IN_TURN_POINTS | DOOR_POINTS


def _arm(point: str, count: int) -> None:
    module_name, class_name, function_name, when = _POINTS[point]
    module = importlib.import_module(module_name)
    owner = getattr(module, class_name) if class_name else module
    original: Callable[..., Any] = getattr(owner, function_name)
    passed = 0

    def pass_point() -> None:
        nonlocal passed
        passed += 1
        if passed >= count:
            os.kill(os.getpid(), signal.SIGKILL)

    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def armed_async(*arguments: Any, **names: Any) -> Any:
            if when == "before":
                pass_point()
            result = await original(*arguments, **names)
            if when == "after":
                pass_point()
            return result

        setattr(owner, function_name, armed_async)
        return

    @functools.wraps(original)
    def armed(*arguments: Any, **names: Any) -> Any:
        if when == "before":
            pass_point()
        result = original(*arguments, **names)
        if when == "after":
            pass_point()
        return result

    setattr(owner, function_name, armed)


def main() -> None:
    point, count = sys.argv[1], int(sys.argv[2])
    if point in _POINTS:
        _arm(point, count)
    importlib.import_module("services.cli.ingest").run_service_ingest()


if __name__ == "__main__":
    main()
