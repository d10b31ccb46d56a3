"""Objects that Cloud Storage keeps from being replaced or removed, and how it says so.

After https://cloud.google.com/storage/docs/bucket-lock and https://cloud.google.com/storage/docs/object-holds. Refusals
by a retention policy have a reason of their own; those by a hold were seen to have that of a missing right.
"""

import json
from dataclasses import dataclass
from typing import Any

from answers import Answer

UNTIL = "2031-01-31T00:00:00.000Z"


@dataclass(frozen=True)
class Keeping:
    """What keeps which objects.

    Attributes:
        prefix: of their names.
        by_hold: whether it is a hold, else a retention policy.
        is_secret: whether the settings of the bucket may not be read.
    """

    prefix: str
    by_hold: bool = False
    is_secret: bool = False

    def keeps(self, name: str) -> bool:
        """Returns whether an object is kept."""
        return name.startswith(self.prefix)

    def refusal(self, name: str) -> Answer:
        """Returns the answer to who would replace or remove an object."""
        if self.by_hold:
            message = "is under active Event-Based hold and cannot be deleted, overwritten or archived"
            return _forbidden("forbidden", f"Object '{name}' {message}")
        message = f"is subject to bucket's retention policy and cannot be deleted or overwritten until {UNTIL}"
        return _forbidden("retentionPolicyNotMet", f"Object '{name}' {message}")

    def object(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Returns the metadata of an object with what keeps it."""
        if not self.keeps(str(resource["name"])):
            return resource
        return {**resource, **({"eventBasedHold": True} if self.by_hold else {"retentionExpirationTime": UNTIL})}

    def bucket(self, resource: dict[str, Any]) -> Answer:
        """Returns the answer to who reads the settings of the bucket."""
        if self.is_secret:
            return _forbidden("forbidden", "caller does not have storage.buckets.get access")
        told = {"defaultEventBasedHold": True} if self.by_hold else {"retentionPolicy": {"retentionPeriod": "31536000"}}
        return Answer(200, json.dumps({**resource, **told}).encode(), {"Content-Type": "application/json"})


def _forbidden(reason: str, message: str) -> Answer:
    error = {"code": 403, "message": message, "errors": [{"domain": "global", "reason": reason, "message": message}]}
    return Answer(403, json.dumps({"error": error}).encode(), {"Content-Type": "application/json"})
