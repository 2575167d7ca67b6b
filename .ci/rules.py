"""Finds what AWS silently ignores, or refuses only in the middle of a deployment. Each violation ends the run."""

import json
import re
import sys

from resolve import Resolver

# The longest value of each parameter that a pattern bounds, and values that it must refuse.
SECRET = "arn:aws-us-gov:secretsmanager:us-gov-east-1:000000000000:secret:"
NO_SECRETS = ["arn:aws:secretsmanager:us-east-1:0:secret:a", "a:b", "two words", SECRET, SECRET.replace("secretsmanager", "ssm") + "a"]
PATTERNS = {
    "OrderIdSecretInUse": (SECRET + 60 * "n", NO_SECRETS),
    "OrderIdSecretNext": (SECRET + 60 * "x", NO_SECRETS),
    "OrderIdSecretPrevious": (SECRET + 60 * "p", NO_SECRETS),
    "OutcomeBus": (
        "arn:aws-us-gov:events:us-gov-east-1:000000000000:event-bus/" + 120 * "b",
        ["arn:aws:events:us-east-1:000000000000:rule/a", "a/b", "two words", "arn:aws:sqs:us-east-1:000000000000:a"],
    ),
    "KmsKeyArn": (
        "arn:aws-us-gov:kms:us-gov-east-1:000000000000:key/mrk-" + 32 * "0",
        ["arn:aws:kms:us-east-1:000000000000:alias/orders", "6f9a2f6e-6a52-4a9b-9d7e-6a3c1f0f2b11", "alias/orders", "arn:aws:s3:::a"],
    ),
    "AlarmEmail": (None, ["someone", "someone@", "@shop.example", "a b@shop.example", "someone@shop", "a@b.c,d@e.f"]),
    "WafArn": (
        None,
        ["arn:aws:wafv2:us-east-1:000000000000:global/webacl/a/1", "orders", "arn:aws:waf::000000000000:webacl/1"],
    ),
}


def of_type(template, kind):
    return {name: one for name, one in template["Resources"].items() if one["Type"] == kind}


def fits(parameter, value):
    return re.fullmatch(parameter["AllowedPattern"], value) is not None


def patterns(template, on):
    """A pattern makes CloudFormation refuse an invalid ARN, name or address at once, and not minutes later at a resource."""
    for name, parameter in template["Parameters"].items():
        if parameter["Type"] != "String" or "AllowedValues" in parameter:
            continue
        if "AllowedPattern" not in parameter or name not in PATTERNS:
            sys.exit(f"{name} has no AllowedPattern, or none that is checked here")
        longest, refused = PATTERNS[name]
        for value in ["", on[name], longest]:
            if value is not None and not fits(parameter, value):
                sys.exit(f"the pattern of {name} refuses {value!r}")
        for value in refused + ([longest + "0"] if longest else []):
            if fits(parameter, value):
                sys.exit(f"the pattern of {name} accepts {value!r}")


def longest_value(name, parameter):
    if "AllowedValues" in parameter:
        return max((str(value) for value in parameter["AllowedValues"]), key=len)
    if parameter["Type"] == "Number":
        return str(parameter.get("MaxValue", 10**9))
    return PATTERNS[name][0] or ""


def descriptions(template):
    """Lambda refuses a version's description of more than 256 characters."""
    values = {name: longest_value(name, one) for name, one in template["Parameters"].items()}
    resolver = Resolver(template, values)
    for name, version in of_type(template, "AWS::Lambda::Version").items():
        text = resolver.resolve(version["Properties"]["Description"])
        if len(text) > 256:
            sys.exit(f"the description of {name} can have {len(text)} characters: {text}")


def changes(template, on):
    """A version is published when a parameter of its function is first set, or changes to another secret, key or bus."""
    other = lambda value: value[:-1] + ("1" if value[-1] != "1" else "2")
    for name, (longest, _) in PATTERNS.items():
        for version in of_type(template, "AWS::Lambda::Version").values():
            description = version["Properties"]["Description"]
            if longest is None or f"${{{name}}}" not in json.dumps(description):
                continue
            values = ["", on[name], longest, other(longest)]
            texts = {Resolver(template, {name: value}).resolve(description) for value in values}
            if len(texts) != len(values):
                sys.exit(f"a version's description doesn't distinguish values of {name}: {texts}")


def method_settings(template):
    """API Gateway stores a setting for a path or method that it doesn't know, and ignores it."""
    (api,) = of_type(template, "AWS::ApiGateway::RestApi").values()
    known = {("/*", "*")}
    for path, methods in api["Properties"]["Body"]["paths"].items():
        encoded = "/" + path.replace("~", "~0").replace("/", "~1") if path != "/" else path
        known |= {(encoded, method.upper()) for method in methods if not method.startswith("x-")}
    # Anyone can call what needs no key: each such method has its own setting.
    bounded = set()
    for stage in of_type(template, "AWS::ApiGateway::Stage").values():
        for setting in stage["Properties"]["MethodSettings"]:
            bounded.add((setting["ResourcePath"], setting["HttpMethod"]))
    if unknown := bounded - known:
        sys.exit(f"API Gateway knows no {sorted(unknown)}; it knows {sorted(known)}")
    for path, methods in api["Properties"]["Body"]["paths"].items():
        for method, operation in methods.items():
            needs_key = any("api_key" in one for one in operation.get("security", []))
            if not needs_key and ("/" + path.replace("/", "~1"), method.upper()) not in bounded:
                sys.exit(f"{method.upper()} {path} needs no key, but has no limit of its own")


def roles(template, values):
    """An unused role is an attack surface. A role may use a KMS key only through a service."""
    resolver = Resolver(template, values)
    there = {name: one for name, one in template["Resources"].items() if resolver.exists(one)}
    for name in of_type(template, "AWS::IAM::Role").keys() & there.keys():
        others = [resolver.resolve(one.get("Properties", {})) for other, one in there.items() if other != name]
        if f"<{name}" not in json.dumps(others):
            sys.exit(f"nothing uses {name}")
        for policy in resolver.resolve(there[name]["Properties"]["Policies"]):
            for statement in policy["PolicyDocument"]["Statement"]:
                conditions = json.dumps(statement.get("Condition", {}))
                if "kms:" in json.dumps(statement["Action"]) and "kms:ViaService" not in conditions:
                    sys.exit(f"{name} may use the key without a service: {statement}")


def check(template, values, on):
    patterns(template, on)
    descriptions(template)
    changes(template, on)
    method_settings(template)
    roles(template, values)
