"""The city of the generated data: zip codes, their area, and where they lie.

A simplified New York. Positions are miles east and north of the first zone, and only roughly true.
"""

from dataclasses import dataclass

import numpy as np

AREAS = ("Manhattan", "Bronx", "Brooklyn", "Queens", "Staten Island", "Airport")


@dataclass(frozen=True)
class Zone:
    """One zip code: its area, its position in miles, and how often trips start or end there (relative weight)."""

    zip_code: int
    area: str
    east: float
    north: float
    weight: float


ZONES = (
    Zone(10001, "Manhattan", 0.0, 0.0, 8),
    Zone(10003, "Manhattan", 0.6, -1.2, 6),
    Zone(10007, "Manhattan", -0.6, -2.7, 4),
    Zone(10011, "Manhattan", -0.2, -0.7, 6),
    Zone(10016, "Manhattan", 1.0, -0.3, 7),
    Zone(10019, "Manhattan", 0.7, 1.2, 9),
    Zone(10021, "Manhattan", 2.0, 1.4, 7),
    Zone(10023, "Manhattan", 0.8, 1.9, 6),
    Zone(10025, "Manhattan", 1.6, 3.4, 4),
    Zone(10027, "Manhattan", 2.2, 4.2, 3),
    Zone(10032, "Manhattan", 2.8, 6.2, 2),
    Zone(10040, "Manhattan", 3.4, 7.8, 1),
    Zone(10301, "Staten Island", -4.8, -8.0, 0.5),
    Zone(10304, "Staten Island", -4.4, -10.0, 0.3),
    Zone(10451, "Bronx", 4.0, 5.0, 1),
    Zone(10458, "Bronx", 5.2, 7.8, 1),
    Zone(10461, "Bronx", 7.6, 6.8, 0.6),
    Zone(10467, "Bronx", 6.0, 8.9, 0.6),
    Zone(11201, "Brooklyn", 0.4, -4.0, 3),
    Zone(11206, "Brooklyn", 2.9, -3.2, 2),
    Zone(11211, "Brooklyn", 2.2, -2.4, 3),
    Zone(11215, "Brooklyn", 0.9, -6.0, 2),
    Zone(11220, "Brooklyn", -0.8, -7.9, 1),
    Zone(11226, "Brooklyn", 2.2, -7.2, 1),
    Zone(11235, "Brooklyn", 2.8, -11.5, 0.5),
    Zone(11101, "Queens", 2.8, -0.2, 3),
    Zone(11103, "Queens", 4.3, 1.0, 2),
    Zone(11354, "Queens", 8.8, 1.4, 1),
    Zone(11372, "Queens", 5.8, 0.1, 1.5),
    Zone(11375, "Queens", 8.0, -1.9, 1),
    Zone(11385, "Queens", 5.4, -3.2, 1),
    Zone(11371, "Airport", 6.3, 2.0, 3),
    Zone(11430, "Airport", 11.0, -7.0, 3),
)

ZIP_CODES = np.array([zone.zip_code for zone in ZONES], dtype=np.int32)
EAST = np.array([zone.east for zone in ZONES])
NORTH = np.array([zone.north for zone in ZONES])
WEIGHT = np.array([zone.weight for zone in ZONES]) / sum(zone.weight for zone in ZONES)
AREA = np.array([AREAS.index(zone.area) for zone in ZONES])


def toll_table() -> np.ndarray:
    """Dollars of bridge and tunnel tolls from area (row) to area (column), in the order of AREAS; symmetric."""
    tolls = np.zeros((len(AREAS), len(AREAS)))
    for first, second, dollars in (
        ("Manhattan", "Bronx", 3.0),
        ("Manhattan", "Brooklyn", 4.0),
        ("Manhattan", "Queens", 6.5),
        ("Manhattan", "Staten Island", 13.0),
        ("Manhattan", "Airport", 6.5),
        ("Bronx", "Brooklyn", 6.5),
        ("Bronx", "Queens", 6.5),
        ("Bronx", "Staten Island", 16.0),
        ("Bronx", "Airport", 6.5),
        ("Brooklyn", "Staten Island", 9.0),
        ("Queens", "Staten Island", 9.0),
        ("Airport", "Staten Island", 9.0),
    ):
        row, column = AREAS.index(first), AREAS.index(second)
        tolls[row, column] = tolls[column, row] = dollars
    return tolls
