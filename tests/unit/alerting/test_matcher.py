import pytest

from services.core.alerting.matcher import parse_matcher

LABELS = {"thing": "arna-feeder-03", "district": "gate"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ('thing="arna-feeder-03"', True),
        ('thing="arna"', False),
        ('district != "gate"', False),
        ('thing=~"arna-.*"', True),
        ('thing=~"arna"', False),  # the whole value
        ('thing!~"arna-.*|tp-.*"', False),
        ('device=""', True),  # absent counts as empty
        ('device!~".+"', True),
    ],
)
def test_matching(text: str, matches: bool) -> None:
    assert parse_matcher(text).matches(LABELS) is matches


@pytest.mark.parametrize(
    "text", ["thing", "thing=arna", "thing=='x'", 'thing=~"("', 'Thing="x"', ""]
)
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        parse_matcher(text)
