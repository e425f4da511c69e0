"""PURE: THE MAP of reading a city: parsed files in, a checked City or every problem out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from services.core.city import geo
from services.core.city.catalogue_file import (
    read_device_type,
    read_property,
    read_sensor,
)
from services.core.city.entities import City, District, Fleet, Geometry
from services.core.city.fields import Fields, Notes
from services.core.city.fleets import FleetGround, read_fleets
from services.core.city.ids import KEY
from services.core.city.places import Shapes, read_shapes
from services.core.city.references import ReferenceCheck
from services.core.city.things_file import AssetReader, Assets, read_defaults

Parsed = Mapping[str, Any]
Made = TypeVar("Made")

_SECTIONS: Final = (
    "city",
    "include",
    "defaults",
    "districts",
    "catalogue",
    "sensors",
    "device_types",
    "things",
    "devices",
    "fleets",
)


@dataclass(frozen=True, slots=True)
class Reading:
    """city: None where there are problems; each names its place."""

    city: City | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def read_city(files: Sequence[Parsed]) -> Reading:
    """A city from its parsed files: mappings with any of the sections, and GeoJSON feature collections."""
    notes = Notes()
    shapes: dict[str, Geometry] = {}
    documents = [
        parsed for parsed in files if parsed.get("type") != "FeatureCollection"
    ]
    for parsed in files:
        if parsed.get("type") == "FeatureCollection":
            shapes |= read_shapes(parsed, notes)
    _check_sections(documents, notes)
    city = _read_city(documents, shapes, notes)
    return Reading(
        None if notes.problems else city, tuple(notes.problems), tuple(notes.warnings)
    )


def _check_sections(documents: Sequence[Parsed], notes: Notes) -> None:
    for document in documents:
        fields = Fields(document, "", notes)
        for section in _SECTIONS:
            fields.take(section, None)
        fields.build(tuple)


def _read_city(
    documents: Sequence[Parsed], shapes: Shapes, notes: Notes
) -> City | None:
    def section(
        name: str, read: Callable[[str, Any], Made | None]
    ) -> dict[str, Made | None]:
        return _read_section(name, documents, notes, read)

    districts = section(
        "districts", lambda key, raw: _read_district(key, raw, shapes, notes)
    )
    catalogue = section("catalogue", lambda key, raw: read_property(key, raw, notes))
    sensors = section("sensors", lambda key, raw: read_sensor(key, raw, notes))
    device_types = section(
        "device_types", lambda key, raw: read_device_type(key, raw, catalogue, notes)
    )
    areas = {
        key: district.area if district else None for key, district in districts.items()
    }
    assets = _read_assets(documents, shapes, areas, notes)
    ReferenceCheck(assets, device_types, notes).check(areas, sensors)
    ground = FleetGround(shapes, _sound(areas), device_types, assets)
    return _read_head(
        documents,
        notes,
        districts=_sound(districts),
        catalogue=_sound(catalogue),
        sensors=_sound(sensors),
        device_types=_sound(device_types),
        things=_sound(assets.things),
        relations=tuple(assets.relations),
        devices=_sound(assets.devices),
        fleets=_read_fleets(documents, ground, (catalogue, sensors), notes),
    )


def _read_head(
    documents: Sequence[Parsed], notes: Notes, **contents: Any
) -> City | None:
    """The city's own section, around what the others hold."""
    head = Fields(
        next((document["city"] for document in documents if "city" in document), None),
        "city",
        notes,
    )
    key, name, time_zone = head.text("key"), head.names("name"), head.text("time_zone")
    licence, (longitude, latitude) = head.text("licence", "CC-BY-4.0"), _centre(head)
    return head.build(
        lambda: City(
            key=key,
            name=name,
            time_zone=time_zone,
            longitude=longitude,
            latitude=latitude,
            licence=licence,
            **contents,
        )
    )


def _sound(entries: Mapping[str, Made | None]) -> dict[str, Made]:
    return {key: entry for key, entry in entries.items() if entry is not None}


def _read_section(
    section: str,
    documents: Sequence[Parsed],
    notes: Notes,
    read: Callable[[str, Any], Made | None],
) -> dict[str, Made | None]:
    """Every entry of that section in every file. None: there, but not usable (noted)."""
    entries: dict[str, Made | None] = {}
    for document in documents:
        for key, raw in Fields(document, "", notes).mapping(section).items():
            fields = Fields(raw, str(key), notes)
            if not KEY.match(str(key)):
                fields.wrong("is not a key (a-z, 0-9, _ . -)")
            if key in entries:
                fields.wrong(f"is there twice in {section}")
            entries[str(key)] = read(str(key), raw)
    return entries


def _read_district(key: str, raw: Any, shapes: Shapes, notes: Notes) -> District | None:
    fields = Fields(raw, key, notes)
    name, shape = fields.names("name"), fields.text("shape", key)
    area = shapes.get(shape)
    if area is None or area["type"] != "Polygon":
        fields.wrong(
            f"{shape!r} is not the key of a polygon in a GeoJSON file", "shape"
        )
        return None
    return fields.build(lambda: District(key, name, area))


def _read_assets(
    documents: Sequence[Parsed],
    shapes: Shapes,
    areas: Mapping[str, Geometry | None],
    notes: Notes,
) -> Assets:
    reader = AssetReader(shapes, _sound(areas), notes)
    for document in documents:
        fields = Fields(document, "", notes)
        scope = read_defaults(fields.take("defaults", {}), notes)
        reader.read_things(fields.mapping("things"), scope)
        reader.read_devices(fields.mapping("devices"), None, {})
    return reader.assets


def _read_fleets(
    documents: Sequence[Parsed], ground: FleetGround, described: object, notes: Notes
) -> dict[str, Fleet]:
    sections = []
    for document in documents:
        fields = Fields(document, "", notes)
        scope = read_defaults(fields.take("defaults", {}), Notes())
        sections.append((fields.mapping("fleets"), scope))
    made_of = [ground.shapes, ground.areas, ground.device_types, described]
    return read_fleets(sections, ground, made_of, notes)


def _centre(head: Fields) -> geo.Position:
    try:
        return geo.position(head.take("centre", [0, 0]))
    except ValueError as error:
        head.wrong(str(error), "centre")
        return 0.0, 0.0
