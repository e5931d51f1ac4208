"""`interlock notify`: forwards a stream of notifications to mail, Slack, webhooks and other services."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.failures import WRONG_USAGE, Complaint
from workers.cli.preparing import prepare

if TYPE_CHECKING:
    from workers.notify.targets import Target
    from workers.settings import Settings


def notify(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The stream: what policies call `notify`.")],
    *,
    to: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="An Apprise URL; can be given several times.")
    ] = None,
    to_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A file of Apprise URLs, one on a line; # begins a comment."),
    ] = None,
    group: Annotated[
        str, typer.Option(help="The consumer group. Those of one group share the work; each group gets all.")
    ] = "notify",
    title: Annotated[
        str | None,
        typer.Option(metavar="TEMPLATE", help="The title; `Flow run NAME is STATE` if not given."),
    ] = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="A new group begins with what the stream still holds.")
    ] = False,
    claim_after: Annotated[
        float, typer.Option(min=1.0, help="Seconds after which others take over from one that died.")
    ] = 60.0,
) -> None:
    """Forward notifications to Apprise URLs, at least once each, until SIGTERM. Several may run side by side.

    URLs with secrets in them are better kept in INTERLOCK_NOTIFY_URLS or a file: arguments can be seen by others.
    """
    settings = prepare()
    _check("the stream's NAME", name)
    _check("--group", group)
    if title is not None:
        _check("--title", title, is_template=True)
    urls = [*(to or []), *_in_file(to_file), *_in_settings(settings)]
    if not urls:
        raise Complaint("say where to: --to URL, --to-file FILE or INTERLOCK_NOTIFY_URLS", WRONG_USAGE)
    targets = _open(urls)
    from workers.notify.notice import DEFAULT_TITLE
    from workers.notify.process import Order, run

    order = Order(
        stream=name,
        group=group,
        title=DEFAULT_TITLE if title is None else title,
        start="beginning" if from_start else "new",
        claim_after_s=claim_after,
    )
    raise typer.Exit(run(settings, order, targets))


def _check(what: str, given: str, *, is_template: bool = False) -> None:
    from pydantic import TypeAdapter, ValidationError

    from messages.commands.notifications import MessageTemplate
    from messages.fields import StreamName

    kind: TypeAdapter[str] = TypeAdapter(MessageTemplate if is_template else StreamName)
    try:
        kind.validate_python(given)
    except ValidationError as invalid:
        fault = invalid.errors()[0]["msg"].removeprefix("Value error, ")
        raise Complaint(f"{what}: {fault[0].lower()}{fault[1:]}", WRONG_USAGE) from None


def _in_file(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Complaint(f"{path} cannot be read: {error}", WRONG_USAGE) from None
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def _in_settings(settings: "Settings") -> list[str]:
    # Blanks cannot stand in a URL, commas can.
    return settings.notify_urls.get_secret_value().split()


def _open(urls: list[str]) -> "list[Target]":
    from workers.notify.targets import INSTALL, BadTargets, NotInstalled, open_targets

    try:
        return open_targets(urls)
    except NotInstalled as missing:
        raise Complaint(
            f"notifications need Apprise, which is not installed ({missing}): {INSTALL}"
        ) from None
    except BadTargets as bad:
        raise Complaint("\n  ".join(["nothing is forwarded:", *bad.faults]), WRONG_USAGE) from None
