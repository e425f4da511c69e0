"""What the console's map is drawn from: the topology in one list, and a registry that is not sent twice."""

import pytest

from services.api.auth.permissions import Role
from tests.integration.api.city_api import CityApi, city_api
from tests.integration.api.seed import SECRET

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

FED = {"kind": "feeds", "source": f"pump-{SECRET}", "target": f"tank-{SECRET}"}
CONTAINED = {"kind": "contains", "source": "substation", "target": "feeder"}
REGISTRY = (
    "/api/v1/things",
    "/api/v1/relations",
    "/api/v1/districts",
    "/api/v1/observed-properties",
)


async def relations(api: CityApi, *kinds: str) -> list[dict[str, str]]:
    query = {"kind": list(kinds)} if kinds else {}
    page = await api.read("/api/v1/relations", await api.session(), **query)
    items: list[dict[str, str]] = page["items"]
    return items


async def test_the_topology_comes_in_one_list(api: CityApi) -> None:
    everything = await relations(api)
    assert FED in everything
    assert CONTAINED in everything
    assert {line["kind"] for line in await relations(api, "feeds")} == {"feeds"}
    assert await relations(api, "feeds", "contains") == everything


async def test_both_ends_must_be_in_scope(api: CityApi) -> None:
    for domains, districts in ((["water"], None), (None, ["golden"])):
        user = await api.session(Role.VIEWER, domains, districts)
        assert (await api.read("/api/v1/relations", user))["items"] == [FED]
    nowhere = await api.session(Role.VIEWER, domains=[])
    assert (await api.read("/api/v1/relations", nowhere))["items"] == []
    assert (await api.get("/api/v1/relations")).status_code == 401


async def test_a_line_across_the_edge_of_a_scope_is_not_shown(
    own_api: CityApi,
) -> None:
    await own_api.database.execute(
        """
        INSERT INTO thing_relations (kind, source_thing_id, target_thing_id, revision)
        SELECT 'feeds', s.thing_id, t.thing_id, 1 FROM things s, things t WHERE s.key = 'substation' AND t.key = $1
        """,
        f"pump-{SECRET}",
    )
    for domain in ("water", "power"):
        user = await own_api.session(Role.VIEWER, domains=[domain])
        seen = (await own_api.read("/api/v1/relations", user))["items"]
        assert all({FED["source"], "substation"} != set(_ends(line)) for line in seen)
    assert len(await relations(own_api, "feeds")) == 2


def _ends(line: dict[str, str]) -> tuple[str, str]:
    return line["source"], line["target"]


async def test_retired_lines_and_ends_are_not_shown(own_api: CityApi) -> None:
    await own_api.database.execute(
        "UPDATE things SET retired_at = now() WHERE key = 'feeder'"
    )
    assert await relations(own_api) == [FED]
    await own_api.database.execute("UPDATE thing_relations SET retired_at = now()")
    assert await relations(own_api) == []


async def test_relations_page_without_gaps_or_repeats(own_api: CityApi) -> None:
    """Also where two kinds join the same two things."""
    await own_api.database.execute(
        """
        INSERT INTO thing_relations (kind, source_thing_id, target_thing_id, revision)
        SELECT line, s.thing_id, t.thing_id, 1 FROM things s, things t, unnest('{contains,feeds}'::text[]) line
        WHERE s.thing_id <> t.thing_id ON CONFLICT DO NOTHING
        """
    )
    user = await own_api.session()
    pages = await own_api.pages("/api/v1/relations", user, limit=7)
    found = [tuple(line.values()) for page in pages for line in page["items"]]
    assert len(found) == len(set(found)) == 6 * 5 * 2
    assert [tuple(line.values()) for line in await relations(own_api)] == found


async def test_a_cursor_that_no_relation_has_is_refused(api: CityApi) -> None:
    user = await api.session()
    things = await api.read("/api/v1/things", user, limit=1)
    answer = await api.get("/api/v1/relations", user, cursor=things["next"])
    assert answer.json()["type"] == "/problems/bad-cursor"


@pytest.mark.parametrize("path", REGISTRY)
async def test_an_unchanged_registry_is_not_sent_again(
    own_api: CityApi, path: str
) -> None:
    user = await own_api.session()
    first = await own_api.get(path, user)
    assert first.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in first.headers["vary"]
    mine = {**user, "If-None-Match": first.headers["etag"]}
    again = await own_api.get(path, mine)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    await own_api.database.execute("UPDATE registry_state SET revision = revision + 1")
    assert (await own_api.get(path, mine)).status_code == 200


@pytest.mark.parametrize("path", REGISTRY)
async def test_what_one_may_see_is_never_anothers_answer(
    api: CityApi, path: str
) -> None:
    everything = await api.get(path, await api.session())
    narrow = await api.session(Role.VIEWER, domains=["water"], districts=["golden"])
    asked = {**narrow, "If-None-Match": everything.headers["etag"]}
    assert (await api.get(path, asked)).status_code == 200
    nobody = {"If-None-Match": everything.headers["etag"]}
    assert (await api.get(path, nobody)).status_code == 401


async def test_without_a_city_the_problem_says_what_to_do(database_url: str) -> None:
    async with city_api(database_url) as api:
        user = await api.session()
        answer = await api.get("/api/v1/city", user)
        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/no-city"
        assert "alatau city apply" in answer.json()["detail"]
        for path in REGISTRY:
            assert (await api.read(path, user))["items"] == []
