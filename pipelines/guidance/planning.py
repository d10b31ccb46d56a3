"""Make the plan of a run from its flags: read what guides it, and check that against the input before work starts."""

import argparse
from collections.abc import Sequence
from itertools import islice

from model.guidance import ranges
from pipelines import notices
from pipelines.files import cloud, sources
from pipelines.files.list_parts import PLAIN, ListOptions
from pipelines.guidance import hint_files, palette_files, reference_files
from pipelines.guidance import rules as rules_
from pipelines.guidance.plan import Plan
from tfrecords.errors import UserError


def of(args: argparse.Namespace) -> Plan:
    """Return the plan that the flags of `pipelines.guidance.arguments` ask for. Raises what `planned` raises.

    A line names flags that change nothing.
    """
    plan = planned(
        hints=args.hints,
        hint_reach=args.hint_reach,
        hint_method=args.hint_method or "",
        palette=args.palette,
        palette_strength=args.palette_strength,
        reference=args.reference,
        rules=args.rules,
        on_bad_hint=args.on_bad_hint,
    )
    rules = plan.rules.rules if plan.rules else ()
    if not plan.hints and not any(rule.hints for rule in rules):
        idle = [("hint_reach", args.hint_reach is not None), ("hint_method", bool(args.hint_method))]
        _tell_idle(idle, "hints")
    if not plan.palette and not any(rule.palette for rule in rules):
        _tell_idle([("palette_strength", args.palette_strength != 1)], "a palette")
    return plan


def _tell_idle(flags: Sequence[tuple[str, bool]], needed: str) -> None:
    for flag, is_given in flags:
        if is_given:
            notices.tell(f"--{flag}", f"--{flag} has no effect without {needed}")


def planned(
    *,
    hints: str = "",
    hint_reach: float | None = None,
    hint_method: str = "",
    palette: str = "",
    palette_strength: float = 1.0,
    reference: str = "",
    rules: str = "",
    on_bad_hint: str = "reject",
) -> Plan:
    """Read what guides a run.

    Args:
        hints: folder of hint files, or a ``.csv`` or ``.jsonl`` file; local or gs://; '' for none.
        hint_reach: how far hints reach, as a share of a photo's longer side, from 0 to 1; None for the method's own.
        hint_method: how hints are spread: ``network``, ``blend`` or ``optimise``; '' for what suits the model.
        palette: file of a palette for all photos, local or gs://; '' for none.
        palette_strength: how far colours are moved to it, from 0 to 1.
        reference: photo in colour, or folder of up to 20, whose colours all photos get; '' for none.
        rules: file of `pipelines.guidance.rules`; '' for none.
        on_bad_hint: ``reject`` a photo whose hint file is broken, or ``ignore`` the file.

    Raises:
        UserError: a file is missing or broken, or a value is unknown or out of range.
        WorldError: the disk or the bucket fails.
    """
    for name, value in (("hint_reach", hint_reach), ("palette_strength", palette_strength)):
        if value is not None and not ranges.holds(name, value):
            raise UserError(f"{name} {value} is out of range; choose {ranges.told(name)}")
    for name, choice, known in (
        ("hint_method", hint_method, ("", *ranges.METHODS)),
        ("on_bad_hint", on_bad_hint, ("reject", "ignore")),
    ):
        if choice not in known:
            raise UserError(f"{name} {choice!r} is unknown; choose one of {', '.join(filter(None, known))}")
    named = {"hints": hints, "palette": palette, "reference": reference, "rules": rules}
    cloud.check({f"--{flag}": place for flag, place in named.items() if place})
    return Plan(
        hints=hint_files.find(hints) if hints else {},
        hints_path=hints,
        hint_reach=hint_reach,
        hint_method=hint_method,
        palette=palette_files.load(palette) if palette else None,
        palette_strength=palette_strength,
        references=reference_files.load(reference) if reference else None,
        rules=rules_.load(rules) if rules else None,
        on_bad_hint=on_bad_hint,
    )


def check_photos(plan: Plan, patterns: Sequence[str], lists: ListOptions = PLAIN) -> None:
    """Check that what is for some photos has them in the input. A line names rules that no photo meets.

    Raises:
        UserError: a hint has no photo.
    """
    if plan.hints:
        hint_files.check_photos(dict(plan.hints), patterns, lists)
    if plan.rules:
        photos = sources.everything(patterns, lists)
        unmet = plan.rules.unmet(photo.name for photo in islice(photos, hint_files.LISTED))
        if unmet and next(photos, None) is None:  # in a larger input they may be met later
            notices.tell(plan.rules.name, f"{plan.rules.name}: no photo of the input meets {', '.join(unmet)}")


def check_photo(plan: Plan, name: str) -> None:
    """Check that there are hints for the one photo that is made.

    Raises:
        UserError: there are none.
    """
    if plan.hints and name not in plan.hints:
        is_collection = any(file.data for file in plan.hints.values())
        fix = f"give it a line with the path {name}" if is_collection else f"name them {name}{hint_files.ENDINGS[0]}"
        raise UserError(f"--hints {plan.hints_path} has no hints for {name}; {fix}")
