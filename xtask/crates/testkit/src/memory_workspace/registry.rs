//! The registered models, with the rules of MLflow's own registry (its `sqlalchemy_store.py`, 3.17).

use std::collections::BTreeMap;

use super::reply::Refusal;

/// The tags of a model or version.
pub(super) type Tags = BTreeMap<String, String>;

/// All registered models: those of Unity Catalog have names of three levels, those of the workspace registry any other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Registry {
    pub(super) models: BTreeMap<String, Model>,
}

/// A registered model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) description: String,
    pub(super) tags: Tags,
    pub(super) aliases: BTreeMap<String, u64>,
    /// Deleted ones stay, so that no number is used twice.
    pub(super) versions: BTreeMap<u64, Version>,
}

/// A version of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) description: String,
    pub(super) source: String,
    pub(super) run_id: String,
    pub(super) model_id: String,
    pub(super) stage: Stage,
    /// Whether files are still to come; of Unity Catalog's versions only.
    pub(super) pending: bool,
    pub(super) deleted: bool,
    pub(super) tags: Tags,
}

/// A stage of the workspace registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    None,
    Staging,
    Production,
    Archived,
}

impl Stage {
    pub(super) const ALL: [Stage; 4] = [
        Stage::None,
        Stage::Staging,
        Stage::Production,
        Stage::Archived,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Stage::None => "None",
            Stage::Staging => "Staging",
            Stage::Production => "Production",
            Stage::Archived => "Archived",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Stage, Refusal> {
        let found = Stage::ALL
            .into_iter()
            .find(|stage| stage.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| {
            Refusal::invalid(format!(
                "Invalid Model Version stage: {text}. Value must be one of None, Staging, Production, Archived."
            ))
        })
    }

    fn is_active(self) -> bool {
        matches!(self, Stage::Staging | Stage::Production)
    }
}

/// What a new version is made of.
pub(super) struct NewVersion {
    pub(super) source: String,
    pub(super) run_id: String,
    pub(super) model_id: String,
    pub(super) description: String,
    pub(super) tags: Vec<(String, String)>,
    pub(super) pending: bool,
}

impl Registry {
    pub(super) fn create_model(
        &mut self,
        now: i64,
        name: &str,
        description: &str,
        tags: Vec<(String, String)>,
    ) -> Result<&Model, Refusal> {
        check_name(name)?;
        for (key, _) in &tags {
            check_key(key)?;
        }
        if self.models.contains_key(name) {
            return Err(Refusal::taken(format!(
                "Registered Model (name={name}) already exists."
            )));
        }
        let model = Model {
            created: now,
            updated: now,
            description: description.to_owned(),
            tags: tags.into_iter().collect(),
            aliases: BTreeMap::new(),
            versions: BTreeMap::new(),
        };
        Ok(self.models.entry(name.to_owned()).or_insert(model))
    }

    pub(super) fn model(&self, name: &str) -> Result<&Model, Refusal> {
        check_name(name)?;
        self.models.get(name).ok_or_else(|| no_model(name))
    }

    pub(super) fn model_mut(&mut self, name: &str) -> Result<&mut Model, Refusal> {
        check_name(name)?;
        self.models.get_mut(name).ok_or_else(|| no_model(name))
    }

    /// A version that is not deleted. A missing model is a missing version here.
    pub(super) fn version(&self, name: &str, number: &str) -> Result<(u64, &Version), Refusal> {
        check_name(name)?;
        let number = version_number(number)?;
        let found = self.models.get(name).and_then(|model| {
            let number = u64::try_from(number).ok()?;
            let version = model.versions.get(&number)?;
            (!version.deleted).then_some((number, version))
        });
        found.ok_or_else(|| {
            Refusal::absent(format!(
                "Model Version (name={name}, version={number}) not found"
            ))
        })
    }

    pub(super) fn version_mut(
        &mut self,
        name: &str,
        number: &str,
    ) -> Result<(u64, &mut Version), Refusal> {
        let (number, _) = self.version(name, number)?;
        let version = self
            .models
            .get_mut(name)
            .and_then(|model| model.versions.get_mut(&number));
        version
            .map(|version| (number, version))
            .ok_or_else(|| no_model(name))
    }

    pub(super) fn create_version(
        &mut self,
        now: i64,
        name: &str,
        new: NewVersion,
    ) -> Result<u64, Refusal> {
        check_name(name)?;
        for (key, _) in &new.tags {
            check_key(key)?;
        }
        let model = self.model_mut(name)?;
        model.updated = now;
        let number = model.versions.keys().max().unwrap_or(&0) + 1;
        let version = Version {
            created: now,
            updated: now,
            description: new.description,
            source: new.source,
            run_id: new.run_id,
            model_id: new.model_id,
            stage: Stage::None,
            pending: new.pending,
            deleted: false,
            tags: new.tags.into_iter().collect(),
        };
        model.versions.insert(number, version);
        Ok(number)
    }

