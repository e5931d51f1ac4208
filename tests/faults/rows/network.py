"""A worker in a network of its own is cut off: packets vanish, one way or both, or some of them; or come late."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.broker.proxy import Proxy
from tests.crashes.processes import Process
from tests.faults.row import Row, round_robin, without_root
from tests.faults.rows.redis import PROXIED
from tests.faults.stage import WAY, Plan, Stage, address_of, at

SILENCE_S = 4.0


class Namespace:
    """A network namespace with one cable to this one. Loopback and this cable are all that there is."""

    def __init__(self) -> None:
        number = os.getpid() % 250
        self.name = f"faults{number}"
        self.outside, self.inside = f"10.213.{number}.1", f"10.213.{number}.2"

    def __enter__(self) -> "Namespace":
        cable, end = f"fo{self.name[6:]}", f"fi{self.name[6:]}"
        for command in (
            f"ip netns add {self.name}",
            f"ip link add {cable} type veth peer name {end}",
            f"ip link set {end} netns {self.name}",
            f"ip addr add {self.outside}/24 dev {cable}",
            f"ip link set {cable} up",
            f"ip -n {self.name} addr add {self.inside}/24 dev {end}",
            f"ip -n {self.name} link set {end} up",
            f"ip -n {self.name} link set lo up",
        ):
            subprocess.run(command.split(), check=True)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["ip", "netns", "del", self.name], check=True)

    @property
    def prefix(self) -> tuple[str, ...]:
        """What runs a command in there."""
        return ("ip", "netns", "exec", self.name)

    @contextmanager
    def dropping(self, ports: list[int], ways: tuple[str, ...], share: float = 1.0) -> Iterator[None]:
        """Packets from and to these ports vanish."""
        rules = [
            [
                way,
                "-p",
                "tcp",
                f"--{'dport' if way == 'OUTPUT' else 'sport'}",
                str(port),
                *_at_random(share),
                "-j",
                "DROP",
            ]
            for port in ports
            for way in ways
        ]
        for rule in rules:
            self._iptables("-A", rule)
        try:
            yield
        finally:
            for rule in rules:
                self._iptables("-D", rule)

    def _iptables(self, what: str, rule: list[str]) -> None:
        subprocess.run([*self.prefix, "iptables", "-w", what, *rule], check=True)


def _at_random(share: float) -> list[str]:
    if share >= 1:
        return []
    return ["-m", "statistic", "--mode", "random", "--probability", str(share)]


def partitions(stage: Stage, number: int) -> None:
    """The worker in the other network has commands in hand when it is cut off."""
    urls = (stage.servers.postgres.url, stage.servers.redis.url)
    with Namespace() as namespace:
        database, redis = proxies = [Proxy(address_of(url), namespace.outside) for url in urls]
        settings = stage.settings.model_copy(
            update={"database_url": at(urls[0], database), "redis_url": at(urls[1], redis)}
        )
        worker = Process("worker", settings=settings, way=replace(WAY, prefix=namespace.prefix))
        stage.fleet.members.append(worker)
        worker.wait_until_ready()
        ports = {"PostgreSQL": [database.address[1]], "Redis": [redis.address[1]]}
        ports["both"] = ports["PostgreSQL"] + ports["Redis"]
        ways = {"": ("OUTPUT", "INPUT"), ", one way": ("OUTPUT",), ", the other way": ("INPUT",)}
        kinds = [(server, way, 1.0) for way in ways for server in ports]
        kinds += [("both", "", share) for share in (0.01, 0.05, 0.2)]
        for server, way, share in (kinds * number)[:number]:
            kind = f"no packets, {server}{way}" if share == 1 else f"{share:.0%} of the packets lost"
            with stage.fault(kind), namespace.dropping(ports[server], ways[way], share):
                time.sleep(SILENCE_S)
        stage.supervisor.let_go(worker)
        worker.kill()
    for proxy in proxies:
        proxy.close()


def late_and_silent(stage: Stage, number: int) -> None:
    """By a proxy, for where there are no network namespaces: answers come late, or nothing comes through."""
    assert stage.database_proxy is not None
    assert stage.redis_proxy is not None
    servers = {"PostgreSQL": [stage.database_proxy], "Redis": [stage.redis_proxy]}
    servers["both"] = [stage.database_proxy, stage.redis_proxy]
    kinds = (
        "silent PostgreSQL",
        "0.1-s-late both",
        "silent Redis",
        "0.25-s-late both",
        "silent both",
        "cut both",
    )
    for kind in round_robin(kinds, number):
        what, server = kind.split(" ")
        with stage.fault(kind):
            for proxy in servers[server]:
                _trouble(proxy, what)
            time.sleep(2.0)
            for proxy in servers[server]:
                proxy.delay_s = 0.0
                proxy.flow()
                proxy.restore()


def _trouble(proxy: Proxy, what: str) -> None:
    if what == "silent":
        proxy.swallow()
    elif what == "cut":
        proxy.cut()
    else:
        proxy.delay_s = 0.1 if "0.1" in what else 0.25


def no_namespaces() -> str | None:
    return without_root("ip", "iptables")


ROWS = (
    Row("12", "a worker cut off by dropped packets for 4 s: from PostgreSQL, Redis or both, both ways or one; "
        "1, 5 and 20 % loss",
        partitions, "network",
        Plan(recovers_within_s=60, answers_get_lost=True), many=36, few=1, hindrance=no_namespaces),
    Row("12 proxy", "answers late by 0.1 or 0.25 s, silence and cuts of 2 s, for all processes",
        late_and_silent, "proxied",
        PROXIED, few=2),
)  # fmt: skip
