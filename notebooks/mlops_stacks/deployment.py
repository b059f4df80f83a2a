"""Makes a validated version the champion of its target, and remembers which one it replaces."""

from dataclasses import asdict, dataclass

from mlflow import MlflowClient

from mlops_stacks import records, registry


class NotDeployable(Exception):
    """The version has not passed validation under its own name and number: says what was found instead."""


@dataclass(frozen=True)
class Deployed:
    """What deployment did.

    Attributes:
        model_name: registered model.
        champion: the version that is champion now.
        previous_champion: the version it replaced, empty for a first model.
        changed: whether the alias moved; False when it was there already.
    """

    model_name: str
    champion: str
    previous_champion: str
    changed: bool

    def sentence(self) -> str:
        """What happened, for people to read."""
        if not self.changed:
            return f"Version {self.champion} of {self.model_name} is already the champion."
        replaced = f"in place of version {self.previous_champion}" if self.previous_champion else "the first one"
        return f"Version {self.champion} of {self.model_name} is now the champion, {replaced}."

    def summary(self) -> dict[str, object]:
        """What the notebook answers with, as JSON."""
        return asdict(self)


def deploy(model_name: str, model_version: str) -> Deployed:
    """Moves the alias `champion` to the version. Idempotent, also after an interruption.

    The previous champion is recorded on the new one before the alias moves: after an interruption between the two, the
    old champion is still in place, and both are repeated.

    Raises:
        NotDeployable: the version's verdict is not `passed`, or is about another version.
    """
    registry.use_registry_of(model_name)
    tags = MlflowClient().get_model_version(model_name, model_version).tags
    require_passed(model_name, model_version, tags)
    current = registry.version_of_alias(model_name, records.CHAMPION)
    if current == model_version:
        previous, changed = tags.get(records.PREVIOUS_CHAMPION, ""), False
    else:
        previous, changed = current or "", True
        registry.tag_version(model_name, model_version, {records.PREVIOUS_CHAMPION: previous or "none"})
        registry.set_alias(model_name, records.CHAMPION, model_version)
    if registry.version_of_alias(model_name, records.CHALLENGER) == model_version:
        registry.remove_alias(model_name, records.CHALLENGER)
    return Deployed(model_name, model_version, "" if previous == "none" else previous, changed)


def require_passed(model_name: str, model_version: str, tags: dict[str, str]) -> None:
    """Refuses a version unless its verdict is `passed` and was given to this very name and number."""
    judgement = records.read_version(model_name, model_version, tags).judgement
    if judgement is None or judgement.verdict != records.PASSED:
        verdict, about = tags.get(records.VERDICT, "none"), tags.get(records.VERDICT_FOR, "none")
        reason = tags.get(records.VERDICT_REASON, "it was never validated")
        raise NotDeployable(
            f"{records.verdict_for(model_name, model_version)} cannot be deployed: its verdict is `{verdict}`, for `{about}` ({reason}). "
            "Run the training job, whose ModelValidation task sets the verdict."
        )
