"""How the console's files are served, from a folder that stands for a build; calls come in without a socket."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import httpx
import pytest
from starlette.types import ASGIApp, Message
from structlog.testing import capture_logs

from cosbatch.web.app import create_app
from cosbatch.web.calls import CallLimits
from cosbatch.web.console.routes import CONTENT_SECURITY_POLICY, GUARDS, NO_SUCH_FILE, NOT_BUILT, console_routes
from cosbatch.web.measures import CallMeasures

PAGE: Final = b"<!doctype html><title>cosbatch</title>" + b" " * 2000
SCRIPT: Final = b"console.log('ui');\n" * 400
IMAGE: Final = bytes(range(256)) * 8
FILES: Final[Mapping[str, bytes]] = {
    "index.html": PAGE,
    "favicon.svg": b"<svg/>",
    "assets/index-4f2a.js": SCRIPT,
    "assets/index-4f2a.css": b"body{}" * 400,
    "assets/small-1.js": b"1;",
    "assets/logo-1.png": IMAGE,
    "assets/odd-1.xyz": b"?",
}
BROWSER: Final = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-encoding": "gzip, deflate, br"}
SCRIPT_PATH: Final = "/ui/assets/index-4f2a.js"


@dataclass
class Rig:
    client: httpx.AsyncClient
    app: ASGIApp
    folder: Path
    measures: CallMeasures

    async def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers={"accept-encoding": "identity", **named})

    def labels(self) -> set[str]:
        """Of calls, as the metrics have them."""
        return {
            sample.labels["call"] for family in self.measures.collect() for sample in family.samples if sample.labels
        }


def build(folder: Path, files: Mapping[str, bytes] = FILES) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@asynccontextmanager
async def serving(folders: Sequence[Path]) -> AsyncIterator[Rig]:
    measures = CallMeasures()
    app = create_app(console_routes(folders), limits=CallLimits(), measures=measures)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service") as client:
        yield Rig(client, app, folders[0], measures)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with serving([build(tmp_path / "built")]) as made:
        yield made


# --- the page and its addresses


@pytest.mark.parametrize(
    "path", ["/ui/", "/ui/jobs", "/ui/jobs/create?from=1.2", "/ui/inventory/a.bucket/daily", "/ui/jobs/", "/ui/中文"]
)
async def test_every_address_of_the_console_is_the_page(rig: Rig, path: str) -> None:
    answer = await rig.get(path)
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


async def test_the_page_is_sent_once_while_it_stays_the_same(rig: Rig) -> None:
    first = await rig.get("/ui/jobs")
    tag = first.headers["etag"]
    for named in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = await rig.get("/ui/", if_none_match=named)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == "no-cache"
        assert "content-type" not in again.headers
    assert (await rig.get("/ui/", if_none_match='"other"')).status_code == 200


async def test_another_page_has_another_tag(rig: Rig, tmp_path: Path) -> None:
    async with serving([build(tmp_path / "next", {**FILES, "index.html": PAGE + b"2"})]) as upgraded:
        tag = (await rig.get("/ui/")).headers["etag"]
        assert (await upgraded.get("/ui/", if_none_match=tag)).status_code == 200


# --- files


async def test_files_named_by_their_hash_are_kept_for_ever(rig: Rig) -> None:
    answer = await rig.get(SCRIPT_PATH)
    assert (answer.status_code, answer.content) == (200, SCRIPT)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_files_beside_the_page_are_asked_for_again(rig: Rig) -> None:
    answer = await rig.get("/ui/favicon.svg")
    assert (answer.status_code, answer.content) == (200, b"<svg/>")
    assert answer.headers["cache-control"] == "no-cache"
    assert (await rig.get("/ui/favicon.svg", if_none_match=answer.headers["etag"])).status_code == 304


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        (SCRIPT_PATH, "text/javascript; charset=utf-8"),
        ("/ui/assets/index-4f2a.css", "text/css; charset=utf-8"),
        ("/ui/assets/logo-1.png", "image/png"),
        ("/ui/favicon.svg", "image/svg+xml"),
        ("/ui/index.html", "text/html; charset=utf-8"),
        ("/ui/assets/odd-1.xyz", "application/octet-stream"),
    ],
)
async def test_each_kind_of_file_is_called_by_its_type(rig: Rig, path: str, content_type: str) -> None:
    answer = await rig.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)


@pytest.mark.parametrize(
    "path",
    [
        "/ui/assets/index-0000.js",
        "/ui/assets/jobs",
        "/ui/assets/",
        "/ui/assets",
        "/ui/robots.txt",
        "/ui/index.php",
        "/ui/jobs/old.js",
    ],
)
async def test_a_file_that_is_none_is_never_the_page(rig: Rig, path: str) -> None:
    answer = await rig.get(path)
    assert (answer.status_code, answer.text) == (404, NO_SUCH_FILE)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/ui/assets/../../secret.txt",
        "/ui/../secret.txt",
        "/ui/..%2fsecret.txt",
        "/ui/assets/%2e%2e/%2e%2e/secret.txt",
        "/ui/assets//etc/hosts.txt",
        "/ui/assets/..\\..\\secret.txt",
        "/ui/assets/linked.txt",
        "/ui/assets/index-4f2a.js%00.txt",
    ],
)
async def test_nothing_outside_the_folder_is_reached(rig: Rig, path: str) -> None:
    (rig.folder.parent / "secret.txt").write_text("a secret")
    (rig.folder / "assets" / "linked.txt").symlink_to(rig.folder.parent / "secret.txt")
    status, content = await unresolved(rig.app, unquote(path))
    assert status == 404
    assert b"a secret" not in content


async def unresolved(app: ASGIApp, path: str) -> tuple[int, bytes]:
    """Status and body. A client resolves dots before it sends them; who attacks does not."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": b"", "query_string": b"", "headers": []}
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


