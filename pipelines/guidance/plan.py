"""The plan of a run: which guidance each photo gets, known from its name alone before work starts."""

import hashlib
import json
import pickle
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from model.guidance import reference
from model.guidance.guided import Choices
from model.guidance.ranges import METHODS, best_method
from pipelines.guidance.hint_files import HintFile
from pipelines.guidance.models import Model
from pipelines.guidance.palette_files import PaletteFile
from pipelines.guidance.reference_files import References
from pipelines.guidance.rules import Rule, Rules
from tfrecords.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Guidance:
    """What guides one photo.

    Attributes:
        hints: its hint file, or None.
        palette: its palette, or None.
        references: photos whose colours it gets, or None.
        saturation: the factor of its chroma, if a rule says so; else None.
        model: that makes it, if a rule says so; else None.
        skip: whether it is not colorized.
        rule: the glob of the rule that it meets, else ''.
        hint_reach: see `Plan`, also for the fields below.
        hint_method: how hints are spread.
        palette_strength: how far colours are moved to the palette.
    """

    hints: HintFile | None = None
    palette: PaletteFile | None = None
    references: References | None = None
    saturation: float | None = None
    model: Model | None = None
    skip: bool = False
    rule: str = ""
    hint_reach: float = METHODS["blend"]
    hint_method: str = "blend"
    palette_strength: float = 1.0

    def told(self) -> dict[str, Any]:
        """Return what the photo's record says about it; {} for nothing. Equal guidance gives equal colours."""
        said: dict[str, Any] = {}
        if self.hints is not None:
            how = {"method": self.hint_method, "reach": self.hint_reach}
            said["hints"] = {"file": self.hints.name, "sha256": self.hints.sha256, **how}
        if self.palette is not None:
            how = {"strength": self.palette_strength}
            said["palette"] = {"file": self.palette.name, "sha256": self.palette.sha256, **how}
        if self.references is not None:
            how = {"version": reference.VERSION}
            said["reference"] = {"file": self.references.name, "sha256": self.references.sha256, **how}
        if self.saturation is not None:
            said["saturation"] = self.saturation
        if self.skip:
            said["skip"] = True
        return said

    def choices(self, saturation: float) -> Choices:
        """Return how the photo's prediction is changed, at a saturation that a rule may replace."""
        return Choices(
            saturation=saturation if self.saturation is None else self.saturation,
            hint_reach=self.hint_reach,
            hint_method=self.hint_method,
            references=tuple(file.opened() for file in self.references.files) if self.references else (),
            palette=self.palette.colours if self.palette else (),
            palette_strength=self.palette_strength,
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The guidance of a run.

    Attributes:
        hints: hint files by the names of their photos.
        hints_path: the folder or file that they are from.
        hint_reach: how far hints reach, as a share of a photo's longer side; None for what suits the method.
        hint_method: how hints are spread, one of `ranges.METHODS`; '' for what suits the model.
        takes_hints: whether the model takes hints.
        palette: of all photos, or None.
        references: of all photos, or None.
        rules: which photos get something else, or None.
        palette_strength: how far colours are moved to a palette, from 0 to 1.
        on_bad_hint: ``reject`` a photo whose hint file is broken, or ``ignore`` the file.
    """

    hints: Mapping[str, HintFile] = field(default_factory=dict)
    hints_path: str = ""
    hint_reach: float | None = None
    hint_method: str = ""
    takes_hints: bool = False
    palette: PaletteFile | None = None
    references: References | None = None
    rules: Rules | None = None
    palette_strength: float = 1.0
    on_bad_hint: str = "reject"

    def of(self, name: str) -> Guidance:
        """Return the guidance of the photo with that name."""
        hints, palette, references = self.hints.get(name), self.palette, self.references
        rule = self.rules.of(name) if self.rules else None
        if rule is None:
            if hints is None and palette is None and references is None:
                return UNGUIDED
            rule = _NO_RULE
        return Guidance(
            hints=hints or rule.hints,
            palette=rule.palette or palette,
            references=rule.references or references,
            saturation=rule.saturation,
            model=rule.model,
            skip=rule.skip,
            rule=rule.match,
            palette_strength=self.palette_strength,
            **self._spread(rule.model),
        )

    def with_model(self, model: Model) -> "Plan":
        """Return the plan for a run with a model.

        Raises:
            UserError: it or another one takes no hints, and the plan has the network spread them.
        """
        for one in (model, *self.models):
            if self.hint_method == "network" and not one.takes_hints:
                raise UserError(f"model {one.path} takes no hints; use --hint_method blend, or leave it out")
        return replace(self, takes_hints=model.takes_hints)

    @property
    def models(self) -> list[Model]:
        """The models that rules choose."""
        return [rule.model for rule in self.rules.rules if rule.model] if self.rules else []

    def _spread(self, model: Model | None = None) -> dict[str, Any]:
        """Return how hints are spread, as fields of `Guidance`, with the model of a rule if there is one."""
        method = self.hint_method or best_method(takes_hints=model.takes_hints if model else self.takes_hints)
        reach = METHODS[method] if self.hint_reach is None else self.hint_reach
        return {"hint_method": method, "hint_reach": reach}

    @cached_property
    def told(self) -> dict[str, Any]:
        """What ``runs.json`` and ``report.json`` say about it; {} for nothing."""
        of_all = Guidance(palette=self.palette, references=self.references, palette_strength=self.palette_strength)
        said = of_all.told()
        if self.rules is not None:
            told = json.dumps([self._told_of(rule) for rule in self.rules.rules])
            digest = hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()
            said["rules"] = {"file": self.rules.name, "sha256": digest}
        if not self.hints:
            return said
        digests = json.dumps(sorted((photo, file.name, file.sha256) for photo, file in self.hints.items()))
        return said | {
            "hints": {
                "path": self.hints_path,
                "photos": len(self.hints),
                "sha256": hashlib.sha256(digests.encode(errors="surrogatepass")).hexdigest(),
                "method": self._spread()["hint_method"],
                "reach": self._spread()["hint_reach"],
            }
        }

    def _told_of(self, rule: Rule) -> list[Any]:
        """Return a rule with the digests of what it names: files may change while the rules stay."""
        about = Guidance(
            hints=rule.hints,
            palette=rule.palette,
            references=rule.references,
            saturation=rule.saturation,
            skip=rule.skip,
            palette_strength=self.palette_strength,
            **self._spread(rule.model),
        )
        return [rule.match, about.told(), *([rule.model.digest] if rule.model else [])]

    def __reduce__(self) -> tuple[Callable[[bytes], "Plan"], tuple[bytes]]:
        # A job carries it in several places, and Dataflow takes 10 MB for all.
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        values["hints"] = [(photo, vars(file)) for photo, file in self.hints.items()]
        return _unpacked, (zlib.compress(pickle.dumps(values)),)


def _unpacked(data: bytes) -> Plan:
    values = pickle.loads(zlib.decompress(data))
    return Plan(**{**values, "hints": {photo: HintFile(**file) for photo, file in values["hints"]}})


UNGUIDED = Guidance()
_NO_RULE = Rule(match="")
NONE = Plan()
"""The plan of a run without guidance."""
