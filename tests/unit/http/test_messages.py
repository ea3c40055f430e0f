"""No message of the validation libraries reaches a person in English."""

from __future__ import annotations

import inspect
import re

import marshmallow as ma
import pytest
from marshmallow import fields, validate

from app.http.messages import by_field, spanish

ENGLISH = re.compile(
    r"\b(must|not|valid|missing|field|length|than|between|invalid|unknown|value|number)\b", re.IGNORECASE
)
# Wording of a choice that cannot be made through the API: fields that only serialise.
FIELDS = [each for _, each in inspect.getmembers(fields, inspect.isclass) if issubclass(each, fields.Field)]


def _defaults() -> set[str]:
    messages: set[str] = set()
    for kind in FIELDS:
        for base in kind.__mro__:
            messages |= {text for text in getattr(base, "default_error_messages", {}).values() if isinstance(text, str)}
    return messages


@pytest.mark.parametrize("message", sorted(_defaults()))
def test_field_message_has_its_spanish(message: str) -> None:
    filled = message.format(input="x", obj_type="datetime", awareness="aware", choices="a, b")

    assert spanish(filled) != filled, filled
    assert not ENGLISH.search(spanish(filled))


@pytest.mark.parametrize(
    ("validator", "value"),
    [
        (validate.Length(min=2), "a"),
        (validate.Length(max=2), "abc"),
        (validate.Length(min=2, max=3), "a"),
        (validate.Length(equal=2), "a"),
        (validate.Range(min=1), 0),
        (validate.Range(max=1), 2),
        (validate.Range(min=1, max=2), 3),
        (validate.Range(min=1, min_inclusive=False), 1),
        (validate.Range(max=1, max_inclusive=False), 1),
        (validate.Equal(1), 2),
        (validate.Regexp("a"), "b"),
        (validate.OneOf(["a", "b"]), "c"),
        (validate.NoneOf(["a"]), "a"),
        (validate.ContainsOnly(["a"]), ["b"]),
        (validate.ContainsNoneOf(["a"]), ["a"]),
        (validate.Email(), "x"),
        (validate.URL(), "x"),
        (validate.Predicate("isdigit"), "x"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, validate.Validator) else "",
)
def test_validator_message_has_its_spanish(validator: validate.Validator, value: object) -> None:
    with pytest.raises(ma.ValidationError) as refusal:
        validator(value)

    message = str(refusal.value.messages[0])
    assert not ENGLISH.search(spanish(message)), message


def test_own_sentence_is_left_as_it_is() -> None:
    assert spanish("Escribir el motivo.") == "Escribir el motivo."


def test_nested_messages_become_paths_without_their_place() -> None:
    nested = {
        "json": {"reads": {3: {"plate": ["Missing data for required field."]}}, "_schema": ["Invalid input type."]}
    }

    assert by_field(nested) == {"reads.3.plate": ["Falta este dato."], "cuerpo": ["El valor no es válido."]}
