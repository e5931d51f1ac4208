"""Keys, rules and patterns, as an operator writes them."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.security.keys import KEYS, SECRETS
from workers.trust import Patterns, Rule, keys_of, patterns, rule_for, rules_of


def test_keys_are_read_by_their_ids() -> None:
    assert keys_of(KEYS) == SECRETS
    assert keys_of("") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "should be a JSON object"),
        ('{"a": "YQ==", "a": "Yg=="}', "names something twice"),
        ('{"a:b": "YQ=="}', "the key id 'a:b'"),
        ('{"a": ""}', "the secret of 'a' should be a text in base64"),
        ('{"a": 7}', "the secret of 'a' should be a text in base64"),
        ('{"a": "not base64!"}', "the secret of 'a' should be a text in base64"),
    ],
)
def test_keys_that_cannot_be_used_are_told_without_the_secret(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as told:
        keys_of(text)
    assert "not base64!" not in str(told.value)


def test_rules_are_read_by_the_key_that_they_are_for() -> None:
    rules = rules_of('{"a": {"sources": ["billing/*"]}, "*": {"types": ["flow_run.*", "batch"]}}')
    assert rule_for("a", rules) == Rule(sources=Patterns(("billing/*",)))
    assert rule_for("b", rules) == Rule(types=Patterns(("flow_run.*", "batch")))
    assert rule_for("b", {}) == Rule()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, 'should be an object with "sources", "types" or both'),
        ([], 'should be an object with "sources", "types" or both'),
        ({"source": ["x"]}, 'should be an object with "sources", "types" or both'),
        ({"sources": []}, "the sources of 'a' should be a list of one or more patterns"),
        ({"sources": "x"}, "the sources of 'a' should be a list of one or more patterns"),
        ({"types": ["a b"]}, "the types of 'a': 'a b' should hold"),
    ],
)
def test_rules_that_cannot_be_used_are_told(rule: object, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        rules_of(json.dumps({"a": rule}))


NAMES = st.text("ab.", max_size=8)


@given(st.text("ab.*", min_size=1, max_size=8), NAMES)
def test_a_star_stands_for_any_characters_and_all_else_for_itself(pattern: str, name: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None
    assert patterns([pattern]).allow(name) is expected


def test_no_pattern_takes_long() -> None:
    assert not patterns(["*a" * 100 + "*b"]).allow("a" * 10_000)
