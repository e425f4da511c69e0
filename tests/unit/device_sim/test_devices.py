"""What devices make of true values, and when they report."""

import datetime as dt

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sim import wire
from device_sim.devices import FieldDevice, Rounds
from device_sim.faults import Fault, FaultKind, FaultPlan
from device_sim.instruments import Probe, wandering
from device_sim.signals import generator_for
from services.core.broker.messages import Item
from services.core.city.catalogue import Domain, Kind, ObservedProperty, Span, StateCode
from services.core.city.entities import Channel, Sampling
from services.core.city.language import Text

NAME = Text("қ", "р", "e")
OPEN_CLOSED = (StateCode(1, "open", NAME), StateCode(2, "closed", NAME))
START = 1_795_320_000_000


def observed(
    unit: str = "bar",
    kind: Kind = Kind.MEASUREMENT,
    hard: Span = Span(-1, 40),  # noqa: B008 # frozen
    codes: tuple[StateCode, ...] = (),
) -> ObservedProperty:
    return ObservedProperty(
        "key", Domain.WATER, kind, unit, NAME, (), hard, Span(0, 10), codes
    )


def sample(probe: Probe, count: int = 1) -> list[float | str]:
    chance = generator_for(1, "test")
    return [probe.sample(chance) for _ in range(count)]


class TestProbe:
    def test_it_sends_the_unit_of_its_channel(self) -> None:
        probe = Probe(Channel("p", "key", "kPa", factor=0.01), observed(), lambda: 4.0)
        assert np.mean(np.array(sample(probe, 500))) == pytest.approx(400, rel=0.002)

    @given(st.floats(-1, 40))
    def test_noise_never_leaves_the_hard_range(self, true: float) -> None:
        probe = Probe(Channel("p", "key", "bar"), observed(), lambda: true)
        assert all(-1 <= float(value) <= 40 for value in sample(probe, 20))

    def test_nothing_stays_nothing(self) -> None:
        probe = Probe(Channel("p", "key", "m3/h"), observed("m3/h"), lambda: 0.0)
        assert set(sample(probe, 50)) == {0.0}

    def test_a_state_is_sent_as_its_word(self) -> None:
        state = observed("1", Kind.STATE, codes=OPEN_CLOSED)
        assert sample(Probe(Channel("b", "key", "1"), state, lambda: 2.0)) == ["closed"]

    def test_bits_are_sent_as_their_sum(self) -> None:
        bits = observed("1", Kind.BITS, codes=OPEN_CLOSED)
        assert sample(Probe(Channel("b", "key", "1"), bits, lambda: 3.0)) == [3]

    def test_a_counter_has_no_noise(self) -> None:
        counter = observed("kW.h", Kind.COUNTER)
        probe = Probe(Channel("e", "key", "kW.h"), counter, lambda: 123456.7891)
        assert set(sample(probe, 10)) == {123456.789}

    def test_counts_over_a_period_add_up_to_the_flow(self) -> None:
        channel = Channel(
            "n", "key", "{vehicles}",
            sampling=Sampling.PERIOD_END, sampling_period=dt.timedelta(seconds=5),
        )  # fmt: skip
        counts = sample(Probe(channel, observed("{vehicles}"), lambda: 900.0), 2_000)
        assert all(isinstance(count, int) for count in counts)
        assert np.sum(np.array(counts)) == pytest.approx(
            2_000 * 900 * 5 / 3600, rel=0.05
        )


class TestWandering:
    def test_it_stays_in_the_middle_of_what_is_plausible(self) -> None:
        read = wandering(observed(), generator_for(1, "w"))
        values = [read() for _ in range(1_000)]
        assert 3.0 <= min(values) < max(values) <= 7.0

    def test_a_counter_only_rises(self) -> None:
        read = wandering(observed("kW.h", Kind.COUNTER), generator_for(1, "w"))
        values = [read() for _ in range(100)]
        assert values == sorted(values)

    def test_a_state_has_a_calm_code(self) -> None:
        codes = (StateCode(0, "tripped", NAME, abnormal=True), *OPEN_CLOSED)
        read = wandering(observed("1", Kind.STATE, codes=codes), generator_for(1, "w"))
        assert read() == 1.0


def device(key: str, publisher: str | None = None) -> FieldDevice:
    probe = Probe(Channel("p", "key", "bar"), observed(), lambda: 4.0)
    return FieldDevice(key, publisher or key, [probe], generator_for(1, key))


