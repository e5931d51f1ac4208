"""Whether the system says itself that something is the matter."""

from workers.doctor.examine import examine
from workers.doctor.finding import Finding
from workers.settings import Settings


def alarms(settings: Settings) -> list[Finding]:
    """What the doctor finds bad now."""
    return [each for each in examine(settings) if each.level == "fail" or each.is_away]
