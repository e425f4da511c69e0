"""The HTTPS door's parts: who waits, what a body may be, who is believed, and two sources in fair turns."""

import asyncio
import contextlib
import gzip
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from services.core.broker.link import Publication
from services.core.broker.passwords import hash_secret
from services.core.clock import EPOCH, ManualClock
from services.core.reasons import Reason
from services.ingest.door.batches import messages_of
from services.ingest.door.bodies import MOST_MESSAGES, gunzip, take_apart
from services.ingest.door.callers import Callers, Proofs, Secret, Signature, read_shown
from services.ingest.door.problems import (
    DoorError,
    TooLargeError,
    TooManyRequestsError,
    TooSlowError,
    UnauthenticatedError,
    UnavailableError,
)
from services.ingest.door.shares import Owner, Shares
from services.ingest.door.waiting import DOOR, WaitingRoom
from services.ingest.merged_source import MergedSource
from services.ingest.messages import Message, Received, Unusable
from services.ingest.resolve import Refused, Scope

TOPIC = "a topic"
NO_ITEM = Unusable(Reason.EMPTY, "nothing")
TWO_ITEMS = Message([NO_ITEM, NO_ITEM])


def refuse(
    publication: Publication, content: Message | Unusable, scope: Scope
) -> Refused:
    received = Received(publication, "gw-1", "data", content)
    return Refused(0, scope, Reason.EMPTY, "nothing", received, 0)