class TestRounds:
    def test_each_reports_once_a_period_and_never_drifts(self) -> None:
        rounds = Rounds([(device("d"), dt.timedelta(seconds=5))], START)
        times = [
            now
            for now in range(START, START + 600_000, 100)
            for _ in rounds.take_due(now)
        ]
        assert len(times) == 120
        gaps = np.diff(times)
        assert (gaps >= 4_600).all()
        assert (gaps <= 5_400).all()
        assert len(set(gaps)) > 3
        assert times[-1] - times[0] == pytest.approx(119 * 5_000, abs=400)

    def test_first_reports_are_spread_over_the_period(self) -> None:
        many = [(device(f"d-{n}"), dt.timedelta(seconds=10)) for n in range(200)]
        rounds = Rounds(many, START)
        per_second = [len(rounds.take_due(START + now * 1000)) for now in range(1, 11)]
        assert max(per_second) < 45

    def test_a_gateway_asks_slow_devices_in_one_round_and_fast_ones_singly(
        self,
    ) -> None:
        slow = [(device(f"m-{n}", "dc"), dt.timedelta(minutes=1)) for n in range(3)]
        fast = [(device(f"w-{n}", "dc"), dt.timedelta(seconds=5)) for n in range(3)]
        rounds = Rounds([*slow, *fast], START)
        sizes = [
            len(members)
            for now in range(START, START + 60_000, 100)
            for members in rounds.take_due(now)
        ]
        assert sizes.count(3) == 1
        assert sizes.count(1) == 36

    def test_what_was_missed_is_not_made_up_for(self) -> None:
        rounds = Rounds([(device("d"), dt.timedelta(seconds=5))], START)
        assert len(rounds.take_due(START + 3_600_000)) == 1
        assert rounds.take_due(START + 3_600_100) == []

    def test_a_rate_factor_makes_it_more_often(self) -> None:
        rounds = Rounds([(device("d"), dt.timedelta(seconds=5))], START, rate_factor=10)
        due = [
            1 for now in range(START, START + 60_000, 50) for _ in rounds.take_due(now)
        ]
        assert len(due) == 120


class TestWire:
    def test_one_item_stands_beside_its_number(self) -> None:
        message = msgspec.json.decode(
            wire.data([Item(time=5, values={"a": 1.5}, device="m")], 7, 1)
        )
        assert message == {
            "time": 5, "values": {"a": 1.5}, "device": "m", "seq": 1, "epoch": 7,
        }  # fmt: skip

    def test_a_round_is_items_under_one_number(self) -> None:
        items = [Item(time=5, values={"a": 1.5}, device=f"m-{n}") for n in range(2)]
        message = msgspec.json.decode(wire.data(items, 7, 1))
        assert [item["device"] for item in message["items"]] == ["m-0", "m-1"]
        assert (message["seq"], message["epoch"]) == (1, 7)

    def test_without_a_number_there_is_none(self) -> None:
        message = msgspec.json.decode(
            wire.data([Item(time=5, values={"a": 1.5})], None, None)
        )
        assert message == {"time": 5, "values": {"a": 1.5}}

    @given(st.integers(0, 1_000))
    def test_a_long_round_is_split_and_nothing_is_left_out(self, count: int) -> None:
        items = [Item(time=n, values={}) for n in range(count)]
        parts = wire.split(items)
        assert [item for part in parts for item in part] == items
        assert all(0 < len(part) <= 100 for part in parts)

    def test_a_hosted_device_is_named_unless_it_speaks_for_itself(self) -> None:
        assert device("m", "dc").sample(START).device == "m"
        assert device("m").sample(START).device is None

    def test_now_and_then_a_value_is_doubted(self) -> None:
        items = [meter.sample(START) for meter in [device("m")] for _ in range(20_000)]
        doubted = [item for item in items if item.quality]
        assert 2 <= len(doubted) <= 30
        assert all(
            item.quality is not None and set(item.quality) == {"p"} for item in doubted
        )


class TestFaults:
    def test_a_fault_is_on_from_its_start_for_its_duration(self) -> None:
        plan = FaultPlan([Fault(kind=FaultKind.SILENCE, on="d", start=10, duration=5)])
        assert [plan.is_on(FaultKind.SILENCE, "d", t) for t in (9, 10, 14.9, 15)] == [
            False, True, True, False,
        ]  # fmt: skip
        assert not plan.is_on(FaultKind.SILENCE, "other", 12)
        assert not plan.is_on(FaultKind.DUPLICATE, "d", 12)
