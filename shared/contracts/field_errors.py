"""The sentences for pydantic's errors: what is wrong with the value of a field, and what would be right."""

from collections.abc import Mapping
from typing import Any

WITHOUT_VALUE = frozenset(("missing", "string_too_long", "too_long", "json_invalid"))
"""Errors whose sentence needs no quoted value: there is none, or it is too long to quote."""


def what_is_wrong(error: Mapping[str, Any]) -> str:
    """The sentence for one of pydantic's errors; it follows the field's name and, mostly, the value."""
    value, context = error.get("input"), error.get("ctx") or {}
    match error["type"]:
        case "missing":
            return "is missing; add it"
        case "string_type" if value is None:
            return "is not text; write some, or leave the field out if it is optional"
        case "string_type":
            return "is not text; write it in quotes"
        case "string_unicode":
            return "holds half a character (U+D800 to U+DFFF); write the whole character"
        case "string_too_short" if context["min_length"] == 1:
            return "is empty; write at least one character"
        case "string_too_short":
            return f"is too short; write at least {context['min_length']} characters"
        case "string_too_long":
            return f"has {len(str(value))} characters; write at most {context['max_length']}"
        case "string_pattern_mismatch":
            return f"does not match the pattern {context['pattern']}"
        case "bool_type" | "bool_parsing":
            return "is neither true nor false; write one of them"
        case "int_type" | "int_parsing" | "int_from_float":
            return "is not a whole number; write one such as 1"
        case "int_parsing_size":
            return "has too many digits; write a smaller number"
        case "greater_than_equal":
            return f"is too small; write at least {context['ge']}"
        case "less_than_equal":
            return f"is too large; write at most {context['le']}"
        case "literal_error" | "enum":
            return f"is not one of {context['expected']}"
        case "tuple_type" | "list_type":
            return "is not a list; write it in brackets, [like, this]"
        case "too_long":
            return f"has {context['actual_length']} entries; write at most {context['max_length']}"
        case "too_short":
            return f"has {context['actual_length']} entries; write at least {context['min_length']}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "is not an object; write a JSON object or, in YAML, fields with values"
        case "json_invalid":
            return f"is not JSON: {context['error']}"
        case "extra_forbidden":
            return "is in an unknown field; leave the field out"
        case "value_error":
            return str(context["error"])
        case _:
            return f"is wrong: {error['msg'][:1].lower()}{error['msg'][1:]}"
