"""PURE: fleets: things of a city file, with their devices, that are too many to hold; read some at a time."""

import hashlib
import json
import math
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final

from services.core.city.entities import (
    Device,
    DeviceType,
    Fleet,
    FleetPart,
    Geometry,
)
from services.core.city.expansion import Instance, expand, range_of
from services.core.city.fields import Fields, Notes
from services.core.city.ids import KEY
from services.core.city.places import Shapes
from services.core.city.references import ReferenceCheck
from services.core.city.things_file import AssetReader, Assets, Scope

_PART: Final = 5_000  # members read at once
_NESTED: Final = ("parts", "supplies")


@dataclass(frozen=True, slots=True, eq=False)
class FleetGround:
    """What fleets stand on: the file's districts, shapes and types, and what it names one by one."""

    shapes: Shapes
    areas: Mapping[str, Geometry]
    device_types: Mapping[str, DeviceType | None]
    named: Assets

    def sketch(self, entries: Mapping[str, Any], scope: Scope, notes: Notes) -> None:
        """Note what is wrong with the first member of each entry: the others are made alike."""
        for template, raw in entries.items():
            first = islice(expand({template: raw}, scope.variables, notes), 1)
            self._read(first, scope, notes)

    def parts(
        self, entries: Mapping[str, Any], scope: Scope, problems: list[str]
    ) -> Iterator[FleetPart]:
        """All members; a key that was there before is a problem, too."""
        notes = Notes(problems)
        instances = expand(entries, scope.variables, notes)
        seen: set[int] = set()  # hashes: the keys themselves would be half a gigabyte
        while chosen := list(islice(instances, _PART)):
            part = self._read(chosen, scope, notes)
            for kind, keys in (("thing", part.things), ("device", part.devices)):
                hashes = {hash((kind, key)) for key in keys}
                if not seen.isdisjoint(hashes):
                    problems.append(f"{chosen[0].series}: a second {kind} of one key")
                seen |= hashes
            yield part

    def _read(
        self, instances: Iterable[Instance], scope: Scope, notes: Notes
    ) -> FleetPart:
        reader = AssetReader(self.shapes, self.areas, notes)
        for instance in instances:
            reader.read_thing(instance, scope)
        own = reader.assets
        for key in (
            *(own.things.keys() & self.named.things.keys()),
            *(own.devices.keys() & self.named.devices.keys()),
        ):
            notes.problems.append(f"{key}: is in a fleet and outside of it")
        everyone = Assets(
            ChainMap(own.things, self.named.things),
            ChainMap(own.devices, self.named.devices),
            own.relations,
            own.lines,
        )
        check = ReferenceCheck(everyone, self.device_types, notes)
        check.check_members(own, self.areas)
        for device in filter(None, own.devices.values()):
            _check_device(device, own, notes)
        return FleetPart(
            {key: thing for key, thing in own.things.items() if thing},
            tuple(own.relations),
            {key: device for key, device in own.devices.items() if device},
        )


def _check_device(device: Device, own: Assets, notes: Notes) -> None:
    """What keeps a fleet's datastreams apart from all others without holding them."""
    if device.thing not in own.things:
        notes.problems.append(f"{device.key}: observes a thing outside of its fleet")
    if device.channel_things:
        notes.problems.append(
            f"{device.key}: channel_things: devices of a fleet observe one thing"
        )


def read_fleets(
    sections: Iterable[tuple[Mapping[str, Any], Scope]],
    ground: FleetGround,
    made_of: object,
    notes: Notes,
) -> dict[str, Fleet]:
    """sections: a file's `fleets` and its defaults. made_of: JSON's own values of all that members follow from."""
    fleets: dict[str, Fleet] = {}
    around = _digest(made_of)
    for section, scope in sections:
        for key, raw in section.items():
            fields = Fields(raw, str(key), notes)
            if not KEY.match(str(key)):
                fields.wrong("is not a key (a-z, 0-9, _ . -)")
            if key in fleets:
                fields.wrong("is there twice in fleets")
            if isinstance(raw, Mapping):
                ground.sketch(raw, scope, notes)
                fleets[str(key)] = _fleet(str(key), raw, scope, ground, around)
    return fleets


def _fleet(
    key: str, raw: Mapping[str, Any], scope: Scope, ground: FleetGround, around: str
) -> Fleet:
    things, devices, datastreams = _count(raw, ground)
    return Fleet(
        key=key,
        template=raw,
        content=_digest([raw, _scope_facts(scope), around]),
        things=things,
        devices=devices,
        datastreams=datastreams,
        parts=partial(ground.parts, raw, scope),
    )


def _scope_facts(scope: Scope) -> list[Any]:
    return [scope.domain, scope.district, scope.status, scope.protected]


def _digest(facts: object) -> str:
    text = json.dumps(facts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _count(entries: Mapping[str, Any], ground: FleetGround) -> tuple[int, int, int]:
    """(things, devices, datastreams) without making one; what is wrong is noted when it is read."""
    things = devices = streams = 0
    for raw in entries.values():
        times, fields = _times(raw), Fields(raw, "fleet", Notes())
        things += times
        for device in fields.mapping("devices").values():
            each = times * _times(device)
            kind = Fields(device, "device", Notes()).optional_text("type")
            known = ground.device_types.get(kind or "")
            devices += each
            streams += each * len(known.channels if known else ())
        for section in _NESTED:
            inner = _count(fields.mapping(section), ground)
            things += times * inner[0]
            devices += times * inner[1]
            streams += times * inner[2]
    return things, devices, streams


def _times(raw: object) -> int:
    fields = Fields(raw, "fleet", Notes())
    return math.prod(
        len(range_of(str(name), bounds, fields))
        for name, bounds in fields.mapping("repeat").items()
    )
