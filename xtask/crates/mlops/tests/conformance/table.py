"""The rows: each writes through one client and reads back through another."""

from collections.abc import Callable
from dataclasses import dataclass

from clients import Clients

# A row gets the clients and a name that nothing else in the workspace has.
Check = Callable[[Clients, str], None]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    area: str
    feature: str
    writes: str
    reads: str
    check: Check

    @property
    def name(self) -> str:
        return self.check.__name__


# In the order of the page.
AREAS = [
    "Identity",
    "Workspace files",
    "Volumes",
    "Secrets",
    "Jobs",
    "Runs",
    "MLflow runs",
    "Unity Catalog",
    "Registry",
    "Records",
    "Bundles",
]
ROWS: list[Row] = []


def row(area: str, feature: str, *, writes: str, reads: str) -> Callable[[Check], Check]:
    """Puts a check into the table."""

    def add(check: Check) -> Check:
        ROWS.append(Row(area, feature, writes, reads, check))
        return check

    return add
