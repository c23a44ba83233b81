"""Pictures and films are found by id alone, whatever the address says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiment_utils.dashboard.media import hex_id, media_of, media_url
from experiment_utils.dashboard.security import access_for
from tests.experiment_utils.dashboard.serving import app_for, ask, serving

FILM = bytes(range(256)) * 10


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("experiment") / "run"
    for name in ("videos/a.mp4", "videos/b c.gif", "pictures/values.png", "pictures/map.svg", "curve.png",
                 "exports/itr_5/replay.mp4", "exports/itr_5/other.mp4", "videos/notes.txt", "variant.json",
                 "itr_5/deep.png", "../outside.mp4"):  # fmt: skip
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(FILM)
    (directory / "videos/inside.mp4").symlink_to("a.mp4")
    (directory / "videos/outside.mp4").symlink_to("../../outside.mp4")
    (directory / "videos/secret.png").symlink_to("/etc/passwd")
    (directory / "videos/gone.png").symlink_to("nowhere.png")
    (directory / "videos/folder.mp4").mkdir()
    (directory / "exports/elsewhere").symlink_to(directory.parent)
    (directory.parent / "replay.mp4").write_bytes(FILM)
    return directory


@pytest.fixture(scope="module")
def port(run: Path) -> Iterator[int]:
    access = access_for()
    with serving(access, app_for(access, find_run={hex_id("run"): run}.get)) as port:
        yield port


def test_the_media_of_a_run_are_its_films_and_pictures_and_no_link_leads_out(run: Path):
    found = {media.name: media.kind for media in media_of(run)}
    assert found == {
        "curve.png": "picture",
        "exports/itr_5/replay.mp4": "video",
        "pictures/values.png": "picture",
        "videos/a.mp4": "video",
        "videos/b c.gif": "picture",
        "videos/inside.mp4": "video",
    }
    assert [media.name for media in media_of(run)] == sorted(found)


def test_a_run_that_has_nothing_to_show_has_no_media(tmp_path: Path):
    assert media_of(tmp_path) == media_of(tmp_path / "absent") == []


def test_each_is_served_as_what_it_is(run: Path, port: int):
    kinds = {media.name: ask(port, media_url(hex_id("run"), media)) for media in media_of(run)}
    assert {answer.body for answer in kinds.values()} == {FILM}
    assert kinds["videos/a.mp4"].headers["Content-Type"] == "video/mp4"
    assert kinds["videos/b c.gif"].headers["Content-Type"] == "image/gif"
    assert kinds["curve.png"].headers["Content-Type"] == "image/png"
    assert kinds["curve.png"].headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("asked", "part"), [("bytes=5-9", FILM[5:10]), ("bytes=-4", FILM[-4:]), ("bytes=2558-", FILM[2558:])]
)
def test_a_part_of_a_film_can_be_asked_for(port: int, asked: str, part: bytes):
    answer = ask(port, f"/media/{hex_id('run')}/{hex_id('videos/a.mp4')}", headers={"Range": asked})
    assert (answer.status, answer.body) == (206, part)
    assert answer.headers["Content-Range"].endswith(f"/{len(FILM)}")


def test_a_part_beyond_the_end_is_refused(port: int):
    answer = ask(port, f"/media/{hex_id('run')}/{hex_id('videos/a.mp4')}", headers={"Range": "bytes=9999-"})
    assert answer.status == 416


@pytest.mark.parametrize(
    "path",
    [
        "{run}/..%2f..%2foutside.mp4", "{run}/%2e%2e%2f%2e%2e%2foutside.mp4", "{run}/../../outside.mp4",
        "{run}/..%252f..%252foutside.mp4", "{run}/..%5c..%5coutside.mp4", "{run}/%2fetc%2fpasswd", "{run}//etc/passwd",
        "{run}/etc/passwd", "{run}/videos/a.mp4", "{run}/a.mp4", "{run}/{FILE}", "{run}/{file}%00", "{run}/{file}/",
        "{run}/{file}.mp4", "{run}/ {file}", "{run}/{outside}", "{run}/{secret}", "{run}/{variant}", "{run}/", "{run}",
        "..%2f{run}/{file}", "../{run}/{file}", "./{file}", "%2e/{file}", "{file}/{file}", "/{file}", "{RUN}/{file}",
        "{run}%00/{file}", "run/{file}", "{run}/0000000000000000", "", "{run}/%ff%fe", "{run}/{file}\u0661",
    ],
)  # fmt: skip
def test_anything_else_is_not_found(port: int, path: str):
    names = {"file": "videos/a.mp4", "outside": "videos/outside.mp4", "secret": "videos/secret.png"}
    ids = {name: hex_id(text) for name, text in (names | {"variant": "variant.json", "run": "run"}).items()}
    wanted = path.format(**ids, FILE=ids["file"].upper(), RUN=ids["run"].upper())
    answer = ask(port, "/media/" + wanted.replace(" ", "%20").replace("\u0661", "%D9%A1"))
    assert answer.status in (404, 308)
    if answer.status == 308:  # a doubled slash is made one first
        assert ask(port, answer.headers["Location"]).status == 404
