"""`interlock deadletters`, as an operator uses it."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cli.command import Ended, Shell
from tests.letters.conftest import Post
from workers.cli import asking
from workers.now import now
from workers.settings import Settings

Word = Callable[..., Ended]


@pytest.fixture
def word(settings: Settings, tmp_path: Path) -> Word:
    """Runs `interlock deadletters` with these arguments."""
    shell = Shell(
        tmp_path,
        database_url=settings.database_url,
        redis_url=settings.redis_url,
        namespace=settings.namespace,
    )

    def run(*args: object, answer: str | None = None) -> Ended:
        return shell.run("deadletters", *map(str, args), given=answer)

    return run


def listed(word: Word, *args: object) -> list[str]:
    """The reasons of those that are listed."""
    return [json.loads(line)["reason"] for line in word("list", "--json", *args).out.splitlines()]


def test_the_list_says_why_and_of_what_newest_first(post: Post, poison: set[str], word: Word) -> None:
    bad = post.bury()
    post.workshop.handle_bodies(b"no json")
    ended = word("list")
    assert (ended.status, ended.err) == (0, "")
    heading, *lines = ended.out.splitlines()
    assert heading.split() == ["id", "age", "type", "source", "attempts", "size", "reason"]
    assert ["Fault: poison" in line for line in lines] == [False, True]
    assert "flow.upsert" in lines[1]
    assert str(post.letters()[0].id) in lines[1]
    newest, oldest = (json.loads(line) for line in word("list", "--json").out.splitlines())
    assert (oldest["command_id"], oldest["attempts"], oldest["source"]) == (bad["id"], 3, "tests")
    assert (newest["command_id"], newest["type"], newest["size"]) == (None, None, 7)


def test_the_list_can_be_narrowed(post: Post, poison: set[str], word: Word) -> None:
    post.bury(source="billing")
    post.bury()
    post.workshop.handle_bodies(b"no json")
    fault = "Poisoned: flow.upsert"
    assert len(listed(word)) == 3
    assert [each.startswith(fault) for each in listed(word, "--reason", "POISON")] == [True, True]
    assert len(listed(word, "--source", "billing")) == 1
    assert len(listed(word, "--type", "flow.upsert", "--source", "tests")) == 1
    assert listed(word, "--type", "flow_run.create") == []
    assert len(listed(word, "--since", "1h")) == 3
    assert listed(word, "--until", "1h") == []
    assert len(listed(word, "--limit", 2)) == 2


def test_where_there_are_none_it_says_so(word: Word) -> None:
    ended = word("list")
    assert (ended.status, ended.out) == (0, "There are no dead letters, or none like these.\n")
    assert word("list", "--json").out == ""


def test_a_time_that_is_none_is_wrong_usage(word: Word) -> None:
    ended = word("list", "--since", "yesterday-ish")
    assert ended.status == 2
    assert "--since: 'yesterday-ish' is no time" in ended.err


def test_a_letter_is_shown_with_its_envelope(post: Post, poison: set[str], word: Word) -> None:
    bad = post.bury(partitionkey="k", sequence="1")
    [letter] = post.letters()
    ended = word("show", str(letter.id)[:13])
    assert ended.status == 0
    assert str(letter.id) in ended.out
    assert "Fault: poison" in ended.out
    assert "number 1 of 'k'" in ended.out
    assert json.loads(ended.out[ended.out.index("{") :]) == bad
    found = json.loads(word("show", letter.id, "--json").out)
    assert found["body"] == bad
    assert base64.b64decode(found["body_base64"]) == letter.body


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", "(nothing: no byte)"),
        (b"no json\x1b[2J", "no json\\x1b[2J"),
        (b"\xff\x00\xfeabc", "00000000  ff 00 fe 61 62 63                                "),
        (b'{"args": [7]}', '{\n  "args": [\n    7\n  ]\n}'),
    ],
)
def test_bytes_of_any_kind_can_be_looked_at(post: Post, word: Word, body: bytes, shown: str) -> None:
    post.workshop.handle_bodies(body)
    [letter] = post.letters()
    ended = word("show", letter.id)
    assert shown in ended.out
    assert "\x1b" not in ended.out
    found = json.loads(word("show", letter.id, "--json").out)
    assert base64.b64decode(found["body_base64"]) == body


def test_the_bytes_can_be_had_as_they_came(post: Post, word: Word, tmp_path: Path) -> None:
    body = bytes(range(256))
    post.workshop.handle_bodies(body)
    [letter] = post.letters()
    assert word("show", letter.id, "--raw", "letter.bin").status == 0
    assert (tmp_path / "letter.bin").read_bytes() == body
    assert word("show", letter.id, "--raw", "no/such/folder").status == 1


def test_a_beginning_has_to_say_which(post: Post, word: Word) -> None:
    post.workshop.handle_bodies(b"no json", b"none either")
    one, other = (str(letter.id) for letter in post.letters())
    same = next(length for length in range(36) if one[length] != other[length])
    ended = word("show", one[:same])
    assert ended.status == 1
    assert one in ended.err
    assert other in ended.err
    assert word("show", one[: same + 1]).status == 0
    for nobody in (uuid4(), "zebra", "0", "-"):
        assert word("show", "--", nobody).status == 1


def test_letters_are_replayed_by_id_or_all_that_are_like_this(
    post: Post, poison: set[str], word: Word
) -> None:
    post.bury()
    post.bury(source="billing")
    post.workshop.handle_bodies(b"no json")
    first, *_ = post.letters()
    ended = word("replay", first.id, "--yes")
    assert ended.status == 0
    assert ended.out.startswith(f"replayed {first.id} (flow.upsert from tests): Fault: poison")
    assert ended.err == ""
    ended = word("replay", "--all", "--source", "billing", "--yes")
    assert ended.out.count("replayed") == 1
    assert len(post.letters()) == 1
    ended = word("replay", "--all", "--yes")
    assert ended.status == 0
    assert "No clock is active" in ended.err
    assert post.letters() == []
    post.tick()
    assert (len(post.queued()), post.workshop.count("attempt")) == (1, 2)


def test_what_cannot_be_replayed_is_named_with_the_reason(post: Post, poison: set[str], word: Word) -> None:
    post.bury(partitionkey="k", sequence="1")
    post.bury()
    [ordered, _] = post.letters()
    ended = word("replay", "--all", "--yes")
    assert ended.status == 1
    assert ended.out.count("replayed") == 1
    assert f"not replayed: {ordered.id}" in ended.err
    assert "its turn has passed; --out-of-turn applies it all the same" in ended.err
    assert word("replay", "--all", "--yes", "--out-of-turn").status == 0


@pytest.mark.parametrize("verb", ["replay", "discard"])
def test_it_asks_first_and_no_changes_nothing(
    post: Post, poison: set[str], word: Word, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    post.bury()
    ended = word(verb, "--all")
    assert (ended.status, len(post.letters())) == (2, 1)
    assert "--yes" in ended.err
    monkeypatch.setattr(asking, "can_ask", lambda: True)
    ended = word(verb, "--all", answer="n\n")
    assert (ended.status, len(post.letters())) == (1, 1)
    assert "1 dead letter" in ended.err
    assert "Fault: poison" in ended.err
    assert word(verb, "--all", answer="y\n").status == 0
    assert post.letters() == []


@pytest.mark.parametrize("verb", ["replay", "discard"])
@pytest.mark.parametrize("args", [(), ("--reason", "x"), ("0198", "--all"), ("0198", "--type", "x")])
def test_it_wants_to_know_which(post: Post, word: Word, verb: str, args: tuple[str, ...]) -> None:
    assert word(verb, *args, "--yes").status == 2


def test_discarded_letters_are_gone_for_good_and_counted(post: Post, word: Word) -> None:
    post.workshop.handle_bodies(*[f"no json {number}".encode() for number in range(3)])
    first, *_ = post.letters()
    assert word("discard", first.id, "--yes").out == "discarded 1 dead letter\n"
    assert word("discard", "--all", "--until", "1h", "--yes").status == 1
    assert word("discard", "--all", "--yes").out == "discarded 2 dead letters\n"
    assert post.workshop.count("dead_letter") == 0
    assert word("discard", "--all", "--yes").status == 1


def test_what_is_on_its_way_back_cannot_be_discarded(post: Post, word: Word) -> None:
    post.workshop.handle_bodies(b"no json")
    [letter] = post.letters()
    word("replay", letter.id, "--yes")
    assert word("discard", letter.id, "--yes").out == "discarded 0 dead letters\n"
    post.tick()
    assert post.queued() == [b"no json"]


def test_a_database_that_is_away_is_named_and_ends_with_3(word: Word, settings: Settings) -> None:
    away = "postgresql://somebody:secret@127.0.0.1:1/interlock"
    shell = Shell(Path.cwd(), database_url=away)
    for args in (
        ("list",),
        ("show", "0198aaaa"),
        ("replay", "--all", "--yes"),
        ("discard", "--all", "--yes"),
    ):
        ended = shell.run("deadletters", *args)
        assert ended.status == 3
        assert "the database at 127.0.0.1:1/interlock cannot be reached" in ended.err
        assert "secret" not in ended.err
    replica = Shell(Path.cwd(), database_url=settings.database_url, read_database_url=away)
    ended = replica.run("deadletters", "list")
    assert ended.status == 3
    assert "the replica at 127.0.0.1:1/interlock cannot be reached" in ended.err


def test_an_expired_command_shows_as_it_came(post: Post, poison: set[str], word: Word) -> None:
    moment = (now() + timedelta(hours=1)).isoformat()
    bad = post.bury(expirytime=moment, correlationid="c")
    [letter] = post.letters()
    assert json.loads(word("show", letter.id, "--json").out)["body"] == bad
