"""Scenarios by name. Each is a function that raises where the world is not as it should be."""

SCENARIOS = {}  # name -> Scenario


class Skip(Exception):
    """This machine lacks what the scenario needs; the text says what."""


class Scenario:
    def __init__(self, function, timeout):
        self.name = function.__name__
        self.function, self.timeout = function, timeout
        self.says = (function.__doc__ or "").strip().splitlines()[0]


def scenario(timeout):
    """Registers a scenario that may take `timeout` seconds."""
    def register(function):
        if function.__name__ in SCENARIOS:
            raise ValueError(f"two scenarios are called {function.__name__}")
        SCENARIOS[function.__name__] = Scenario(function, timeout)
        return function
    return register


def expect(condition, text):
    """Fails the scenario unless the condition holds; asserts vanish under -O, this does not."""
    if not condition:
        raise AssertionError(text)
