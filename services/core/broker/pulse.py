"""PURE: whether the other side still lives, by what is heard of it.

Any byte is a sign of life. The answer to a ping alone would not do: the ping stands behind all that the broker has still to
read, so that a connection would be given up for being busy.
"""

from typing import Final

BEATS: Final = 4  # in a keepalive: so often the broker is asked for a sign of life
_QUIET_BEATS: Final = 6  # 1.5 keepalives: what MQTT 3.1.2.10 gives a client


class Pulse:
    """Of one connection.

    Beats are counted, not seconds: a process that was stopped for long has one quiet beat more, and asks again.
    Questions are numbered below zero, where no packet has its id.
    """

    def __init__(self) -> None:
        self._heard = True
        self._quiet = 0
        self._asked = self._answered = 0

    def hear(self) -> None:
        """Something came."""
        self._heard = True

    def beat(self, *, unread: bool) -> bool:
        """A quarter of a keepalive is over; False: nothing was heard for too long.

        unread: something may have come that nobody looked at.
        """
        self._quiet = 0 if self._heard or unread else self._quiet + 1
        self._heard = False
        return self._quiet < _QUIET_BEATS

    def ask(self) -> int:
        """The number of a question that is sent now."""
        self._asked += 1
        return -self._asked

    def answer(self) -> int:
        """The number of the question whose answer came: they come in order."""
        self._answered += 1
        return -self._answered
