import numpy as np

from model.compilation import compiled, helper


@helper
def twice(value: int) -> int:
    return 2 * value


@compiled("void(int64[::1])")
def double(values: np.ndarray) -> None:
    for index in range(len(values)):
        values[index] = twice(values[index])


def test_a_loop_is_compiled_at_its_first_call_and_works_in_place():
    values = np.arange(3)
    double(values)
    double(values)
    np.testing.assert_array_equal(values, [0, 4, 8])
