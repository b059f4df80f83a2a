//! What Unity Catalog's and the workspace registry's routes do alike: the calls of MLflow's protocol that answer nothing.

use super::arguments::Arguments;
use super::registry::{Registry, check_key};
use super::reply::Refusal;

type Done = Result<(), Refusal>;

pub(super) fn set_model_tag(registry: &mut Registry, arguments: &Arguments) -> Done {
    let (name, key) = (arguments.required("name")?, arguments.required("key")?);
    check_key(&key)?;
    let value = arguments.text("value").unwrap_or_default().into_owned();
    registry
        .model_mut(&name)?
        .tags
        .insert(key.into_owned(), value);
    Ok(())
}

pub(super) fn delete_model_tag(registry: &mut Registry, arguments: &Arguments) -> Done {
    let (name, key) = (arguments.required("name")?, arguments.required("key")?);
    check_key(&key)?;
    registry.model_mut(&name)?.tags.remove(key.as_ref());
    Ok(())
}

pub(super) fn set_alias(registry: &mut Registry, arguments: &Arguments) -> Done {
    let (name, alias) = (arguments.required("name")?, arguments.required("alias")?);
    registry.set_alias(&name, &alias, &arguments.required("version")?)
}

pub(super) fn delete_alias(registry: &mut Registry, arguments: &Arguments) -> Done {
    let (name, alias) = (arguments.required("name")?, arguments.required("alias")?);
    registry.delete_alias(&name, &alias)
}

pub(super) fn set_version_tag(registry: &mut Registry, arguments: &Arguments) -> Done {
    let (name, number) = (arguments.required("name")?, arguments.required("version")?);
    let key = arguments.required("key")?;
    check_key(&key)?;
    let value = arguments.text("value").unwrap_or_default().into_owned();
    let (_, version) = registry.version_mut(&name, &number)?;
    version.tags.insert(key.into_owned(), value);
    Ok(())
}

pub(super) fn delete_version_tag(registry: &mut Registry, arguments: &Arguments) -> Done {
    let (name, number) = (arguments.required("name")?, arguments.required("version")?);
    let key = arguments.required("key")?;
    check_key(&key)?;
    let (_, version) = registry.version_mut(&name, &number)?;
    version.tags.remove(key.as_ref());
    Ok(())
}

/// Without a description, what was there goes.
pub(super) fn describe_version(now: i64, registry: &mut Registry, arguments: &Arguments) -> Done {
    let (name, number) = (arguments.required("name")?, arguments.required("version")?);
    let description = arguments.text("description").unwrap_or_default();
    let (_, version) = registry.version_mut(&name, &number)?;
    version.description = description.into_owned();
    version.updated = now;
    Ok(())
}
