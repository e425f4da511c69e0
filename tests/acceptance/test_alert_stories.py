"""Alerts as timelines: what devices report second by second, and what the journal says. All on a real database.

The reservoir's level rule: below 2 m for 10 s is medium, below 1.2 m critical; it clears above 2.5 m. The logger
reports every 5 s, so a reading speaks for 12.5 s.
"""

import datetime as dt
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from services.core.city.quality import Quality
from services.core.storage.alerts import acknowledge
from services.core.storage.log_batch import ItemFlag
from services.core.storage.pool import Connection, connect
from services.rules.engine import Engine, load_watch
from tests.rule_stories import (
    NAN,
    START,
    Story,
    alerts,
    journal,
    make_city,
    rule_document,
    run_rules,
    silence_document,
    told,
)

pytestmark = pytest.mark.acceptance

FINE, LOW, VERY_LOW = [NAN, 3.0], [NAN, 1.8], [NAN, 1.1]
BETWEEN = [NAN, 2.2]  # neither low nor clear
LOGGER = 1  # ids in a database of one device type each
GATEWAY_KEY = "gateway"


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    opened = await connect(database_url, "test")
    yield opened
    await opened.close()


async def tell(
    connection: Connection, story: Story, **documents: Any
) -> list[tuple[float | None, str]]:
    """Lay out the city with these rules (by default the level's), log the story, run the rules; the journal."""
    await make_city(connection, **(documents or {"low": rule_document()}))
    await story.log(connection)
    await run_rules(connection)
    return await told(connection)


class TestThreshold:
    async def test_it_waits_fires_and_resolves(self, connection: Connection) -> None:
        story = Story(seconds=60)
        story.reports_every(5, FINE, between=(0, 15))
        story.reports_every(5, LOW, between=(20, 40))
        story.reports_every(5, FINE, between=(45, 60))
        await tell(connection, story)
        assert await journal(connection) == [
            (20, "low", "pending", "condition_true", 1.8, 1),
            (30, "low", "firing", "held", 1.8, 2),
            (45, "low", "resolved", "cleared", 3.0, 3),
        ]
        (alert,) = await alerts(connection)
        assert (alert["starts_at"], alert["detected_at"], alert["ends_at"]) == (20, 30, 45)  # fmt: skip
        assert alert["severity"] == "medium"

    async def test_a_short_dip_never_fires(self, connection: Connection) -> None:
        story = Story(seconds=60)
        story.reports_every(5, FINE, between=(0, 60))
        story.reports(22, LOW)
        assert await tell(connection, story) == [(22, "pending"), (25, "inactive")]

    async def test_the_next_wait_takes_up_the_one_that_passed(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=60)
        story.reports_every(5, FINE, between=(0, 20))
        story.reports(22, LOW)
        story.reports_every(5, FINE, between=(25, 35))
        story.reports_every(5, LOW, between=(40, 60))
        assert await tell(connection, story) == [
            (22, "pending"), (25, "inactive"), (40, "pending"), (50, "firing"),
        ]  # fmt: skip
        assert [alert["alert_id"] for alert in await alerts(connection)] == [1]

    async def test_what_fired_and_resolved_is_followed_by_a_new_episode(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=60)
        story.reports_every(5, LOW, between=(0, 10))
        story.reports_every(5, FINE, between=(15, 20))
        story.reports_every(5, LOW, between=(25, 35))
        await tell(connection, story)
        first, second = await alerts(connection)
        assert first["fingerprint"] == second["fingerprint"]
        assert (first["state"], second["state"]) == ("resolved", "firing")

    async def test_it_holds_between_the_threshold_and_where_it_clears(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=60)
        story.reports_every(5, LOW, between=(0, 20))
        story.reports_every(5, BETWEEN, between=(25, 60))
        assert (await tell(connection, story))[-1] == (10, "firing")

    async def test_one_alert_gets_worse_and_better_and_loses_its_acknowledgement(
        self, connection: Connection
    ) -> None:
        await make_city(connection, low=rule_document())
        await self.level_falls().log(connection)
        engine = await run_rules(connection)
        await acknowledge(connection, 1, 2, "ann", None, START)
        later = Story(seconds=60)
        later.reports_every(5, VERY_LOW, between=(25, 40))
        later.reports_every(5, LOW, between=(45, 60))
        later.is_told_from(21)
        await later.log(connection)
        await run_rules(connection, engine=engine)
        assert [row[2:4] for row in await journal(connection)] == [
            ("pending", "condition_true"),
            ("firing", "held"),
            ("acknowledged", ""),
            ("firing", "severity_rose"),
            ("acknowledgement_void", "severity_rose"),
            ("firing", "severity_fell"),
        ]
        (alert,) = await alerts(connection)
        assert (alert["severity"], alert["acknowledged_by"]) == ("medium", None)

    @staticmethod
    def level_falls() -> Story:
        story = Story(seconds=20)
        story.reports_every(5, LOW, between=(0, 20))
        return story

    async def test_clearing_may_take_its_time_too(self, connection: Connection) -> None:
        story = Story(seconds=60)
        story.reports_every(5, LOW, between=(0, 10))
        story.reports(15, FINE)
        story.reports(20, BETWEEN)
        story.reports_every(5, FINE, between=(25, 60))
        times = await tell(connection, story, low=rule_document(clear_for="20s"))
        assert (await alerts(connection))[0]["ends_at"] == 25
        assert times[-1] == (45, "resolved")


