"""Resolves CloudFormation's functions, as far as template.yaml uses them, under values of its parameters."""

import re

PSEUDO = {
    "AWS::AccountId": "000000000000",
    "AWS::NoValue": None,
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "order-intake",
    "AWS::URLSuffix": "amazonaws.com",
}


class Resolver:
    def __init__(self, template, values):
        defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
        self.template = template
        self.values = {**defaults, **values}

    def holds(self, condition):
        return self.resolve(self.template["Conditions"][condition])

    def exists(self, resource):
        """Whether the resource, or a statement, has no condition that is false."""
        return "Condition" not in resource or self.holds(resource["Condition"])

    def reference(self, name):
        if name in PSEUDO:
            return PSEUDO[name]
        return str(self.values[name]) if name in self.values else f"<{name}>"  # Of a resource.

    def resolve(self, node):
        """Returns a value without functions, and without what CloudFormation leaves out."""
        if isinstance(node, list):
            items = [self.resolve(item) for item in node]
            return [item for item in items if item is not None]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            function = getattr(self, name.replace("Fn::", "").lower() + "_", None)
            if function and (name.startswith("Fn::") or name in ("Ref", "Condition") and isinstance(argument, str)):
                return function(argument)
        members = {name: self.resolve(value) for name, value in node.items()}
        return {name: value for name, value in members.items() if value is not None}

    def ref_(self, name):
        return self.reference(name)

    def condition_(self, name):
        return self.holds(name)

    def getatt_(self, names):
        return f"<{names if isinstance(names, str) else '.'.join(names)}>"

    def sub_(self, argument):
        text, names = (argument, {}) if isinstance(argument, str) else argument
        names = {name: self.resolve(value) for name, value in names.items()}
        find = lambda match: str(names[match[1]] if match[1] in names else self.reference(match[1]))
        return re.sub(r"\$\{([A-Za-z0-9:.]+)\}", find, text)

    def if_(self, argument):
        condition, yes, no = argument
        return self.resolve(yes if self.holds(condition) else no)

    def equals_(self, argument):
        left, right = argument
        return str(self.resolve(left)) == str(self.resolve(right))

    def not_(self, argument):
        return not self.resolve(argument[0])

    def select_(self, argument):
        index, items = argument
        return self.resolve(items)[int(index)]

    def split_(self, argument):
        delimiter, text = argument
        return self.resolve(text).split(delimiter)

    def join_(self, argument):
        delimiter, items = argument
        return delimiter.join(self.resolve(items))

    def findinmap_(self, argument):
        name, first, second = self.resolve(argument)
        return self.template["Mappings"][name][first][second]
