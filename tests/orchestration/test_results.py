"""The data of states."""

import pytest

from workers.orchestration.results import ResultArtifact, has_result_to_lose, split_result


def test_without_data_there_is_nothing_to_keep() -> None:
    assert split_result(None) == (None, None)


def test_the_names_of_the_artifact_are_taken_out_of_the_data() -> None:
    data = {"a": 1, "artifact_key": "k", "artifact_type": "t", "artifact_description": "d"}
    kept = ResultArtifact(key="k", type="t", description="d", data={"a": 1})
    assert split_result(data) == ({"a": 1}, kept)
    assert "artifact_key" in data


@pytest.mark.parametrize("value", ["", None, 7])
def test_what_names_nothing_is_taken_out_all_the_same(value: object) -> None:
    assert split_result({"a": 1, "artifact_key": value}) == ({"a": 1}, ResultArtifact(data={"a": 1}))


def test_unpersisted_data_are_echoed_but_not_kept() -> None:
    data = {"type": "unpersisted", "artifact_key": "k"}
    assert split_result(data) == (data, None)


@pytest.mark.parametrize("data", [0, "", [], {}, False, "text", [1]])
def test_data_of_any_other_kind_are_kept_as_they_are(data: object) -> None:
    assert split_result(data) == (data, ResultArtifact(data=data))


@pytest.mark.parametrize("data", [{"type": "reference"}, "text", [1], 7])
def test_data_of_any_kind_are_a_result_that_could_be_lost(data: object) -> None:
    assert has_result_to_lose(data)


@pytest.mark.parametrize("data", [None, {}, [], "", 0, {"type": "unpersisted"}])
def test_empty_and_unpersisted_data_are_no_result(data: object) -> None:
    assert not has_result_to_lose(data)
