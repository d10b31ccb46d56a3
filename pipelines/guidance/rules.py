"""Rules of a collection: which photos get which guidance, in a file that people write.

    [[rule]]
    match = "box 1/**"             # of photos' names: * within a folder, ** across folders, ? one character
    palette = "box 1.gpl"          # relative to the file of rules, or a whole path
    reference = "street 1912.jpg"
    hints = "uniform.hints.json"   # one hint file for all of them
    saturation = 1.2
    model = "portraits"            # a SavedModel folder, or released_1
    skip = true                    # they are not colorized

Of the rules that a photo meets, the most specific one holds: that with the most characters besides wildcards, and of
equal ones the last. What it does not name is as the flags say.
"""

import functools
import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from model import saved_model
from model.guidance import ranges
from pipelines.files import faults, storage
from pipelines.guidance import hint_files, models, palette_files, reference_files
from pipelines.guidance.hint_files import HintFile
from pipelines.guidance.models import Model
from pipelines.guidance.palette_files import PaletteFile
from pipelines.guidance.reference_files import References
from tfrecords.errors import UserError

_KEYS: dict[str, type | tuple[type, ...]] = {
    "match": str,
    "palette": str,
    "reference": str,
    "hints": str,
    "saturation": (int, float),
    "model": str,
    "skip": bool,
}
_WILD = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the photos get whose names match.

    Attributes:
        match: the glob.
        palette: or None.
        references: or None.
        hints: one file for all of them, or None.
        saturation: or None.
        model: that makes them, or None.
        skip: whether they are not colorized.
    """

    match: str
    palette: PaletteFile | None = None
    references: References | None = None
    hints: HintFile | None = None
    saturation: float | None = None
    model: Model | None = None
    skip: bool = False

    @property
    def rank(self) -> int:
        """How specific it is: the number of characters that are not wildcards."""
        return len(re.sub(r"[*?]", "", self.match))

    def holds(self, name: str) -> bool:
        """Return whether a photo meets it."""
        return _pattern(self.match).fullmatch(name) is not None


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules of a file, in its order.

    Attributes:
        name: of the file.
        sha256: of the file.
        rules: all of them.
    """

    name: str
    sha256: str
    rules: tuple[Rule, ...]

    def of(self, name: str) -> Rule | None:
        """Return the rule that holds for a photo; None if it meets none."""
        met = [rule for rule in self.rules if rule.holds(name)]
        return max(reversed(met), key=lambda rule: rule.rank, default=None)

    def unmet(self, names: Iterable[str]) -> list[str]:
        """Return the number and the glob of each rule that no photo of an input meets.

        Args:
            names: of the photos, which are looked at until each rule is met.
        """
        rest = dict(enumerate(self.rules, start=1))
        for name in names:
            rest = {number: rule for number, rule in rest.items() if not rule.holds(name)}
            if not rest:
                break
        return [f"rule {number} ({rule.match})" for number, rule in rest.items()]


@functools.cache
def _pattern(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    return re.compile("".join(_WILD.get(part) or re.escape(part) for part in parts), re.DOTALL)


def load(path: str) -> Rules:
    """Read rules and all files that they name, local or gs://.

    Raises:
        UserError: there is no such file; it is broken, or has an unknown key; or a file that it names is broken.
        WorldError: the disk or the bucket fails.
    """
    try:
        data = storage.read(path)
    except storage.io_errors() as error:
        raise UserError(f"--rules {path} cannot be read: {faults.cause(error)}") from error
    try:
        content = tomllib.loads(_text(data))
        rules = content.pop("rule", [])
        if content:
            raise ValueError(f"{min(content)} is unknown; rules begin with [[rule]]")
        if not isinstance(rules, list) or not rules:
            raise ValueError("it has no rules; begin each with [[rule]]")
        folder = path.rpartition("/")[0]
        found = tuple(_rule(number, fields, folder) for number, fields in enumerate(rules, start=1))
    except ValueError as error:
        raise UserError(f"--rules {path}: {error}") from error
    except RecursionError as error:
        raise UserError(f"--rules {path}: it is nested too deep") from error
    return Rules(name=path.rpartition("/")[2], sha256=hashlib.sha256(data).hexdigest(), rules=found)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it is not text in UTF-8; save it as UTF-8") from error


def _rule(number: int, fields: Any, folder: str) -> Rule:
    if not isinstance(fields, dict):
        raise ValueError(f"rule {number} is not a table; begin each with [[rule]]")
    for key, value in fields.items():
        if key not in _KEYS:
            raise ValueError(f"rule {number}: {key} is unknown; a rule has {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]) or value == "" or (key == "saturation" and isinstance(value, bool)):
            raise ValueError(f"rule {number}: {key} cannot be {value!r}")
    if not fields.get("match"):
        raise ValueError(f"rule {number}: match is missing")
    saturation = fields.get("saturation")
    if saturation is not None and not ranges.holds("saturation", saturation):
        raise ValueError(f"rule {number}: saturation must be {ranges.told('saturation')}, not {saturation}")

    def named(key: str, load: Callable[[str], Any]) -> Any:
        path = fields.get(key)
        if not path:
            return None
        is_whole = path.startswith("/") or storage.is_remote(path) or not folder or path in saved_model.SHIPPED
        try:
            return load(path if is_whole else f"{folder}/{path}")
        except UserError as error:
            raise ValueError(f"rule {number}: {error}") from error

    return Rule(
        match=fields["match"],
        palette=named("palette", palette_files.load),
        references=named("reference", reference_files.load),
        hints=named("hints", hint_files.one),
        saturation=None if saturation is None else float(saturation),
        model=named("model", models.load),
        skip=fields.get("skip", False),
    )