class TestStaleAndLateData:
    async def test_a_level_that_fell_and_then_was_not_heard_of_never_fires(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=60)
        story.reports(0, FINE)
        story.reports(5, LOW)
        low = rule_document(hold_for="20s")
        assert await tell(connection, story, low=low) == [
            (5, "pending"), (18, "inactive"),
        ]  # fmt: skip
        assert (await journal(connection))[-1][3] == "evidence_lost"

    async def test_rule_time_completes_a_hold_that_the_next_reading_would(
        self, connection: Connection
    ) -> None:
        """A device that reports every 5 s need not be waited for: its last word is still good."""
        story = Story(seconds=30)
        story.reports(0, LOW)
        story.reports(5, LOW)
        low = rule_document(hold_for="12s")
        assert (await tell(connection, story, low=low))[-1] == (12, "firing")

    async def test_readings_too_far_apart_prove_nothing_between(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=60)
        story.reports(0, LOW)
        story.ingest_is_behind((1, 39))
        story.reports(40, LOW)
        story.reports_every(5, LOW, between=(45, 50))
        assert await tell(connection, story) == [(0, "pending"), (50, "firing")]
        assert (await alerts(connection))[0]["starts_at"] == 40

    async def test_what_comes_late_changes_nothing(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=60)
        story.reports_every(5, FINE, between=(0, 30))
        for second in (31, 32, 33):
            story.reports(
                second, LOW, time=second - 25, flag=ItemFlag.NEW | ItemFlag.LATE
            )
        story.reports_every(5, FINE, between=(35, 60))
        assert await tell(connection, story) == []

    async def test_what_comes_late_ends_nothing(self, connection: Connection) -> None:
        story = Story(seconds=40)
        story.reports_every(5, LOW, between=(0, 40))
        story.reports(22, FINE, time=7.5, flag=ItemFlag.NEW | ItemFlag.LATE)
        assert (await tell(connection, story))[-1] == (10, "firing")

    async def test_a_slot_whose_times_lag_behind_its_frame_is_judged_all_the_same(
        self, connection: Connection
    ) -> None:
        """Flow at t, level at t - 1: late for the frame, never for the level."""
        story = Story(seconds=30)
        for second in range(0, 30, 5):
            story.reports(second, [100.0])
            story.reports(
                second, LOW, time=second - 1, flag=ItemFlag.NEW | ItemFlag.LATE
            )
        assert (await tell(connection, story))[-1] == (10, "firing")

    async def test_old_readings_raise_nothing(self, connection: Connection) -> None:
        """A buffer flushed after an hour: what was low then is history, what is fine now is now."""
        story = Story(seconds=30)
        for minute in range(60, 5, -1):
            story.reports(10, LOW, time=10 - 60 * minute)
        story.reports_every(5, FINE, between=(10, 30))
        assert await tell(connection, story) == []

    async def test_a_correction_of_the_newest_value_counts(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=30)
        story.reports_every(5, LOW, between=(0, 20))
        story.reports(22, FINE, time=20, flag=ItemFlag.CORRECTED)
        assert (await tell(connection, story))[-1] == (22, "resolved")

    async def test_a_correction_of_an_older_value_does_not(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=30)
        story.reports_every(5, LOW, between=(0, 20))
        story.reports(22, FINE, time=15, flag=ItemFlag.CORRECTED | ItemFlag.LATE)
        assert (await tell(connection, story))[-1] == (10, "firing")

    async def test_one_reading_from_the_future_does_not_blind_the_rule(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=40)
        story.reports(0, FINE, time=290)
        story.reports_every(5, LOW, between=(5, 40))
        assert (await tell(connection, story))[-1] == (15, "firing")

    async def test_doubtful_values_are_not_judged_unless_the_rule_says_so(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=30)
        for second in range(0, 30, 5):
            story.reports(second, LOW, quality=Quality.SUSPECT)
        bold = rule_document(accept="suspect")
        await tell(connection, story, careful=rule_document(), bold=bold)
        assert {row[1] for row in await journal(connection)} == {"bold"}


