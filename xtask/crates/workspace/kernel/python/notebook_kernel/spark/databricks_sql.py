"""SQL that Databricks has and open-source Spark lacks: done through the workspace, or refused in a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from dbruntime import UserNamespaceInitializer

from notebook_kernel import rest
from notebook_kernel.spark import delta
from notebook_kernel.spark.catalogs import is_known
from notebook_kernel.spark.errors import UNKNOWN_CATALOG
from notebook_kernel.spark.names import NAME, PART, SESSION_CATALOG
from notebook_kernel.spark.sql import without_comments, without_quoted

NO_OPEN_SOURCE = "open-source Delta has none"
NO_FEATURE = "its Unity Catalog has catalogs, schemas, volumes, models and grants on them, and nothing else"
REFUSED = {
    r"(?:FSCK|UNDROP)\b": NO_OPEN_SOURCE,
    r"CREATE\b.*(?<!\bSHALLOW)\s+CLONE\b": f"{NO_OPEN_SOURCE}; CREATE TABLE … AS SELECT copies a table",
    r"(?:CREATE|ALTER)\s.*\bCLUSTER\s+BY\s+AUTO\b": f"{NO_OPEN_SOURCE}; name the columns",
    r"COPY\s+INTO\b": "read the files with spark.read and write them with saveAsTable or INSERT INTO",
    r"LIST\s+''": "use dbutils.fs.ls",
    r"(?:SHOW\s+GRANTS?|DENY|MSCK|SYNC)\b": NO_FEATURE,
    r"(?:GRANT|REVOKE)\b": "grants are kept on catalogs, schemas, volumes and models, not on tables",
    r"(?:SET|UNSET)\s+TAGS?\b": NO_FEATURE,
    r"ALTER\s+\w+\s+\S+\s+(?:ALTER\s+COLUMN\s+\S+\s+)?"
    r"(?:(?:SET|UNSET)\s+(?:TAGS|OWNER|MASK|ROW\s+FILTER)|OWNER\s+TO)\b": NO_FEATURE,
    r"(?:ALTER|DROP|DESC(?:RIBE)?)\s+CATALOG\b": "use `databricks catalogs`",
    r"(?:ALTER|DESC(?:RIBE)?|CREATE\s+EXTERNAL)\s+VOLUME\b": "use `databricks volumes`",
    r"(?:CREATE|ALTER|DROP|SHOW|DESC(?:RIBE)?)\s+(?:OR\s+REPLACE\s+)?(?:EXTERNAL\s+LOCATION|(?:STORAGE\s+|SERVICE\s+)?"
    r"CREDENTIAL|CONNECTION|FOREIGN\s+CATALOG|SHARE|RECIPIENT|PROVIDER|POLICY)S?\b": NO_FEATURE,
    r"CREATE\s+(?:OR\s+(?:REPLACE|REFRESH)\s+)?(?:STREAMING|LIVE|MATERIALIZED)\b": "pipelines run on Databricks alone",
}
OF_DELTA = re.compile(
    r"(?:OPTIMIZE|VACUUM|RESTORE|REORG|CONVERT\s+TO\s+DELTA|GENERATE|UPDATE|DELETE|MERGE|DESC(?:RIBE)?\s+(?:HISTORY|DETAIL)"
    r"|CREATE\b.*\bSHALLOW\s+CLONE)\b",
    re.IGNORECASE | re.DOTALL,
)
AT_VERSION = re.compile(r"(?<![\w@])[\w.]+@v\d+\b", re.IGNORECASE)
TIME_TRAVEL = re.compile(r"\b(?:VERSION|TIMESTAMP)\s+AS\s+OF\s+(?:\d|''|:\w|\w+\s*\()", re.IGNORECASE)


class UnsupportedStatement(Exception):
    """A statement that works on Databricks, and not here."""


class DatabricksSql:
    """The statements; `refresh` makes known to Spark what the workspace has."""

    def __init__(self, host: str, refresh: Callable[[], None]) -> None:
        self._api = f"{host}/api/2.1/unity-catalog"
        self._refresh = refresh

    def run(self, spark_sql: Callable[..., Any], session: Any, text: str, args: Any) -> Any:
        """What the statement gives, or None where it is one of Spark's own, which `spark_sql` runs."""
        statement = without_comments(text).strip().rstrip(";").strip()
        for pattern, act in self._done():
            found = re.fullmatch(pattern, statement, re.IGNORECASE | re.DOTALL)
            if found is not None and (given := act(_Call(spark_sql, session, args, found))) is not None:
                return given
        bare = without_quoted(statement)
        if found := AT_VERSION.search(bare):
            raise _unsupported(found.group(), "write VERSION AS OF")
        if not delta.jars() and (found := OF_DELTA.match(bare) or TIME_TRAVEL.search(bare)):
            raise _unsupported(" ".join(found.group().split()), f"Delta is not available: {delta.why_not()}")
        for pattern, why in REFUSED.items():
            if found := re.match(pattern, bare, re.IGNORECASE | re.DOTALL):
                raise _unsupported(" ".join(found.group().split()), why)
        return None

    def _done(self) -> list[tuple[str, Callable[[_Call], Any]]]:
        there = r"(?P<there>\s+IF\s+(?:NOT\s+)?EXISTS)?"
        privileges = rf"(?P<privileges>[\w\s,]+?)\s+ON\s+(?P<kind>CATALOG|SCHEMA|DATABASE|VOLUME|MODEL)\s+{NAME}"
        return [
            (rf"USE\s+CATALOG\s+{NAME}", _use_catalog),
            (rf"CREATE\s+(?P<kind>CATALOG|SCHEMA|DATABASE|VOLUME){there}\s+{NAME}(?P<rest>.*)", self._create),
            (rf"DROP\s+(?P<kind>SCHEMA|DATABASE){there}\s+{NAME}(?P<rest>.*)", self._drop_schema),
            (rf"DROP\s+(?P<kind>VOLUME){there}\s+{NAME}", self._drop_volume),
            (rf"SHOW\s+VOLUMES(?:\s+(?:IN|FROM)\s+{NAME})?", self._show_volumes),
            (rf"GRANT\s+{privileges}\s+TO\s+(?P<principal>.+)", self._change_grants),
            (rf"REVOKE\s+{privileges}\s+FROM\s+(?P<principal>.+)", self._change_grants),
            (
                r"CREATE\s+WIDGET\s+(?P<kind>TEXT|DROPDOWN|COMBOBOX|MULTISELECT)\s+(?P<name>\S+)\s+"
                r"DEFAULT\s+(?P<value>'[^']*'|\"[^\"]*\")(?:\s+CHOICES\s+(?P<choices>.+))?",
                _create_widget,
            ),
            (r"REMOVE\s+WIDGET\s+(?P<name>\S+)", _remove_widget),
        ]

    def _create(self, call: _Call) -> Any:
        kind, name = call.kind(), call.full_name()
        if kind == "schema" and name[0] == SESSION_CATALOG:
            return None
        if re.search(r"\bLOCATION\b", without_quoted(call["rest"]), re.IGNORECASE):
            raise _unsupported(f"CREATE {kind.upper()} … LOCATION", "files are stored in the workspace's own folder")
        comment = re.search(r"\bCOMMENT\s+(?:'([^']*)'|\"([^\"]*)\")", call["rest"], re.IGNORECASE)
        values = {"name": name[-1], **({"comment": comment[1] or comment[2] or ""} if comment else {})}
        values |= dict(zip(("catalog_name", "schema_name"), name[:-1], strict=False))
        if kind == "volume":
            values["volume_type"] = "MANAGED"
        if not (call["there"] and self._has(kind, name)):
            rest.call("POST", f"{self._api}/{kind}s", values)
        self._refresh()
        return call.nothing()

    def _drop_schema(self, call: _Call) -> Any:
        name = call.full_name()
        if name[0] == SESSION_CATALOG:
            return None
        cascade = call["rest"].strip().upper() == "CASCADE"
        full = ".".join(f"`{part}`" for part in name)
        # The workspace is asked first: the tables stay where it refuses, and it knows none of them.
        if self._has("schema", name) and (cascade or call.spark(f"SHOW TABLES IN {full}").isEmpty()):
            rest.call("DELETE", f"{self._address('schemas', name)}?force={str(cascade).lower()}", {})
        return call.spark(call.text)

    def _drop_volume(self, call: _Call) -> Any:
        name = call.full_name()
        if not call["there"] or self._has("volume", name):
            rest.call("DELETE", self._address("volumes", name), {})
        return call.nothing()

    def _show_volumes(self, call: _Call) -> Any:
        catalog, schema = call.full_name("schema") if call["name"] else call.current()
        values = {"catalog_name": catalog, "schema_name": schema}
        volumes = rest.call("GET", f"{self._api}/volumes", values).get("volumes", [])
        rows = [(volume["schema_name"], volume["name"]) for volume in volumes]
        return call.session.createDataFrame(rows, "database string, volume_name string")

    def _change_grants(self, call: _Call) -> Any:
        kind, name = call.kind(), call.full_name()
        privileges = ["_".join(words.upper().split()) for words in call["privileges"].split(",")]
        what = "add" if call.text.upper().startswith("GRANT") else "remove"
        change = {"principal": call["principal"].strip("`'\" "), what: privileges}
        address = self._address(f"permissions/{'function' if kind == 'model' else kind}", name)
        rest.call("PATCH", address, {"changes": [change]})
        return call.nothing()

    def _address(self, what: str, name: list[str]) -> str:
        return f"{self._api}/{what}/{quote('.'.join(name), safe='')}"

    def _has(self, kind: str, name: list[str]) -> bool:
        try:
            rest.call("GET", self._address(f"{kind}s", name), {})
        except rest.RestError as error:
            if error.status == 404:
                return False
            raise
        return True


