import httpx2 as httpx

from tests.clock.scene import Scene


def test_figures_come_anew_as_server_sent_events(scene: Scene, served: str) -> None:
    events, text = 0, ""
    with httpx.stream("GET", f"{served}/events", timeout=30) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line == "event: figures":
                events += 1
                scene.flow_run({"type": "RUNNING"}, name=f"run-{events}")
            text += line
            if events >= 2 and "running <b>1</b>" in text:
                break
            assert events < 20


def test_the_server_ends_while_somebody_looks(served: str) -> None:
    with httpx.stream("GET", f"{served}/events", timeout=30) as stream:
        assert next(stream.iter_lines())
