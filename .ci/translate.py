"""Prints the CloudFormation that SAM makes of a template, with every parameter at its default ("off") or with all that
switch something on ("on").

Fails if a version of a function isn't described by the parameters that its settings depend on, for SAM would not publish it,
or if a rule of rules.py is broken.
"""

import json
import logging
import os
import re
import sys

import rules
from cfnlint.decode.cfn_yaml import load
from resolve import Resolver
from samtranslator.translator.transform import transform

# One value for each parameter that a condition or SAM itself reads.
ON = {
    "ProcessReservedConcurrency": "20",
    "WarmWriteUnits": "4000",
    "MaxWriteUnits": "8000",
    "Authorizer": "AWS_IAM",
    "RoleSessionsAreClients": "true",
    "AccessLog": "true",
    "OrderIdSecretInUse": "in-use",
    "OrderIdSecretNext": "next",
    "OrderIdSecretPrevious": "previous",
    "OutcomeBus": "orders",
    "AlarmEmail": "someone@shop.example",
    "KeepDays": "30",
    "KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/6f9a2f6e-6a52-4a9b-9d7e-6a3c1f0f2b11",
    "WafArn": "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/orders/3f1c6e0a-5d0c-4c53-9a57-2f6d8c1b7e55",
    "Deployment": "Canary10Percent5Minutes",
    "DeletionProtection": "false",
}


def parameters_in(node, template):
    """The parameters that a value depends on, also through conditions."""
    found = set()
    names = []
    if isinstance(node, list):
        for item in node:
            found |= parameters_in(item, template)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                names.append(value)
            elif key == "Condition" and isinstance(value, str):
                found |= parameters_in(template["Conditions"][value], template)
            else:
                if key == "Fn::If":
                    found |= parameters_in(template["Conditions"][value[0]], template)
                if key == "Fn::Sub":
                    text = value if isinstance(value, str) else value[0]
                    names += re.findall(r"\$\{([A-Za-z0-9]+)\}", text)
                found |= parameters_in(value, template)
    return found | {name for name in names if name in template["Parameters"]}


def check_versions(template):
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::Lambda::Version":
            continue
        function = resource["Properties"]["FunctionName"]["Ref"]
        settings = dict(template["Resources"][function]["Properties"])
        settings.pop("ReservedConcurrentExecutions", None)  # Belongs to the whole function, not to a version.
        needed = parameters_in(settings, template)
        described = parameters_in(resource["Properties"]["Description"], template)
        if needed != described:
            sys.exit(
                f"the VersionDescription of {function} lacks {sorted(needed - described)}, "
                f"and {sorted(described - needed)} are superfluous"
            )


def decide(template, condition, values):
    """Inserts what a condition chooses: SAM has used it to choose resources, which cfn-lint doesn't know."""
    resolver = Resolver(template, values)

    def put(node):
        if isinstance(node, list):
            return [put(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "Fn::If" in node and node["Fn::If"][0] == condition:
            return put(node["Fn::If"][1 if resolver.holds(condition) else 2])
        return {name: put(value) for name, value in node.items()}

    resources = put(template["Resources"]).items()
    there = {name: one for name, one in resources if one.get("Condition") != condition or resolver.exists(one)}
    for resource in there.values():
        if resource.get("Condition") == condition:
            del resource["Condition"]
    template["Resources"] = there
    del template["Conditions"][condition]


def main():
    path, parameters = sys.argv[1:]
    logging.disable(logging.CRITICAL)  # The translator logs that AWS's own settings are missing.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    template = json.loads(json.dumps(load(path)))
    read = set()
    for condition in template["Conditions"].values():
        read |= parameters_in(condition, template)
    if not read <= ON.keys() <= template["Parameters"].keys():
        sys.exit(f"{sys.argv[0]}: ON differs from the template in {sorted(read ^ ON.keys())}")
    for resource in template["Resources"].values():  # As SAM does once it has built and uploaded the code.
        if "CodeUri" in resource.get("Properties", {}):
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    values = ON if parameters == "on" else {}
    translated = transform(template, values, None)
    for name, value in values.items():  # So that cfn-lint follows the conditions, too.
        parameter = translated["Parameters"][name]
        parameter["Default"] = int(value) if parameter["Type"] == "Number" else value
    check_versions(translated)
    rules.check(translated, values, ON)
    decide(translated, "UsesCodeDeploy", values)
    json.dump(translated, sys.stdout)


main()