class TestWaitingRoom:
    async def test_it_waits_for_the_last_of_its_messages(self) -> None:
        room = WaitingRoom()
        stored = asyncio.create_task(room.store("gw-1", TOPIC, [b"1", b"2", b"3"]))
        await room.arrived.wait()
        taken = room.take(2) + room.take(2)
        assert [one.payload for one in taken] == [b"1", b"2", b"3"]
        assert {one.connection for one in taken} == {DOOR}
        room.acknowledge(taken[1:])
        await asyncio.sleep(0)
        assert not stored.done()
        room.acknowledge([*taken, Publication(TOPIC, b"", taken[0].mid, 1, 5)])
        assert (await stored).messages == 3
        assert (len(room), room.unacknowledged) == (0, 0)

    async def test_another_connections_messages_are_none_of_its(self) -> None:
        room = WaitingRoom()
        stored = asyncio.create_task(room.store("gw-1", TOPIC, [b"1"]))
        await room.arrived.wait()
        [own] = room.take(9)
        foreign = Publication(TOPIC, b"1", own.mid, 1, 1)
        room.explain([refuse(foreign, NO_ITEM, "message")])
        room.acknowledge([foreign])
        await asyncio.sleep(0)
        assert not stored.done()
        room.acknowledge([own])
        assert (await stored).refused == []

    @pytest.mark.parametrize(
        ("refused", "useless"),
        [
            ([], False),
            ([(0, NO_ITEM, "message")], False),
            ([(0, NO_ITEM, "message"), (1, NO_ITEM, "message")], True),
            ([(0, TWO_ITEMS, "item"), (1, NO_ITEM, "message")], False),
            ([(0, TWO_ITEMS, "item")] * 2 + [(1, NO_ITEM, "message")], True),
            ([(0, TWO_ITEMS, "item"), (0, TWO_ITEMS, "value")], False),
            ([(0, NO_ITEM, "message")] * 2, False),
        ],
    )
    async def test_useless_is_a_request_of_which_nothing_is_stored(
        self, refused: list[tuple[int, Message | Unusable, Scope]], useless: bool
    ) -> None:
        room = WaitingRoom()
        stored = asyncio.create_task(room.store("gw-1", TOPIC, [b"1", b"2"]))
        await room.arrived.wait()
        messages = room.take(9)
        for place, content, scope in refused:
            room.explain([refuse(messages[place], content, scope)])
        room.acknowledge(messages)
        assert (await stored).is_useless is useless

    async def test_one_publisher_leaves_room_for_others(self) -> None:
        room = WaitingRoom()
        big = [bytes(room.most_bytes // 5)]
        first = asyncio.create_task(room.store("gw-1", TOPIC, big))
        await room.arrived.wait()
        with pytest.raises(TooManyRequestsError):
            await room.store("gw-1", TOPIC, big)
        others = [asyncio.create_task(room.store(f"p{n}", TOPIC, big)) for n in "123"]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequestsError):
            await room.store("gw-9", TOPIC, big)
        room.acknowledge(room.take(9))
        for task in (first, *others):
            assert (await task).refused == []
        again = asyncio.create_task(room.store("gw-9", TOPIC, big))
        await asyncio.sleep(0)
        assert len(room) == 1
        again.cancel()

    async def test_publishers_take_turns(self) -> None:
        room = WaitingRoom()
        payloads = [str(number).encode() for number in range(500)]
        waiting = [
            asyncio.create_task(room.store("long", TOPIC, payloads)),
            asyncio.create_task(room.store("short", TOPIC, [b"short"])),
        ]
        await asyncio.sleep(0)
        assert b"short" in [one.payload for one in room.take(100)]
        assert len(room) == 401
        rest = [one.payload for one in room.take(1000)]
        assert rest == payloads[99:]
        room.close()
        for one in waiting:
            with pytest.raises(UnavailableError):
                await one

    async def test_when_it_closes_all_who_wait_are_told(self) -> None:
        room = WaitingRoom()
        waiting = asyncio.create_task(room.store("gw-1", TOPIC, [b"1"]))
        await room.arrived.wait()
        room.close()
        with pytest.raises(UnavailableError):
            await waiting
        with pytest.raises(UnavailableError):
            await room.store("gw-1", TOPIC, [b"1"])


class Broker:
    """A source that has as much as it is asked for, and counts what was taken."""

    connection = 3

    def __init__(self) -> None:
        self.given = 0
        self.acknowledged: list[Publication] = []

    async def receive(self, limit: int) -> list[Publication]:
        await asyncio.sleep(0)
        self.given += limit
        return [Publication(TOPIC, b"mqtt", 1, 1, 3)] * limit

    def acknowledge(self, publications: Sequence[Publication]) -> None:
        self.acknowledged += [one for one in publications if one.connection == 3]

    async def round_trip(self) -> int:
        return 7


class TestMergedSource:
    async def test_both_get_their_turn_and_neither_is_taken_ahead_without_bound(
        self,
    ) -> None:
        broker, room = Broker(), WaitingRoom()
        async with MergedSource(broker, room) as source:
            stored = asyncio.create_task(room.store("gw-1", TOPIC, [b"door"] * 900))
            sources = set()
            for _ in range(4):
                taken = await source.receive(400)
                doors = sum(one.connection == DOOR for one in taken)
                assert doors == (200 if len(room) or doors == 200 else 100)
                sources |= {one.payload for one in taken}
                source.acknowledge(taken)
                await asyncio.sleep(0)
            assert sources == {b"mqtt", b"door"}
            # Nobody asks: nothing more is taken from the broker.
            before = broker.given
            for _ in range(20):
                await asyncio.sleep(0)
            assert broker.given <= before + 250
            while len(room):
                source.acknowledge(await source.receive(400))
            assert (await stored).messages == 900
        assert broker.acknowledged

    async def test_what_either_still_has_to_give_is_counted(self) -> None:
        room = WaitingRoom()
        async with MergedSource(Broker(), room) as source:
            waiting = asyncio.create_task(room.store("gw-1", TOPIC, [b"1", b"2"]))
            for _ in range(5):
                await asyncio.sleep(0)
            assert await source.round_trip() == 7 + 250 + 2
            waiting.cancel()

    async def test_what_breaks_the_door_ends_ingest(self) -> None:
        class Silent(Broker):
            @override
            async def receive(self, limit: int) -> list[Publication]:
                await asyncio.Event().wait()
                return await super().receive(limit)

        room = WaitingRoom()
        async with MergedSource(Silent(), room) as source:
            receiving = asyncio.create_task(source.receive(1))
            await asyncio.sleep(0)
            room.fail(ZeroDivisionError())
            with pytest.raises(ZeroDivisionError):
                await receiving


class TestBodies:
    def test_one_message_an_array_or_lines(self) -> None:
        assert messages_of(b' {"a": 1}\n') == [b' {"a": 1}\n']
        assert messages_of(b'[{"a": 1}, 2]') == [b'{"a": 1}', b"2"]
        assert messages_of(b'{"a": 1}\n\n{"a": 2}\r\n') == [b'{"a": 1}', b'{"a": 2}\r']
        assert messages_of(b'{"a": 1}\n{"a": ') == [b'{"a": 1}', b'{"a": ']
        assert messages_of(b" []\n") == []
        assert messages_of(b'{\n"a":\n') == [b'{\n"a":\n']
        assert messages_of(b"[" * 100_000) == [b"[" * 65_536]
        assert messages_of(b'\xef\xbb\xbf{"a": 1}') == [b'{"a": 1}']

    @pytest.mark.parametrize(
        ("body", "messages"),
        [
            (b'[{"a": NaN}, {"b": 1}]', [b'{"a": NaN}', b'{"b": 1}']),
            (b'[{"b": 1}, {"a": "\\ud800,]"}]', [b'{"b": 1}', b'{"a": "\\ud800,]"}']),
            (b'[{"a": 01}, {"b": [1, 2]}]', [b'{"a": 01}', b'{"b": [1, 2]}']),
            (b'\xef\xbb\xbf[{"b": 1}]', [b'{"b": 1}']),
            (b'[{"b": 1}, , {"c": 1},]', [b'{"b": 1}', b"", b'{"c": 1}']),
            (b'[{"b": 1}, {"c": ', [b'{"b": 1}', b'{"c":']),
            (b'[{"b": 1},', [b'{"b": 1}', b""]),
            (b'[{"b": 1}] {"c": 1}', [b'{"b": 1}', b'{"c": 1}']),
            (b'[{"b": 1}, "c, {"d": 1}]', [b'{"b": 1}', b'"c, {"d": 1}]']),
            (b'x\n{"b": 1}\n', [b"x", b'{"b": 1}']),
            (b'{"a": NaN}\n{"b": Infinity}', [b'{"a": NaN}', b'{"b": Infinity}']),
            (b'{"items": [\n{"a": NaN},\n{"b": 1}\n]}', [b'{"items": [\n{"a": NaN},\n{"b": 1}\n]}']),
            (b"[}", [b"[}"]),
            (b'{"a": "}\n{"}', [b'{"a": "}\n{"}']),
        ],
    )  # fmt: skip
    def test_a_bad_message_costs_itself_alone(
        self, body: bytes, messages: list[bytes]
    ) -> None:
        assert messages_of(body) == messages

    def test_a_bad_message_that_is_too_large_is_cut_and_a_good_one_is_not(self) -> None:
        """The good one is refused, too, and its number settled."""
        good, bad = b'{"a": "%s"}' % (b"x" * 70_000), b"x" * 70_000
        assert messages_of(b"[%s, %s]" % (good, bad)) == [good, bad[:65_536]]

    @pytest.mark.parametrize("part", [b"[", b"{}", b",", b'"', b'\\"', b'{"\n', b"[,"])
    def test_the_largest_body_is_taken_apart_in_no_time(self, part: bytes) -> None:
        """A few seconds at most, in a thread; a search that went back would need days."""
        body = b"[" + part * ((4 << 20) // len(part))
        assert len(messages_of(body)) <= 100_002

    @given(st.binary(max_size=300) | st.text('[]{}",\\: 1\n').map(str.encode))
    def test_no_body_makes_it_raise_and_none_vanishes(self, body: bytes) -> None:
        messages = messages_of(body)
        assert messages or json.loads(body) == []
        within = body
        for message in messages:
            assert message in within
            within = within[within.index(message) + len(message) :]

    @given(
        st.lists(st.dictionaries(st.text(max_size=3), st.floats() | st.text())),
        st.sampled_from([", ", ",\n"]),
    )
    def test_of_an_array_that_is_no_json_all_elements_come_out(
        self, batch: list[dict[str, float | str]], comma: str
    ) -> None:
        """Python writes and reads NaN."""
        spelled = [json.dumps(one) for one in batch]
        array = f"[{comma.join([*spelled, 'NaN'])}]".encode()
        assert messages_of(array) == [*map(str.encode, spelled), b"NaN"]

    @given(st.lists(st.dictionaries(st.text(max_size=3), st.integers()), min_size=2))
    def test_all_messages_of_a_batch_come_out(
        self, batch: list[dict[str, int]]
    ) -> None:
        lines = "\n".join(json.dumps(one) for one in batch).encode()
        array = json.dumps(batch).encode()
        assert [json.loads(one) for one in messages_of(lines)] == batch
        assert [json.loads(one) for one in messages_of(array)] == batch

    async def test_a_body_has_no_more_messages_than_may_be(self) -> None:
        at_most = b"[" + b"1," * (MOST_MESSAGES - 1) + b"1"
        assert len(await take_apart(at_most + b"]")) == MOST_MESSAGES
        with pytest.raises(TooLargeError):
            await take_apart(at_most + b",1]")

    def test_gzip_is_unpacked_within_its_bound(self) -> None:
        assert gunzip(gzip.compress(b"x" * 1000), 1000) == b"x" * 1000
        with pytest.raises(TooLargeError):
            gunzip(gzip.compress(b"x" * 1001), 1000)
        for broken in (b"", b"x", gzip.compress(b"x")[:-1], gzip.compress(b"x") * 2):
            with pytest.raises(DoorError):
                gunzip(broken)


class TestShares:
    def test_an_owner_leaves_room_for_others_and_gives_back_what_it_took(self) -> None:
        shares = Shares(400)
        with shares.of(Owner("gw-1", is_proven=True)) as take:
            take(60)
            with shares.of(Owner("gw-1", is_proven=True)) as again:
                again(40)
                with pytest.raises(TooManyRequestsError):
                    take(1)
            take(40)
            with shares.of(Owner("gw-2", is_proven=True)) as other:
                other(100)
                other(0)
        with shares.of(Owner("gw-1", is_proven=True)) as take:
            take(100)

    def test_who_has_proved_nothing_leaves_half_for_those_who_have(self) -> None:
        shares = Shares(400)
        with contextlib.ExitStack() as held:
            for name in "ab":
                held.enter_context(shares.of(Owner(name, is_proven=False)))(100)
            with pytest.raises(TooManyRequestsError):
                held.enter_context(shares.of(Owner("c", is_proven=False)))(1)
            for name in "de":
                held.enter_context(shares.of(Owner(name, is_proven=True)))(100)
            with pytest.raises(TooManyRequestsError):
                held.enter_context(shares.of(Owner("f", is_proven=True)))(1)
        assert not shares._taken


class Registry:
    """Publishers' proofs and the revision that they were changed with. answers: cleared, it lets askers wait."""

    def __init__(self) -> None:
        self.revision = 1
        self.proofs = {"gw-1": Proofs((hash_secret("right"),), ("key",))}
        self.asked = 0
        self.is_away = False
        self.answers = asyncio.Event()
        self.answers.set()

    async def load(self, publisher: str) -> Proofs:
        self.asked += 1
        proofs = self.proofs.get(publisher, Proofs())
        await self.answers.wait()
        if self.is_away:
            raise UnavailableError
        return proofs

    def callers(self) -> Callers:
        return Callers(self.load, lambda: self.revision, ManualClock(EPOCH))

    async def at_once(self, count: int, ask: Callable[[], Awaitable[None]]) -> None:
        """So many ask while the database thinks; raises what any of them gets."""
        self.answers.clear()
        asking = [asyncio.ensure_future(ask()) for _ in range(count)]
        for _ in range(5):
            await asyncio.sleep(0)
        self.answers.set()
        for one in asking:
            await one


class TestCallers:
    async def test_a_secret_is_looked_up_once_until_the_registry_changes(self) -> None:
        registry = Registry()
        callers = registry.callers()
        for _ in range(5):
            await callers.admit("gw-1", Secret(None, "right"), "10.0.0.1")
        assert registry.asked == 1
        registry.revision = 2
        await callers.admit("gw-1", Secret("gw-1", "right"), "10.0.0.1")
        assert registry.asked == 2
        del registry.proofs["gw-1"]
        registry.revision = 3
        with pytest.raises(UnauthenticatedError):
            await callers.admit("gw-1", Secret(None, "right"), "10.0.0.1")

    async def test_right_secrets_at_once_share_a_look_and_none_is_wrong(self) -> None:
        """At the first request, after a change of the registry, and with a new secret that was not seen yet."""
        registry = Registry()
        callers = registry.callers()

        def show(secret: str) -> Callable[[], Awaitable[None]]:
            return lambda: callers.admit("gw-1", Secret(None, secret), "10.0.0.1")

        await registry.at_once(30, show("right"))
        registry.revision = 2
        await registry.at_once(30, show("right"))
        registry.proofs["gw-1"] = Proofs((hash_secret("new"),), ("key",))
        await registry.at_once(30, show("new"))
        assert registry.asked == 3

    async def test_signers_at_once_share_a_look_and_none_is_wrong(self) -> None:
        registry = Registry()
        callers = registry.callers()

        async def ask() -> None:
            await callers.expect_signature("gw-1", "10.0.0.1")

        await registry.at_once(30, ask)
        registry.revision = 2
        await registry.at_once(30, ask)
        assert registry.asked == 2

    async def test_an_answer_from_before_a_change_is_not_taken_for_one_after_it(
        self,
    ) -> None:
        registry = Registry()
        callers = registry.callers()
        registry.answers.clear()
        asking = asyncio.ensure_future(
            callers.admit("gw-1", Secret(None, "right"), "10.0.0.1")
        )
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert registry.asked == 1
        del registry.proofs["gw-1"]
        registry.revision = 2
        registry.answers.set()
        with pytest.raises(UnauthenticatedError):
            await asking

    @pytest.mark.parametrize("is_known", [False, True])
    async def test_a_database_that_is_away_costs_nobody_an_attempt(
        self, is_known: bool
    ) -> None:
        registry = Registry()
        callers, right = registry.callers(), Secret(None, "right")
        if is_known:
            await callers.admit("gw-1", right, "10.0.0.1")
            registry.proofs["gw-1"] = Proofs((hash_secret("new"),))
            right = Secret(None, "new")
        registry.is_away = True
        for _ in range(12):
            with pytest.raises(UnavailableError):
                await callers.admit("gw-1", right, "10.0.0.1")
        registry.is_away = False
        await callers.admit("gw-1", right, "10.0.0.1")

    async def test_who_goes_away_takes_the_answer_from_nobody(self) -> None:
        registry = Registry()
        callers = registry.callers()
        registry.answers.clear()
        first, second = (
            asyncio.ensure_future(
                callers.admit("gw-1", Secret(None, "right"), "10.0.0.1")
            )
            for _ in range(2)
        )
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        registry.answers.set()
        await second
        assert first.cancelled()

    async def test_a_new_secret_counts_before_its_revision_is_seen(self) -> None:
        registry = Registry()
        callers = registry.callers()
        await callers.admit("gw-1", Secret(None, "right"), "10.0.0.1")
        registry.proofs["gw-1"] = Proofs((hash_secret("new"),))
        await callers.admit("gw-1", Secret(None, "new"), "10.0.0.1")
        with pytest.raises(UnauthenticatedError):
            await callers.admit("gw-1", Secret(None, "right"), "10.0.0.1")

    async def test_guesses_from_one_address_do_not_shut_out_another(self) -> None:
        callers = Registry().callers()
        for attempt in range(12):
            wanted = UnauthenticatedError if attempt < 10 else TooManyRequestsError
            with pytest.raises(wanted):
                await callers.admit("gw-1", Secret(None, "guess"), "10.6.6.6")
        await callers.admit("gw-1", Secret(None, "right"), "10.0.0.1")

    async def test_a_signature_that_is_no_digest_is_refused(self) -> None:
        callers = Registry().callers()
        signer = await callers.expect_signature("gw-1", "10.0.0.1")
        for digest in ("", "é", "0" * 64):
            with pytest.raises(UnauthenticatedError):
                callers.check_signature(signer, Signature(digest), b"")

    async def test_bodies_that_prove_nothing_cost_attempts_and_who_signed_right_has_a_share_of_its_own(
        self,
    ) -> None:
        callers = Registry().callers()
        right = Signature(hmac.new(b"key", b"body", "sha256").hexdigest())
        sender = await callers.expect_signature("gw-1", "10.0.0.1")
        assert not sender.owner.is_proven
        with callers.judging(sender):
            callers.check_signature(sender, right, b"body")
        for error in (TooSlowError, UnauthenticatedError) * 5:
            sender = await callers.expect_signature("gw-1", "10.6.6.6")
            assert not sender.owner.is_proven
            with pytest.raises(error), callers.judging(sender):
                raise error
        with pytest.raises(TooManyRequestsError):
            await callers.expect_signature("gw-1", "10.6.6.6")
        for _ in range(12):
            known = await callers.expect_signature("gw-1", "10.0.0.1")
            assert known.owner == Owner("gw-1", is_proven=True)
            with pytest.raises(DoorError), callers.judging(known):
                raise TooSlowError
        assert (await callers.expect_signature("gw-1", "10.0.0.1")).is_known

    @given(st.text(max_size=20), st.text(max_size=20))
    def test_no_header_makes_it_raise_anything_else(self, auth: str, sign: str) -> None:
        headers = {"authorization": auth, "x-signature-256": sign}
        with contextlib.suppress(UnauthenticatedError):
            assert isinstance(read_shown(headers), Secret | Signature)
