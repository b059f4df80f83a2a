import pytest
from mlflow import MlflowClient

from mlops_stacks import deployment, records, registry
from mlops_stacks.columns import LABEL


@pytest.fixture
def two_versions(register, model_name, sets) -> list[str]:
    """Two versions with a verdict of their own; what they learnt does not matter here."""
    rows = sets.clean_training.head(300)
    versions = [register(rows, rows[LABEL], rounds=2) for _ in range(2)]
    for version in versions:
        verdict = {records.VERDICT: "passed", records.VERDICT_FOR: f"{model_name}/{version}"}
        registry.tag_version(model_name, version, verdict)
    return versions


def tags(name: str, version: str) -> dict[str, str]:
    return dict(MlflowClient().get_model_version(name, version).tags)


def test_deploying_twice_changes_nothing_and_keeps_the_record(two_versions, model_name):
    first, second = two_versions
    assert deployment.deploy(model_name, first) == deployment.Deployed(model_name, first, "", True)
    MlflowClient().set_registered_model_alias(model_name, records.CHALLENGER, second)
    expected = deployment.Deployed(model_name, second, first, True)
    assert deployment.deploy(model_name, second) == expected
    again = deployment.deploy(model_name, second)
    assert again == deployment.Deployed(model_name, second, first, False)
    assert tags(model_name, first)[records.PREVIOUS_CHAMPION] == "none"
    assert tags(model_name, second)[records.PREVIOUS_CHAMPION] == first
    assert registry.version_of_alias(model_name, records.CHAMPION) == second
    assert registry.version_of_alias(model_name, records.CHALLENGER) is None
    assert "already" in again.sentence()


@pytest.mark.parametrize(
    "step", ["set_model_version_tag", "set_registered_model_alias", "delete_registered_model_alias"]
)
def test_interrupted_anywhere_the_next_run_finishes(two_versions, model_name, monkeypatch, step):
    first, second = two_versions
    deployment.deploy(model_name, first)
    MlflowClient().set_registered_model_alias(model_name, records.CHALLENGER, second)
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, step, lambda *_, **__: (_ for _ in ()).throw(ConnectionError("killed")))
        with pytest.raises(ConnectionError):
            deployment.deploy(model_name, second)
    assert registry.version_of_alias(model_name, records.CHAMPION) in two_versions
    assert deployment.deploy(model_name, second).previous_champion == first
    assert registry.version_of_alias(model_name, records.CHAMPION) == second
    assert registry.version_of_alias(model_name, records.CHALLENGER) is None


def test_never_validated_is_refused(register, model_name, sets):
    rows = sets.clean_training.head(300)
    version = register(rows, rows[LABEL], rounds=2)
    with pytest.raises(deployment.NotDeployable, match="never validated"):
        deployment.deploy(model_name, version)


def test_a_verdict_that_came_along_with_a_copy_does_not_count(two_versions, model_name):
    first, second = two_versions
    registry.tag_version(model_name, second, {records.VERDICT_FOR: f"staging.a.b/{first}"})
    with pytest.raises(deployment.NotDeployable, match=r"for `staging\.a\.b/1`"):
        deployment.deploy(model_name, second)
    assert registry.version_of_alias(model_name, records.CHAMPION) is None
