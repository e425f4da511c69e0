"""What the broker still owes an answer to, by packet id."""

import asyncio


class Answers:
    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[None]] = {}

    async def expect(self, mid: int) -> None:
        """Until the packet is answered; raises what settle() or fail_all() was given."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[mid] = answer
        try:
            await answer
        finally:
            self._waiting.pop(mid, None)

    def settle(self, mid: int, error: Exception | None = None) -> None:
        answer = self._waiting.get(mid)
        if answer is not None:
            _settle(answer, error)

    def fail_all(self, error: Exception) -> None:
        for answer in self._waiting.values():
            _settle(answer, error)


def _settle(answer: asyncio.Future[None], error: Exception | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(None)
    else:
        answer.set_exception(error)