class TestDeadMan:
    async def test_silence_fires_worsens_and_ends(self, connection: Connection) -> None:
        story = Story(seconds=100)
        story.reports_every(5, FINE, between=(0, 10))
        story.reports(90, FINE)
        await tell(connection, story, quiet=silence_document())
        assert await journal(connection) == [
            (25, "quiet", "firing", "silent", None, 1),
            (70, "quiet", "firing", "severity_rose", None, 2),
            (90, "quiet", "resolved", "heard_again", None, 3),
        ]
        (alert,) = await alerts(connection)
        assert (alert["starts_at"], alert["ends_at"]) == (10, 90)
        assert alert["labels"] == {"rule": "quiet", "device": "tank-logger"}

    async def test_a_device_that_never_reported_is_not_missed_unless_asked_for(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=40)
        eager = silence_document(never_heard=True)
        await tell(connection, story, quiet=silence_document(), eager=eager)
        assert {row[1] for row in await journal(connection)} == {"eager"}

    async def test_nothing_counts_while_ingest_is_behind(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=60)
        story.reports_every(5, FINE, between=(0, 10))
        story.ingest_is_behind((15, 60))
        assert await tell(connection, story, quiet=silence_document()) == []

    async def test_after_an_outage_of_ours_every_device_gets_its_time_again(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=100)
        story.reports_every(5, FINE, between=(0, 10))
        story.ingest_is_down((20, 49))
        assert await tell(connection, story, quiet=silence_document()) == [
            (65, "firing")  # 15 s after the log went on at 50
        ]

    async def test_a_short_hiccup_of_ours_only_stops_the_count(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=60)
        story.reports_every(5, FINE, between=(0, 10))
        story.ingest_is_behind((12, 15))
        assert (await tell(connection, story, quiet=silence_document()))[0] == (30, "firing")  # fmt: skip

    async def test_a_death_shortens_the_wait_and_a_birth_ends_it(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=60)
        story.reports_every(5, FINE, between=(0, 10))
        story.device_notice(11, "death", LOGGER)
        story.device_notice(30, "birth", LOGGER)
        quiet = silence_document(after_death="4s")
        assert await tell(connection, story, quiet=quiet) == [
            (14, "firing"), (30, "resolved"), (45, "firing"),
        ]  # fmt: skip

    async def test_a_gateway_is_heard_by_what_it_publishes_for_others(
        self, connection: Connection
    ) -> None:
        await make_city(
            connection,
            quiet=silence_document(target={"match": [f'device="{GATEWAY_KEY}"']}),
        )
        gateway = await connection.fetchval(
            "SELECT device_id FROM devices WHERE key = $1", GATEWAY_KEY
        )
        story = Story(seconds=60)
        for second in range(0, 21, 5):
            story.beats[second].publishers.append(gateway)
        await story.log(connection)
        await run_rules(connection)
        assert (await told(connection))[0] == (35, "firing")

    async def test_what_is_told_again_or_corrected_is_no_sign_of_life(
        self, connection: Connection
    ) -> None:
        """A replay of the inbox, and a person's word about a reading that is young enough to count."""
        stream = silence_document(
            of="datastream", target={"observed_property": "level"}
        )
        await make_city(connection, device=silence_document(), stream=stream)
        gateway = await connection.fetchval(
            "SELECT device_id FROM devices WHERE key = $1", GATEWAY_KEY
        )
        story = Story(seconds=60)
        story.reports_every(5, FINE, between=(0, 10))
        story.beats[10].publishers.append(gateway)
        for second in (20, 40):
            story.beats[second].publishers.append(gateway)
            story.beats[second].unheard.append(gateway)
            flag = ItemFlag.CORRECTED | ItemFlag.SECOND_HAND
            story.reports(second, BETWEEN, time=10, flag=flag)
        await story.log(connection)
        await run_rules(connection)
        assert await told(connection) == [(25, "firing")] * 3

    async def test_a_standby_gateway_is_missed_only_once_it_is_gone(
        self, connection: Connection
    ) -> None:
        standby = silence_document(
            target={"match": ['device_type=""']}, only_after_death=True
        )
        await make_city(connection, quiet=standby)
        gateway = await connection.fetchval(
            "SELECT device_id FROM devices WHERE key = $1", GATEWAY_KEY
        )
        story = Story(seconds=90)
        story.device_notice(0, "birth", gateway)
        story.device_notice(50, "death", gateway)
        await story.log(connection)
        await run_rules(connection)
        assert (await told(connection))[0] == (65, "firing")

    async def test_a_will_in_the_batch_of_the_birth_is_the_last_word(
        self, connection: Connection
    ) -> None:
        standby = silence_document(
            target={"match": ['device_type=""']}, only_after_death=True
        )
        await make_city(connection, quiet=standby)
        gateway = await connection.fetchval(
            "SELECT device_id FROM devices WHERE key = $1", GATEWAY_KEY
        )
        story = Story(seconds=60)
        story.device_notice(10, "birth", gateway)
        story.device_notice(10, "death", gateway)
        await story.log(connection)
        await run_rules(connection)
        assert (await told(connection))[0] == (25, "firing")

    async def test_a_datastream_can_fall_silent_while_its_device_talks(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=60)
        story.reports_every(5, [1.0, 3.0], between=(0, 10))
        story.reports_every(5, [1.0, NAN], between=(15, 60))
        stream = silence_document(
            of="datastream", target={"observed_property": "level"}
        )
        await tell(connection, story, quiet=silence_document(), stream=stream)
        assert {row[1] for row in await journal(connection)} == {"stream"}

    async def test_a_device_with_a_clock_far_off_gives_no_current_data(
        self, connection: Connection
    ) -> None:
        story = Story(seconds=60)
        story.reports_every(5, FINE, between=(0, 10))
        for second in range(15, 60, 5):
            story.reports(second, FINE, time=second - 3600)
        assert (await tell(connection, story, quiet=silence_document()))[0] == (25, "firing")  # fmt: skip


