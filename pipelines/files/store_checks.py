"""Check before work starts that a store answers, with the words of the user's mistake."""

from collections.abc import Callable

from pipelines.files.blobs import StoreError
from pipelines.files.patience import Attempts
from tfrecords.errors import UserError

_TRIED = 3


def check(
    name: str,
    ask: Callable[[], object],
    attempts: Attempts,
    *,
    address: str,
    missing: str,
    refusal: Callable[[str], str],
) -> None:
    """Send a request that any folder answers.

    Args:
        name: of the flag and what it was given, for messages.
        ask: sends the request.
        attempts: that repeat it.
        address: that the user gave; '' if the store has a known one. Nobody waits for an address that is wrong.
        missing: what to say if there is no such bucket.
        refusal: returns what to say if access is refused for a cause.

    Raises:
        UserError: the address does not answer, there is no such bucket, or access is refused.
        ConnectionError: the store does not answer.
        StoreError: it fails.
    """
    failures = 0

    def counted() -> object:
        nonlocal failures
        try:
            return ask()
        except ConnectionError as error:
            failures += 1
            if failures == _TRIED and address:
                told = f"{address} does not answer ({error})"
                raise UserError(f"{name}: {told}; correct the address") from error
            raise

    try:
        attempts.retry(counted)()
    except StoreError as error:
        if error.code == 404:
            raise UserError(f"{name}: {missing}") from error
        if error.code < 500:
            raise UserError(f"{name}: {refusal(str(error))}") from error
        raise
