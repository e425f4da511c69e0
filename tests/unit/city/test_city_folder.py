"""The folder on disk: YAML's traps, lines in complaints, included files."""

from pathlib import Path

import pytest

from services.core.city_folder import load_city, read_city_folder
from services.core.errors import CityFileError

ROOT = """\
city:
  key: small
  name: {kk: К, ru: Р, en: E}
  time_zone: Asia/Almaty
include: [districts.geojson, more.yaml]
districts:
  north: {name: {kk: К, ru: Р, en: E}}
"""
SHAPES = """\
{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"key": "north"}, "geometry":
 {"type": "Polygon", "coordinates": [[[76, 43], [78, 43], [78, 44], [76, 44], [76, 43]]]}}]}
"""
MORE = """\
catalogue:
  valve:
    domain: gas
    kind: state
    unit: "1"
    name: &name {kk: К, ru: Р, en: E}
    codes:
      - {value: 0, key: off, name: *name}
      - {value: 1, key: on, name: *name}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "city.yaml").write_text(ROOT, encoding="utf-8")
    (tmp_path / "districts.geojson").write_text(SHAPES, encoding="utf-8")
    (tmp_path / "more.yaml").write_text(MORE, encoding="utf-8")
    return tmp_path


def complaints(folder: Path) -> list[str]:
    with pytest.raises(CityFileError) as caught:
        load_city(folder / "city.yaml")
    return caught.value.problems


def test_on_and_off_are_words(folder: Path) -> None:
    city = load_city(folder / "city.yaml")
    assert [code.key for code in city.catalogue["valve"].codes] == ["off", "on"]


def test_numbers_are_decimal(folder: Path) -> None:
    (folder / "more.yaml").write_text(
        MORE.replace("value: 1,", "value: 08,"), encoding="utf-8"
    )
    city = load_city(folder / "city.yaml")
    assert [code.value for code in city.catalogue["valve"].codes] == [0, 8]


def test_a_complaint_names_file_and_line(folder: Path) -> None:
    (folder / "more.yaml").write_text(
        MORE.replace("unit: ", "units: "), encoding="utf-8"
    )
    assert complaints(folder) == [
        "more.yaml:3: valve: unit: is missing",
        "more.yaml:3: valve: units: is not a field here; did you mean 'unit'?",
    ]


def test_a_code_is_found_on_its_own_line(folder: Path) -> None:
    (folder / "more.yaml").write_text(
        MORE.replace("value: 1", "value: one"), encoding="utf-8"
    )
    assert (
        "more.yaml:9: valve: code: value: needs a whole number, is 'one'"
        in complaints(folder)
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [", "more.yaml"),
        ("- a", "more.yaml: needs a mapping"),
        ("", "more.yaml: needs a mapping"),
        ("things: {}\nthings: {}", "things: there twice"),
        (
            "things: !!python/object/apply:os.system [true]",
            "could not determine a constructor",
        ),
        ("include: [x.yaml]", "only the root file includes"),
        ("things: {a: &a {b: *a}}", "recursive"),
        ("things: {a: {kind: 1e999}}", "1e999 is too large"),
        (r'things: {a: {kind: "\0"}}', "a control character"),
        ("things: " + "[" * 5_000 + "]" * 5_000, "more.yaml: "),
    ],
)
def test_a_file_that_cannot_be_used(folder: Path, text: str, complaint: str) -> None:
    (folder / "more.yaml").write_text(text, encoding="utf-8")
    assert complaint in "\n".join(complaints(folder))


def test_a_file_that_is_not_there(folder: Path) -> None:
    (folder / "more.yaml").unlink()
    assert "No such file" in complaints(folder)[0]


def test_bytes_that_are_not_utf_8(folder: Path) -> None:
    (folder / "more.yaml").write_bytes(b"things: {\xff}")
    assert complaints(folder)[0].startswith("more.yaml: ")


def test_broken_geojson(folder: Path) -> None:
    (folder / "districts.geojson").write_text("{", encoding="utf-8")
    assert complaints(folder)[0].startswith("districts.geojson: ")


def test_a_time_zone_that_does_not_exist(folder: Path) -> None:
    (folder / "city.yaml").write_text(
        ROOT.replace("Asia/Almaty", "Asia/Alatau"), encoding="utf-8"
    )
    assert complaints(folder) == [
        "city: time_zone: 'Asia/Alatau' is not an IANA time zone"
    ]


def test_warnings_come_with_the_city(folder: Path) -> None:
    assert read_city_folder(folder / "city.yaml").warnings == ()