def eventful() -> Story:
    """Everything at once: dips, holds, severities, silence, outages, late and corrected values."""
    story = Story(seconds=280)
    story.reports_every(5, FINE, between=(0, 10))
    story.reports_every(5, LOW, between=(15, 30))
    story.reports(23, FINE, time=8, flag=ItemFlag.NEW | ItemFlag.LATE)
    story.reports_every(5, VERY_LOW, between=(35, 50))
    story.reports(51, BETWEEN, time=50, flag=ItemFlag.CORRECTED)
    story.reports(55, FINE)
    story.reports(57, LOW)
    story.reports(60, FINE)
    story.reports(62, LOW)
    story.device_notice(64, "death", LOGGER)
    story.device_notice(70, "birth", LOGGER)
    story.ingest_is_behind((80, 83))
    story.reports_every(5, LOW, between=(85, 95))
    story.ingest_is_down((97, 110))
    story.reports_every(5, LOW, between=(111, 121))
    story.reports(125, FINE)
    story.reports_every(5, VERY_LOW, between=(130, 150))
    story.reports_every(5, FINE, between=(155, 240))
    story.reports_every(5, LOW, between=(241, 246))
    return story


RULES: dict[str, Any] = {
    "low": rule_document(),
    "patient": rule_document(hold_for="12s", clear_for="8s"),
    "quiet": silence_document(after_death="4s"),
}


