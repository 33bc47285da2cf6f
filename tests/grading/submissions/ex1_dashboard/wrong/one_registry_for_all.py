"""All models share a registry, and show each other's calls."""
slips = {
    "1_instrument": {
        "MonitoredModel": [
            ('    """A model that counts what it does, in five layers."""\n',
             '    """A model that counts what it does, in five layers."""\n\n    shared, known = CollectorRegistry(), {}\n'),
            ('self.registry = CollectorRegistry()',
             'self.registry = self.shared'),
            ('            return kind(name, help, ["version", *labels], registry=self.registry, **how)',
             '            if name not in self.known:\n                self.known[name] = kind(name, help, ["version", *labels], registry=self.registry, **how)\n            return self.known[name]'),
        ],
    },
}
loses = {"1_instrument": {"test_registry": 1}}