async def test_a_path_is_read_as_it_was_sent(rig: Rig) -> None:
    assert await unresolved(rig.app, SCRIPT_PATH) == (200, SCRIPT)


# --- encodings and methods


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*", "GZIP", "deflate;q=0, gzip; q=1.0"])
async def test_who_takes_gzip_gets_it(rig: Rig, accepted: str) -> None:
    request = rig.client.build_request("GET", SCRIPT_PATH, headers={"accept-encoding": accepted})
    answer = await rig.client.send(request, stream=True)
    sent = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(sent) < len(SCRIPT)
    assert gzip.decompress(sent) == SCRIPT
    assert answer.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "gzip-not"])
async def test_who_does_not_take_gzip_gets_the_file(rig: Rig, accepted: str) -> None:
    answer = await rig.get(SCRIPT_PATH, accept_encoding=accepted)
    assert "content-encoding" not in answer.headers
    assert answer.content == SCRIPT
    assert answer.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize("name", ["logo-1.png", "small-1.js"])
async def test_what_gzip_would_not_make_smaller_is_sent_as_it_is(rig: Rig, name: str) -> None:
    answer = await rig.get(f"/ui/assets/{name}", accept_encoding="gzip")
    assert "content-encoding" not in answer.headers
    assert answer.content == FILES[f"assets/{name}"]


@pytest.mark.parametrize("path", ["/ui/", SCRIPT_PATH, "/ui/assets/logo-1.png"])
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
async def test_head_has_the_headers_alone(rig: Rig, path: str, accepted: str) -> None:
    whole = await rig.client.get(path, headers={"accept-encoding": accepted})
    head = await rig.client.head(path, headers={"accept-encoding": accepted})
    assert (head.status_code, head.content) == (200, b"")
    unlike = {"x-request-id"}
    assert {k: v for k, v in head.headers.items() if k not in unlike} == {
        k: v for k, v in whole.headers.items() if k not in unlike
    }


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/ui", "/ui/", "/ui/jobs", SCRIPT_PATH])
async def test_nothing_is_written_there(rig: Rig, method: str, path: str) -> None:
    answer = await rig.client.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "MethodNotAllowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


# --- what a browser may do with it


@pytest.mark.parametrize("path", ["/ui", "/ui/", "/ui/jobs", SCRIPT_PATH, "/ui/assets/gone-1.js"])
async def test_every_answer_keeps_the_browser_inside(rig: Rig, path: str) -> None:
    answer = await rig.get(path)
    assert {name: answer.headers[name] for name in GUARDS} == GUARDS
    assert answer.headers["x-request-id"]


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    rules = {name: sources for name, *sources in (rule.split() for rule in CONTENT_SECURITY_POLICY.split("; "))}
    allowed = {source for sources in rules.values() for source in sources}
    assert allowed == {"'none'", "'self'", "data:"}
    assert rules["img-src"] == ["'self'", "data:"]
    for name in ("default-src", "base-uri", "frame-ancestors"):
        assert rules[name] == ["'none'"]
    for name in ("script-src", "style-src", "connect-src", "form-action"):
        assert rules[name] == ["'self'"]