async def facts(connection: Connection) -> tuple[Any, ...]:
    """All that an alert's life leaves behind, but for ids."""
    rows = [
        {name: value for name, value in row.items() if name != "alert_id"}
        for row in await alerts(connection)
    ]
    holds = await connection.fetch("SELECT * FROM rule_holds ORDER BY 1, 2")
    return await journal(connection), rows, [dict(row) for row in holds]


class TestRestarts:
    """However the service is interrupted, the alerts are those of an undisturbed run."""

    @pytest.fixture
    async def undisturbed(self, connection: Connection) -> tuple[Any, ...]:
        """What an undisturbed run leaves; the alerts are wiped afterwards, the log stays."""
        await make_city(connection, **RULES)
        await eventful().log(connection)
        await run_rules(connection)
        left = await facts(connection)
        assert len(left[0]) > 20, "an eventful story has many events"
        await self.forget(connection)
        return left

    @staticmethod
    async def forget(connection: Connection) -> None:
        await connection.execute(
            """TRUNCATE alerts, journal, rule_holds, rule_memory RESTART IDENTITY CASCADE;
               DELETE FROM log_cursors"""
        )

    @pytest.mark.parametrize("group", [1, 7, 1000])
    async def test_batches_may_be_taken_in_any_groups(
        self, connection: Connection, undisturbed: tuple[Any, ...], group: int
    ) -> None:
        await run_rules(connection, group=group)
        assert await facts(connection) == undisturbed

    async def test_a_restart_at_every_batch(
        self, connection: Connection, undisturbed: tuple[Any, ...]
    ) -> None:
        for _ in range(eventful().seconds + 1):
            await self.one_batch(connection)
        assert await facts(connection) == undisturbed

    @staticmethod
    async def one_batch(connection: Connection) -> None:
        from services.core.storage import event_log  # noqa: PLC0415 # only here

        engine = await Engine.begin(connection)
        await engine.take(
            await event_log.read(connection, "observations", engine.cursor, 1)
        )

    @pytest.mark.parametrize("nth", [1, 2, 3, 5, 8, 13, 21])
    async def test_killed_at_every_nth_statement(
        self,
        connection: Connection,
        database_url: str,
        undisturbed: tuple[Any, ...],
        nth: int,
    ) -> None:
        """Each process lives for so many statements more than the one before, then is gone in the middle of one."""
        statements = nth
        alive = False
        while not alive:
            mortal = await connect(database_url, "mortal")
            dying = Mortal(mortal, statements)
            try:
                await run_rules(dying, group=10)
                alive = True
            except Killed:
                statements += nth
            finally:
                mortal.terminate()
        assert await facts(connection) == undisturbed


class Killed(Exception):  # noqa: N818 # what happens to a process is no error of ours
    """The process is gone: nothing of an open transaction stays."""


class Mortal:
    """A connection whose process dies at its nth statement."""

    def __init__(self, connection: Connection, statements: int) -> None:
        self._connection = connection
        self._left = statements

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self._connection, name)
        if name in ("fetch", "fetchrow", "fetchval", "execute", "executemany"):
            self._left -= 1
            if self._left <= 0:
                raise Killed
        return method


