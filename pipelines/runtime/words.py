"""Format durations and rates."""


def duration(seconds: float) -> str:
    """Return a duration in a suitable unit: ``45 s``, ``12 min``, ``5 h 20 min``, ``3 days``."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 10 and rest:
        return f"{hours} h {rest} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 72 else f"{hours / 24:,.0f} days"


def rate(per_second: float) -> str:
    """Return a rate in a suitable unit: ``3.2/s``, ``12/min``, ``5/h``."""
    for factor, unit in ((1, "s"), (60, "min")):
        if per_second * factor >= 1:
            return f"{per_second * factor:,.1f}/{unit}"
    return f"{per_second * 3600:.1f}/h"
