import pandas as pd
import pytest

from mlops_stacks import columns, ingest
from mlops_stacks.cleaning import FINISHED_RULES, INPUT_RULES
from mlops_stacks.columns import LABEL
from mlops_stacks.schema import FINISHED, DataRefused


@pytest.fixture
def good(sets) -> pd.DataFrame:
    """Fifty rows that keep every rule, in the order in which they are read."""
    return sets.clean_training.head(50)[list(FINISHED)]


def spoil(frame: pd.DataFrame, column: str, rows: int) -> pd.DataFrame:
    """The same with no value in a column of the first rows."""
    return frame.assign(**{column: frame[column].astype(object).where(frame.index >= rows, None)})


def test_a_rule_drops_the_spoilt_row_and_is_counted(good):
    result = ingest.clean(spoil(good, LABEL, 1), "d")
    assert sum(result.dropped.values()) == 1
    (rule,) = [name for name, rows in result.dropped.items() if rows]
    assert len(result.frame) == 49
    assert result.dropped_share == pytest.approx(0.02)
    assert result.as_table().set_index("rule").loc[rule, "rows"] == 1
    assert list(result.dropped) == [rule.name for rule in (*INPUT_RULES, *FINISHED_RULES)]


def test_clean_rows_pass_and_have_the_signature_types(good):
    result = ingest.clean(good, "d")
    assert (len(result.frame), sum(result.dropped.values())) == (50, 0)
    numbers = {name: columns.COLUMNS[name].pandas for name in columns.INPUTS}
    assert {name: str(result.frame[name].dtype) for name in numbers} == numbers


def test_too_large_a_share_is_refused_with_the_worst_rule(good):
    with pytest.raises(DataRefused, match=r"drop 20\.0%.*10% allowed; most by `\w+` \(10 rows\)"):
        ingest.clean(spoil(good, LABEL, 10), "d")


def test_no_rows_are_refused(good):
    with pytest.raises(DataRefused, match="no rows"):
        ingest.clean(good.head(0), "d")


def test_a_schema_that_does_not_fit_is_refused_with_the_columns_name(tmp_path, good, number):
    path = str(tmp_path / "rows.parquet")
    good.drop(columns=number).to_parquet(path)
    with pytest.raises(DataRefused, match=f"has no column `{number}`"):
        ingest.read_clean(path)
    good.assign(**{number: good[number].astype(str)}).to_parquet(path)
    with pytest.raises(DataRefused, match=f"column `{number}` .* is .*string; expected a number"):
        ingest.read_clean(path)


def test_a_missing_file_and_one_that_is_not_parquet_are_refused(tmp_path):
    with pytest.raises(DataRefused, match="does not exist; generate and upload"):
        ingest.read_clean(str(tmp_path / "none.parquet"))
    (tmp_path / "text.parquet").write_text("hello, I am not a table")
    with pytest.raises(DataRefused, match="not a Parquet file"):
        ingest.read_clean(str(tmp_path / "text.parquet"))
