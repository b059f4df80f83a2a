"""How tables are named in SQL."""

PART = r"(?:`[^`]+`|[\w-]+)"
NAME = rf"(?P<name>IDENTIFIER\s*\(.*?\)|{PART}(?:\s*\.\s*{PART})*)"
SESSION_CATALOG = "spark_catalog"