# --- the way there


@pytest.mark.parametrize("path", ["/", "/ui"])
@pytest.mark.parametrize(("query", "kept"), [("", ""), ("?lang=zh-CN", "?lang=zh-CN")])
async def test_people_are_shown_to_the_console(rig: Rig, path: str, query: str, kept: str) -> None:
    for method in ("GET", "HEAD"):
        answer = await rig.client.request(method, path + query, headers=BROWSER)
        assert (answer.status_code, answer.headers["location"]) == (307, f"/ui/{kept}")
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "query", "headers"),
    [
        ("GET", "", {"accept": "*/*"}),
        ("GET", "", {"accept": "application/json"}),
        ("GET", "", {**BROWSER, "authorization": "q-sign-algorithm=sha1&q-ak=AKID"}),
        ("GET", "?q-sign-algorithm=sha1&q-ak=AKID", BROWSER),
        ("GET", "?X-Amz-Signature=00", BROWSER),
        ("GET", "?sign=q-sign-algorithm%3Dsha1", BROWSER),
        ("POST", "", BROWSER),
        ("PUT", "", BROWSER),
        ("DELETE", "", BROWSER),
        ("OPTIONS", "", BROWSER),
    ],
)
async def test_clients_of_stores_find_what_they_found_without_a_console(
    rig: Rig, method: str, query: str, headers: Mapping[str, str]
) -> None:
    bare = create_app([], limits=CallLimits(), measures=CallMeasures())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=bare), base_url="http://service") as without:
        before = await without.request(method, f"/{query}", headers={**headers, "x-request-id": "one"})
    after = await rig.client.request(method, f"/{query}", headers={**headers, "x-request-id": "one"})
    assert before.status_code == 404
    assert (after.status_code, after.content, after.headers) == (before.status_code, before.content, before.headers)


# --- the frame


async def test_metrics_and_log_have_few_names_for_many_paths(rig: Rig) -> None:
    with capture_logs() as logs:
        for path in ("/ui/a", "/ui/b", "/ui/x.js", "/ui/assets/x.js", SCRIPT_PATH, "/ui", "/"):
            await rig.get(path)
    assert rig.labels() == {"console", "console-asset", "console-door"}
    assert len([line for line in logs if line["event"] == "call"]) == 7


# --- without a build, and where it is found


async def test_without_a_build_it_says_how_to_get_one(tmp_path: Path) -> None:
    async with serving([tmp_path / "none", tmp_path]) as bare:
        for path in ("/ui/", "/ui/jobs", SCRIPT_PATH):
            answer = await bare.get(path)
            assert (answer.status_code, answer.text) == (503, NOT_BUILT)
            assert answer.headers["cache-control"] == "no-store"
        assert NOT_BUILT.count("\n") == 1
        assert (await bare.client.get("/", headers=BROWSER)).headers["location"] == "/ui/"


async def test_a_build_is_found_by_the_next_call(tmp_path: Path) -> None:
    async with serving([tmp_path]) as later:
        assert (await later.get("/ui/")).status_code == 503
        build(tmp_path)
        assert (await later.get("/ui/")).content == PAGE


async def test_the_first_folder_that_has_the_page_is_served(tmp_path: Path) -> None:
    empty, packed, tree = tmp_path / "empty", build(tmp_path / "packed"), tmp_path / "tree"
    build(tree, {"index.html": b"old", "assets/old-1.js": b"old"})
    async with serving([empty, packed, tree]) as found:
        assert (await found.get("/ui/")).content == PAGE
        assert (await found.get("/ui/assets/old-1.js")).status_code == 404


async def test_files_are_read_once_for_all_calls(rig: Rig) -> None:
    answers = await asyncio.gather(*(rig.get("/ui/") for _ in range(20)))
    assert {answer.content for answer in answers} == {PAGE}
    for name in FILES:
        (rig.folder / name).unlink()
    assert (await rig.get(SCRIPT_PATH)).content == SCRIPT
