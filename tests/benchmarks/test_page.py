"""What stands in docs/performance.md: each figure once, with its spread, in the table where it belongs."""

import json
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.page import tables
from benchmarks.survived import RESULTS, survived


def session(*figures: tuple[str, str, list[float]], **options: Any) -> dict[str, Any]:
    return {
        "measured": "2026-11-23T12:00:00Z",
        "machine": {"cores": 2, "python": "3.11.7"},
        "options": {"workers": 2, **options},
        "figures": [{"name": name, "unit": unit, "values": values} for name, unit, values in figures],
    }


def rows(*sessions: dict[str, Any]) -> list[list[str]]:
    lines = tables(sessions).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


def test_a_figure_with_a_goal_stands_beside_it_with_its_spread() -> None:
    (line,) = [
        row for row in rows(session(("bulk", "commands/s", [6_000, 8_400, 8_100]))) if row[0] == "bulk"
    ]

    assert line[1:5] == ["at least 8,000 commands/s", "8,100", "6,000 to 8,400", "yes"]


def test_a_share_has_no_spread_of_its_own() -> None:
    found = rows(session(("bulk", "commands/s", [6_000, 7_000]), ("floor", "commands/s", [10_000])))

    assert ["bulk / floor", "at least 0.7", "0.65", "", "no", "", ""] in found


def test_what_has_no_goal_stands_in_a_table_of_its_own() -> None:
    found = rows(
        session(
            ("hot: one run", "commands/s", [900.0, 1_000, 1_100]),
            ("single: commands per transaction", "", [180.0]),
            ("single: CPU of worker", "us/command", [150.0]),
            ("round trip of another run beside one run: p99", "ms", [20.0]),
            ("round trip of another run beside one run: max", "ms", [30.0]),
        )
    )

    assert ["hot: one run", "1,000", "900 to 1,100", "commands/s"] in found
    assert ["single: commands per transaction", "180", "", ""] in found
    assert ["worker", "150", ""] in found
    assert ["round trip of another run beside one run: p99", "20.0", "", "ms"] in found
    assert not any("max" in row[0] or ": CPU of" in row[0] for row in found)


def test_scaling_has_a_line_for_each_distance_that_was_measured() -> None:
    measured = [
        (f"20 ms away, batches of 10, {number}{what}", unit, [value])
        for number, rate in (
            ("1 process", 190.0),
            ("2 processes", 377.0),
            ("4 processes", 708.0),
            ("8 processes", 1246.0),
        )
        for what, unit, value in (("", "commands/s", rate), (": cores in use", "", 1.5))
    ]

    found = rows(session(*measured))

    line = ["20 ms away, batches of 10", "190 (1.50)", "377 (1.50)", "708 (1.50)", "1,246 (1.50)"]
    assert [row for row in found if "ms away" in row[0]] == [line]


def test_of_a_figure_in_several_files_the_last_counts() -> None:
    found = rows(
        session(("hot: one run", "commands/s", [1.0])), session(("hot: one run", "commands/s", [2.0]))
    )

    assert [row[1] for row in found if row[0] == "hot: one run"] == ["2.00"]


def test_it_says_where_it_was_measured() -> None:
    figure = ("bulk", "commands/s", [8_000.0])

    assert "on 2 cores, Python 3.11.7, worker processes: 2." in tables([session(figure, workers=2)])


def test_of_large_tables_only_what_has_a_goal_is_told() -> None:
    large = session(("graph of 100 task runs: p50", "ms", [6.8]), ("the newest runs: p50", "ms", [6.5]))
    large["options"] = {"runs": 10_000_000}
    usual = session(("hot: one run", "commands/s", [900.0]))

    text = tables([usual, large])

    assert "worker processes: 2." in text
    assert "graph of 100 task runs: p50 | at most 10.0 ms | 6.80" in text
    assert "hot: one run" in text
    assert "the newest runs" not in text


def result(row: str, longest: float, **injections: int) -> dict[str, Any]:
    recovery = {"p50": 0.1, "p99": longest, "max": longest}
    return {"row": row, "injections": injections, "lost": 1, "applied_twice": 2, "recovery_s": recovery}


def test_faults_are_counted_over_all_rows_and_recovery_with_default_settings(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text(json.dumps(result("1", 5.0, first=2, second=3)))
    (tmp_path / "1-defaults.json").write_text(json.dumps(result("1 defaults", 18.0, first=10)))

    found = {each.name: each.values for each in survived(tmp_path)}

    assert found == {
        "recovery after kill -9 of a worker: longest": (18.0,),
        "faults: injections": (15.0,),
        "faults: commands lost": (2.0,),
        "faults: commands applied twice": (4.0,),
    }


def test_what_the_faults_came_to_stands_among_the_goals() -> None:
    text = tables([session(("bulk", "commands/s", [8_000.0]))], [Figure("faults: commands lost", "", (0.0,))])

    assert "| faults: commands lost | at most 0 | 0 |  | yes |" in text


def test_the_matrix_has_left_its_results() -> None:
    found = {each.name: each.median for each in survived(RESULTS)}

    assert found["faults: injections"] >= 1_000
    assert found["faults: commands lost"] == found["faults: commands applied twice"] == 0
    assert found["recovery after kill -9 of a worker: longest"] <= 30
