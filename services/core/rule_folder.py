"""Rule files on disk: YAML files, and folders of them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from services.core.alerting.rule_file import CheckedRule, Vocabulary, read_rules
from services.core.city_folder import parse_file
from services.core.errors import CityFileError, RuleError


def load_rules(
    paths: Sequence[Path], vocabulary: Vocabulary
) -> tuple[CheckedRule, ...]:
    """The rules of files and of folders of *.yaml files.

    Raises:
        RuleError: a file cannot be read, or a rule is wrong; it names every problem.
    """
    parsed, problems = [], []
    for path in _files(paths):
        try:
            parsed.append(parse_file(path))
        except CityFileError as error:
            problems += error.problems
    reading = read_rules(parsed, vocabulary)
    if problems or reading.problems:
        raise RuleError([*problems, *reading.problems])
    return reading.rules


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob("*.yaml"))
        else:
            yield path
