from device.tools.docstring import Docstring, taken_apart


def test_description_and_arguments_are_told_apart() -> None:
    text = """Ring the bell.

    Only by day.

    Args:
        times: how often,
            at most three times.
        loud (bool): whether it is heard outside.

    Returns:
        Nothing: really.
    """
    assert taken_apart(text) == Docstring(
        "Ring the bell. Only by day.",
        {"times": "how often, at most three times.", "loud": "whether it is heard outside."},
    )


def test_without_sections_everything_is_the_description() -> None:
    assert taken_apart("Note: it\n    rings.") == Docstring("Note: it rings.")
    assert taken_apart("") == Docstring("")


def test_an_empty_section_explains_nothing() -> None:
    assert taken_apart("Ring.\n\n    Args:\n\n    Raises:\n        ValueError: why.") == Docstring("Ring.")