    pub(super) fn delete_version(
        &mut self,
        now: i64,
        name: &str,
        number: &str,
    ) -> Result<u64, Refusal> {
        let (number, version) = self.version_mut(name, number)?;
        version.deleted = true;
        version.updated = now;
        let model = self.model_mut(name)?;
        model.updated = now;
        model.aliases.retain(|_, named| *named != number);
        Ok(number)
    }

    pub(super) fn set_alias(
        &mut self,
        name: &str,
        alias: &str,
        number: &str,
    ) -> Result<(), Refusal> {
        check_name(name)?;
        check_alias(alias)?;
        let reserved = alias.eq_ignore_ascii_case("latest")
            || alias
                .strip_prefix(['v', 'V'])
                .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()));
        if reserved {
            return Err(Refusal::invalid(format!(
                "Version alias name '{alias}' is reserved."
            )));
        }
        let (number, _) = self.version(name, number)?;
        self.model_mut(name)?
            .aliases
            .insert(alias.to_owned(), number);
        Ok(())
    }

    pub(super) fn delete_alias(&mut self, name: &str, alias: &str) -> Result<(), Refusal> {
        check_name(name)?;
        check_alias(alias)?;
        self.model_mut(name)?.aliases.remove(alias);
        Ok(())
    }

    /// MLflow calls an alias that is not there an invalid parameter, not something missing.
    pub(super) fn by_alias(&self, name: &str, alias: &str) -> Result<(u64, &Version), Refusal> {
        check_name(name)?;
        check_alias(alias)?;
        let model = self.model(name)?;
        if alias.eq_ignore_ascii_case("latest") {
            let newest = model.alive().next_back();
            return newest.ok_or_else(|| {
                Refusal::absent(format!("Latest version not found for model {name}."))
            });
        }
        let number = model.aliases.get(alias).ok_or_else(|| {
            Refusal::invalid(format!("Registered model alias {alias} not found."))
        })?;
        self.version(name, &number.to_string())
    }

    pub(super) fn transition(
        &mut self,
        now: i64,
        name: &str,
        number: &str,
        stage: &str,
        archive: bool,
    ) -> Result<u64, Refusal> {
        let stage = Stage::parse(stage)?;
        if archive && !stage.is_active() {
            return Err(Refusal::new(
                500,
                "INTERNAL_ERROR",
                format!(
                    "Model version transition cannot archive existing model versions because '{}' is not an Active \
                     stage. Valid stages are ['Staging', 'Production']",
                    stage.as_str()
                ),
            ));
        }
        let (number, _) = self.version(name, number)?;
        let model = self.model_mut(name)?;
        model.updated = now;
        for (other, version) in &mut model.versions {
            if *other == number {
                version.stage = stage;
                version.updated = now;
            } else if archive && version.stage == stage && !version.deleted {
                version.stage = Stage::Archived;
                version.updated = now;
            }
        }
        Ok(number)
    }
}

impl Model {
    /// The versions that are not deleted, by number.
    pub(super) fn alive(&self) -> impl DoubleEndedIterator<Item = (u64, &Version)> {
        self.versions
            .iter()
            .filter(|(_, version)| !version.deleted)
            .map(|(number, version)| (*number, version))
    }

    /// The newest version of each stage.
    pub(super) fn newest_of_each_stage(&self) -> BTreeMap<Stage, (u64, &Version)> {
        self.alive()
            .map(|(number, version)| (version.stage, (number, version)))
            .collect()
    }

    pub(super) fn aliases_of(&self, number: u64) -> Vec<&str> {
        self.aliases
            .iter()
            .filter(|(_, named)| **named == number)
            .map(|(alias, _)| alias.as_str())
            .collect()
    }
}

impl Version {
    pub(super) fn status(&self) -> &'static str {
        match self.pending {
            true => "PENDING_REGISTRATION",
            false => "READY",
        }
    }
}

fn no_model(name: &str) -> Refusal {
    Refusal::absent(format!("Registered Model with name={name} not found"))
}

fn version_number(text: &str) -> Result<i64, Refusal> {
    text.trim().parse().map_err(|_| {
        Refusal::invalid(format!(
            "Parameter 'version' must be an integer, got '{text}'."
        ))
    })
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        return Err(Refusal::invalid(
            "Missing value for required parameter 'name'.",
        ));
    }
    if name.contains(['/', ':']) {
        return Err(Refusal::invalid(format!(
            "Invalid model name '{name}'. Names cannot contain '/' or ':'."
        )));
    }
    Ok(())
}

fn check_alias(alias: &str) -> Result<(), Refusal> {
    if alias
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
    )))
}

/// Whether MLflow takes this for the key of a tag.
pub(super) fn check_key(key: &str) -> Result<(), Refusal> {
    let fine = |c: char| c.is_alphanumeric() || "_/-. :".contains(c);
    // A key must not look like a path that leads elsewhere.
    let plain = !key.is_empty()
        && !key.starts_with('/')
        && !key.ends_with('/')
        && !key.contains("//")
        && key.split('/').all(|part| !matches!(part, "." | ".."));
    if plain && key.chars().all(fine) && key.chars().count() <= 250 {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "Invalid value \"{key}\" for parameter 'key' supplied: Names may only contain alphanumerics, underscores (_), \
         dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
    )))
}
