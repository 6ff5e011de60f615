"""What hangs together, however far apart."""

from __future__ import annotations

__all__ = ["Together"]


class Together:
    """Names in sets that grow together (union-find); a set goes by its first name."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def add(self, name: str) -> None:
        """Know a name."""
        self._above.setdefault(name, name)

    def top(self, name: str) -> str:
        """The name that stands for all that are together with this one."""
        self.add(name)
        while self._above[name] != name:
            self._above[name] = name = self._above[self._above[name]]
        return name

    def join(self, one: str, other: str) -> None:
        """Put two together, and all that is with either; in whatever order, alike."""
        first, second = sorted((self.top(one), self.top(other)))
        self._above[second] = first
