"""What a run has told its user, without what it tells only on a slow machine."""

import re

_PROGRESS = re.compile(r"autochrome: starting$|(preparing|colorizing): ")
_WAIT = re.compile(r"autochrome: (?P<subject>\S+) .*; trying for \d+ (seconds|minutes)$")


def lasting(stderr: str) -> list[str]:
    """The lines of standard error but for progress, and for waits of more than five seconds that ended well."""
    lines = [line for line in stderr.splitlines() if not _PROGRESS.match(line)]
    waits = {line: f"autochrome: {wait['subject']} works again" for line in lines if (wait := _WAIT.match(line))}
    ended = {wait: end for wait, end in waits.items() if end in lines}
    return [line for line in lines if line not in ended and line not in ended.values()]
