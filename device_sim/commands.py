"""What a publisher does when the platform asks: send again, announce itself, or say truthfully that it cannot."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from device_sim.outbox import Outbox, Unnumbered
from services.core.broker.messages import Command, Result

_REMEMBERED: Final = (
    100  # answers; a command that comes again is answered, not done again
)

Answer = tuple[bool, str]
Configure = Callable[[Mapping[str, int | float | bool | str]], Answer]


class CommandDesk:
    """lost: told (epoch, number) when nothing of that epoch below that number can be sent any more.

    take_secret: has the secret on its disk when it returns; OSError: it has not. configure: does what the device's maker makes of it.
    """

    def __init__(
        self,
        outbox: Outbox | Unnumbered,
        lost: Callable[[int, int], None],
        take_secret: Callable[[str], None] | None = None,
        configure: Configure | None = None,
    ) -> None:
        self._outbox = outbox
        self._take_secret = take_secret
        self._configure = configure
        self._lost = lost
        self._answers: dict[str, Result] = {}
        self._decoder = msgspec.json.Decoder(Command)

    def answer(self, payload: bytes, now_ms: int) -> Result | None:
        """The result to publish; None: it has expired, or is no command that this version knows."""
        try:
            command = self._decoder.decode(payload)
        except msgspec.DecodeError:
            return None
        if command.expires_at is not None and command.expires_at <= now_ms:
            return None
        known = self._answers.get(command.id)
        if known is None:
            ok, detail = self._obey(command)
            known = self._answers[command.id] = Result(
                id=command.id, ok=ok, detail=detail
            )
            if len(self._answers) > _REMEMBERED:
                del self._answers[next(iter(self._answers))]
        return known

    def _obey(self, command: Command) -> Answer:
        if command.name == "replay":
            return self._replay(command)
        if command.name == "rebirth":
            self._outbox.birth_due = True
            return True, "announced again"
        if command.name == "rotate":
            return self._rotate(command)
        if self._configure is not None:
            return self._configure(command.args)
        return False, f"{command.name}: this device has nothing of the kind"

    def _rotate(self, command: Command) -> Answer:
        secret = command.args.get("secret")
        if self._take_secret is None or not isinstance(secret, str) or not secret:
            return False, "rotate: no secret, or nowhere to keep it"
        try:
            self._take_secret(secret)
        except OSError as error:
            return False, f"rotate: the new secret cannot be kept: {error.strerror}"
        return True, "the new secret is kept, and the old one until it is refused"

    def _replay(self, command: Command) -> Answer:
        outbox, args = self._outbox, command.args
        epoch, first, last = (args.get(name) for name in ("epoch", "from", "to"))
        if not (isinstance(epoch, int) and isinstance(first, int)):
            return False, "replay needs the integers epoch, from and to"
        if not isinstance(last, int) or not isinstance(outbox, Outbox):
            return False, "this device keeps nothing that it has sent"
        if epoch != outbox.epoch:
            self._lost(epoch, last + 1)
            return False, f"nothing is kept of epoch {epoch}"
        kept, wanted = outbox.again(first, last), last - first + 1
        if kept < wanted:
            outbox.birth_due = True  # its oldest_seq says what is gone for good
        return True, f"{kept} of {wanted} messages are sent again"
