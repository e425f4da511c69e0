"""PURE: which publishers send far more than they should, and than the others do: theirs waits, everyone else's does not."""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

_LOOK_SECONDS: Final = 0.1
_SURVEY_SECONDS: Final = 1.0
_TIMES_DECLARED: Final = 10.0
_TIMES_THE_OTHERS: Final = 8.0
_LEAST_RATE: Final = 20.0  # messages a second that are nobody's business
_BURST_SECONDS: Final = 5.0
_SHARE: Final = 0.1  # of the newest second in what a publisher sends of late
_NEW_SECONDS: Final = 2.0
_SILENT: Final = 0.01  # messages a second of late


@dataclass(slots=True)
class _Account:
    """left: messages that it may still send at once, as of at. counted: since the last survey."""

    since: float
    left: float
    at: float
    counted: int = 0
    rate: float = 0.0  # of late, messages a second
    over: bool = False


class Fairness:
    """A bucket of messages for each publisher, judged from its third second on.

    Its rate is ten times what the publisher's devices declare, or eight times what the publisher in the middle
    sends, or twenty a second, whichever is most; it holds five seconds of that.

    Where all send alike, as after an outage of the network or under a benchmark, nobody is over: there is nobody to
    be fair to.
    """

    def __init__(self, declared: Callable[[str], float]) -> None:
        """declared: messages a second that a publisher's devices are registered with; 0 where that is not known."""
        self._declared = declared
        self._accounts: dict[str, _Account] = {}
        self._counts: Counter[str] = Counter()
        self._looked_at = -math.inf
        self._surveyed_at: float | None = None
        self._typical = 0.0
        self.over: frozenset[str] = frozenset()

    def note(self, publishers: Iterable[str], now: float) -> None:
        """A message of each of these came. now: monotonic seconds."""
        self._counts.update(publishers)
        if now - self._looked_at >= _LOOK_SECONDS:
            self._look(now)

    def _look(self, now: float) -> None:
        counts, self._counts = self._counts, Counter()
        self._looked_at = now
        for publisher, count in counts.items():
            account = self._accounts.get(publisher)
            if account is None:
                burst = self._allowed(publisher) * _BURST_SECONDS
                account = self._accounts[publisher] = _Account(now, burst, now)
            account.counted += count
            self._weigh(publisher, account, count, now)
        if self._surveyed_at is None:
            self._surveyed_at = now
        elif now - self._surveyed_at >= _SURVEY_SECONDS:
            self._survey(now - self._surveyed_at)
            self._surveyed_at = now
            self._weigh_again(now)

    def _weigh(self, publisher: str, account: _Account, count: int, now: float) -> None:
        rate = self._allowed(publisher)
        burst = rate * _BURST_SECONDS
        left = min(account.left + rate * (now - account.at), burst) - count
        account.left, account.at = max(left, -burst), now
        over = account.left < (burst / 2 if account.over else 0)
        over &= now - account.since >= _NEW_SECONDS
        if over != account.over:
            account.over = over
            self.over = self.over ^ {publisher}

    def _allowed(self, publisher: str) -> float:
        return max(
            _TIMES_DECLARED * self._declared(publisher),
            _TIMES_THE_OTHERS * self._typical,
            _LEAST_RATE,
        )

    def _survey(self, elapsed: float) -> None:
        """What the publisher in the middle sends, of late or in these seconds."""
        newest, share = [], min(1.0, elapsed * _SHARE)
        for account in self._accounts.values():
            rate = account.counted / elapsed
            newest.append(rate)
            account.rate += (rate - account.rate) * share
            account.counted = 0
        of_late = [account.rate for account in self._accounts.values()]
        self._typical = max(_middle(newest), _middle(of_late))

    def _weigh_again(self, now: float) -> None:
        """Who was over, and falls silent, calms down too; who is quiet is forgotten."""
        for publisher in self.over:
            self._weigh(publisher, self._accounts[publisher], 0, now)
        self._accounts = {
            publisher: account
            for publisher, account in self._accounts.items()
            if account.over or account.rate >= _SILENT
        }


def _middle(rates: list[float]) -> float:
    """Of two, the slower one's."""
    return sorted(rates)[(len(rates) - 1) // 2] if rates else 0.0
