"""Whether an answer is like a document's example: the same fields, with values of the same types."""

import re
from typing import Any


def unlike(example: Any, answer: Any, where: str = "", *, exact: bool = False) -> list[str]:
    """What differs, named by where it is; nothing where the answer has what the example has.

    More fields than the example's are no difference, unless `exact`: then they are the same, in the same order.  Of
    arrays of lists and objects the first one is the example of all.  Texts of digits are compared as such.
    """
    if isinstance(example, dict) and isinstance(answer, dict):
        lacks = [f"{where}.{key} is missing" for key in example if key not in answer]
        if exact and not lacks and list(answer) != list(example):
            lacks.append(f"{where} has {list(answer)}, not {list(example)}")
        return lacks + [
            found
            for key, value in example.items()
            if key in answer
            for found in unlike(value, answer[key], f"{where}.{key}", exact=exact)
        ]
    if isinstance(example, list) and isinstance(answer, list):
        if not answer:
            return [f"{where} is empty"]
        if isinstance(example[0], dict | list):
            return [found for each in answer for found in unlike(example[0], each, f"{where}[]", exact=exact)]
        if len(example) != len(answer):
            return [f"{where} has {len(answer)} values, not {len(example)}"]
        pairs = zip(example, answer, strict=True)
        return [found for at, (one, other) in enumerate(pairs) for found in unlike(one, other, f"{where}[{at}]")]
    if type(example) is not type(answer):
        return [f"{where} is {answer!r}, a {type(answer).__name__}; the example is {example!r}"]
    if isinstance(example, str) and _shape(example) != _shape(answer):
        return [f"{where} is {answer!r}; the example is {example!r}"]
    return []


def _shape(text: str) -> str:
    """A text of digits without saying which and how many before the point; ours as they are otherwise."""
    if re.fullmatch(r"-?[\d.]+", text):
        return "a number"
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text):
        return "a time"
    return "a text"
