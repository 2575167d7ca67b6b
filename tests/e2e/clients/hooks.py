"""Makes the data that schemathesis generates follow the rules that the description states in words, not in JSON Schema."""

import schemathesis

MAX_QUANTITY, MAX_UNIT_PRICE, MAX_TOTAL = 10**6, 10**12, 2**53 - 1


def is_within(value, least, most):
    return type(value) is int and least <= value <= most


def is_line(line):
    return (
        isinstance(line, dict)
        and is_within(line.get("quantity"), 1, MAX_QUANTITY)
        and is_within(line.get("unit_price"), 0, MAX_UNIT_PRICE)
    )


def obey(value):
    # To a schema 1.0 is an integer.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [obey(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {name: obey(member) for name, member in value.items()}
    # A schema can't add up. What is wrong on purpose stays as it is.
    lines = value.get("lines")
    if isinstance(lines, list) and all(map(is_line, lines)):
        if sum(line["quantity"] * line["unit_price"] for line in lines) > MAX_TOTAL:
            value["lines"] = [{**line, "unit_price": line["unit_price"] % 1000} for line in lines]
    return value


@schemathesis.hook
def map_body(context, body):
    return obey(body)
