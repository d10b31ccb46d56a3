"""What goes back to a client."""

import json
from dataclasses import dataclass, field


@dataclass
class Answer:
    """What goes back to the client."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def error(cls, status: int) -> "Answer":
        """One as Cloud Storage words it."""
        body = json.dumps({"error": {"code": status, "message": f"injected or refused: {status}"}}).encode()
        return cls(status, body, {"Content-Type": "application/json"})
