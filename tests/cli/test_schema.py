import json
from pathlib import Path

from messages.registry import INPUTS
from tests.cli.command import Shell


def test_the_document_is_asyncapi(tmp_path: Path) -> None:
    printed = Shell(tmp_path).run("schema")
    assert printed.status == 0
    assert json.loads(printed.out)["asyncapi"].startswith("3.")


def test_one_message_has_a_schema_of_its_own(tmp_path: Path) -> None:
    printed = Shell(tmp_path).run("schema", "--type", "flow_run.create.result")
    assert json.loads(printed.out)["title"] == "flow_run.create.result"


def test_all_schemas_can_be_written_into_a_folder(tmp_path: Path) -> None:
    assert Shell(tmp_path).run("schema", "--json-schema", "there").status == 0
    assert {f"{name}.json" for name in INPUTS} < {file.name for file in (tmp_path / "there").iterdir()}


def test_an_unknown_message_is_wrong_usage(tmp_path: Path) -> None:
    printed = Shell(tmp_path).run("schema", "--type", "flow_run.creat")
    assert (printed.status, printed.out) == (2, "")
    assert "did you mean 'flow_run.create'?" in printed.err


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("a file")
    printed = Shell(tmp_path).run("schema", "--json-schema", "there")
    assert printed.status == 2
    assert "there cannot be written to" in printed.err