class _Call:
    """One statement, with what it is asked of."""

    def __init__(self, spark_sql: Callable[..., Any], session: Any, args: Any, found: re.Match[str]) -> None:
        self._spark_sql = spark_sql
        self._args = args
        self._found = found
        self.session = session
        self.text = found.string

    def __getitem__(self, group: str) -> str:
        return self._found[group] or ""

    def spark(self, text: str) -> Any:
        """What Spark gives for a statement, with the parameters of this one."""
        return self._spark_sql(self.session, text, self._args)

    def nothing(self) -> Any:
        """What a statement gives that only does something."""
        from pyspark.sql.types import StructType

        return self.session.createDataFrame([], StructType())

    def kind(self) -> str:
        """What the statement is about: a catalog, schema, volume or model."""
        kind = self["kind"].lower()
        return "schema" if kind == "database" else kind

    def current(self) -> list[str]:
        """The catalog and schema that names without one belong to."""
        return [self.session.catalog.currentCatalog(), self.session.catalog.currentDatabase()]

    def full_name(self, kind: str = "") -> list[str]:
        """The parts of the name, with the current catalog and schema in front where it has none."""
        text = self["name"]
        if marker := re.fullmatch(r"IDENTIFIER\s*\((.*)\)", text, re.IGNORECASE | re.DOTALL):
            text = self.spark(f"SELECT {marker[1]}").first()[0]
        parts = [part.strip("`") for part in re.findall(PART, text)]
        wanted = {"catalog": 1, "schema": 2}.get(kind or self.kind(), 3)
        missing = wanted - len(parts)
        if missing < 0:
            raise UnsupportedStatement(f"{text} has more parts than the name of a {kind or self.kind()}")
        return (self.current()[: wanted - 1][:missing] if missing else []) + parts


def _use_catalog(call: _Call) -> Any:
    (name,) = call.full_name("catalog")
    if name != SESSION_CATALOG and not is_known(call.session, name):
        raise rest.RestError(404, UNKNOWN_CATALOG.format(name))
    if name == call.current()[0]:
        # Spark would keep the schema; on Databricks it is `default` again.
        call.spark(f"SET CATALOG {SESSION_CATALOG}")
    return call.spark(f"SET CATALOG `{name}`")


def _create_widget(call: _Call) -> Any:
    value = call["value"][1:-1]
    choices = [str(row[0]) for row in call.spark(call["choices"]).collect()] if call["choices"] else []
    define = getattr(_widgets(), call["kind"].lower())
    define(call["name"].strip("`"), value, *([] if call["kind"].upper() == "TEXT" else [choices]))
    return call.nothing()


def _remove_widget(call: _Call) -> Any:
    _widgets().remove(call["name"].strip("`"))
    return call.nothing()


def _widgets() -> Any:
    return UserNamespaceInitializer.getOrCreate().get_namespace_globals()["dbutils"].widgets


def _unsupported(what: str, why: str) -> UnsupportedStatement:
    return UnsupportedStatement(f"{what}: not in the local workspace: {why}")