class TestRulebookChanges:
    async def low_alert(self, connection: Connection) -> Engine:
        await make_city(connection, low=rule_document())
        story = Story(seconds=20)
        story.reports_every(5, LOW, between=(0, 20))
        await story.log(connection)
        return await run_rules(connection)

    async def change(self, connection: Connection, engine: Engine, **rules: Any) -> Any:
        await make_city(connection, **rules)
        await engine.reload(await load_watch(connection))
        return (await journal(connection))[-1][2:4]

    async def test_a_retired_rule_takes_its_alerts_with_it(
        self, connection: Connection
    ) -> None:
        engine = await self.low_alert(connection)
        other = rule_document(target={"observed_property": "flow"})
        last = await self.change(connection, engine, other=other)
        assert last == ("resolved", "rule_retired")

    async def test_a_rule_that_is_switched_off_counts_as_retired(
        self, connection: Connection
    ) -> None:
        engine = await self.low_alert(connection)
        off = rule_document(enabled=False)
        assert await self.change(connection, engine, low=off) == (
            "resolved",
            "rule_retired",
        )

    async def test_a_rule_that_looks_elsewhere_leaves_its_targets(
        self, connection: Connection
    ) -> None:
        engine = await self.low_alert(connection)
        elsewhere = rule_document(
            target={"observed_property": "level", "things": ["main"]}
        )
        assert await self.change(connection, engine, low=elsewhere) == (
            "resolved",
            "target_retired",
        )

    async def test_a_changed_level_ends_what_it_no_longer_means(
        self, connection: Connection
    ) -> None:
        engine = await self.low_alert(connection)
        only_critical = rule_document(levels=[{"severity": "critical", "value": 1.2}])
        assert await self.change(connection, engine, low=only_critical) == (
            "resolved",
            "rule_changed",
        )

    async def test_other_changes_leave_the_alert_alone(
        self, connection: Connection
    ) -> None:
        engine = await self.low_alert(connection)
        assert await self.change(
            connection, engine, low=rule_document(hold_for="30s")
        ) == ("firing", "held")

    async def test_what_changed_while_the_service_was_down_is_taken_up_at_its_start(
        self, connection: Connection
    ) -> None:
        await self.low_alert(connection)
        await make_city(
            connection, other=rule_document(target={"observed_property": "flow"})
        )
        await Engine.begin(connection)
        assert (await journal(connection))[-1][2:4] == ("resolved", "rule_retired")

    async def test_a_new_rule_is_judged_from_its_next_reading(
        self, connection: Connection
    ) -> None:
        engine = await self.low_alert(connection)
        await make_city(connection, low=rule_document(), also=rule_document())
        await engine.reload(await load_watch(connection))
        later = Story(seconds=40)
        later.reports_every(5, LOW, between=(25, 40))
        later.is_told_from(21)
        await later.log(connection)
        await run_rules(connection, engine=engine)
        also = [row[:3] for row in await journal(connection) if row[1] == "also"]
        assert also == [(25, "also", "pending"), (35, "also", "firing")]


class TestLeftBehind:
    async def test_the_latest_values_tell_where_to_go_on(
        self, connection: Connection
    ) -> None:
        """The log was dropped while the service was away: what is fine now resolves, what is wrong now fires."""
        await make_city(connection, low=rule_document(hold_for="0s"))
        story = Story(seconds=20)
        story.reports_every(5, LOW, between=(0, 20))
        await story.log(connection)
        await run_rules(connection)
        gone = Story(seconds=30)
        gone.reports(30, FINE)
        await gone.log(connection)
        await fold_history(connection)
        await connection.execute(
            "DELETE FROM event_log WHERE stream = 'observations' AND batch > 21 AND batch < 45"
        )
        await run_rules(connection)
        assert (await journal(connection))[-1][2:4] == ("resolved", "cleared")

    async def test_it_happens_once_and_the_service_follows_the_log_again(
        self, connection: Connection
    ) -> None:
        await self.test_the_latest_values_tell_where_to_go_on(connection)
        again = Story(seconds=40)
        again.reports(40, LOW)
        again.is_told_from(31)
        await again.log(connection)
        await run_rules(connection)
        assert (await told(connection))[-1] == (40, "firing")


async def fold_history(connection: Connection) -> None:
    from services.core.clock import ManualClock  # noqa: PLC0415 # only here
    from services.core.storage import event_log  # noqa: PLC0415
    from services.history.folding import Folding  # noqa: PLC0415

    folding = await Folding.begin(
        connection, ManualClock(START + dt.timedelta(minutes=1))
    )
    await folding.fold(
        await event_log.read(connection, "observations", folding.cursor, 1000)
    )
    await folding.flush()
