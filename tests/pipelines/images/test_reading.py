from pipelines.images.reading import AS_IT_IS, Reading
from pipelines.images.sizes import MAX_PIXELS


def test_nothing_is_chosen_unless_the_user_does():
    assert Reading() == AS_IT_IS
    assert (AS_IT_IS.pages, AS_IT_IS.truncated, AS_IT_IS.most_pixels) == ("auto", "reject", MAX_PIXELS)
