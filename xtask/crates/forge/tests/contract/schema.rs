//! The schema that the forge answers is a part of the published one.

use std::collections::HashMap;

use apollo_compiler::ast::{Definition, Document, FieldDefinition, InputValueDefinition};
use apollo_compiler::{Name, Node};

use crate::given;

const OURS: &str = include_str!("../../schema/github.graphql");

#[test]
#[ignore = "needs GitHub's published schema"]
fn it_is_a_part_of_the_published_one() {
    let published = std::fs::read_to_string(given("XTASK_TEST_GITHUB_SCHEMA")).unwrap();
    let published = document(&published);
    let ours = document(OURS);
    let known: HashMap<&Name, &Definition> = published
        .definitions
        .iter()
        .filter_map(|one| Some((one.name()?, one)))
        .collect();
    let mut compared = 0;
    for one in &ours.definitions {
        let name = one.name().expect("every definition has a name");
        let theirs = known
            .get(name)
            .unwrap_or_else(|| panic!("GitHub has no {name}"));
        compared += compare(name, one, theirs);
    }
    assert!(compared > 700, "only {compared} parts were compared");
}

fn document(text: &str) -> Document {
    // GitHub's own has a few fields twice, which matters to a validator only.
    Document::parse(text, "schema").unwrap_or_else(|broken| panic!("{}", broken.errors))
}

/// Compares two definitions, and returns how many parts ours has.
fn compare(name: &str, ours: &Definition, theirs: &Definition) -> usize {
    match (ours, theirs) {
        (Definition::ObjectTypeDefinition(ours), Definition::ObjectTypeDefinition(theirs)) => {
            for interface in &ours.implements_interfaces {
                assert!(
                    theirs.implements_interfaces.contains(interface),
                    "{name} is no {interface}"
                );
            }
            fields(name, &ours.fields, &theirs.fields)
        }
        (
            Definition::InterfaceTypeDefinition(ours),
            Definition::InterfaceTypeDefinition(theirs),
        ) => fields(name, &ours.fields, &theirs.fields),
        (
            Definition::InputObjectTypeDefinition(ours),
            Definition::InputObjectTypeDefinition(theirs),
        ) => {
            inputs(name, &ours.fields, &theirs.fields);
            ours.fields.len()
        }
        (Definition::EnumTypeDefinition(ours), Definition::EnumTypeDefinition(theirs)) => {
            let values = |one: &[Node<apollo_compiler::ast::EnumValueDefinition>]| -> Vec<String> {
                one.iter().map(|value| value.value.to_string()).collect()
            };
            assert_eq!(values(&ours.values), values(&theirs.values), "{name}");
            ours.values.len()
        }
        (Definition::UnionTypeDefinition(ours), Definition::UnionTypeDefinition(theirs)) => {
            for member in &ours.members {
                assert!(theirs.members.contains(member), "{member} is not in {name}");
            }
            ours.members.len()
        }
        (Definition::ScalarTypeDefinition(_), Definition::ScalarTypeDefinition(_)) => 1,
        _ => panic!("{name} is of another kind at GitHub"),
    }
}

fn fields(name: &str, ours: &[Node<FieldDefinition>], theirs: &[Node<FieldDefinition>]) -> usize {
    for field in ours {
        let full = format!("{name}.{}", field.name);
        let known = theirs.iter().find(|one| one.name == field.name);
        let known = known.unwrap_or_else(|| panic!("GitHub has no {full}"));
        assert_eq!(field.ty.to_string(), known.ty.to_string(), "{full}");
        inputs(&full, &field.arguments, &known.arguments);
    }
    ours.len()
}

/// Ours are among theirs, and what they need, ours need, too.
fn inputs(name: &str, ours: &[Node<InputValueDefinition>], theirs: &[Node<InputValueDefinition>]) {
    for input in ours {
        let known = theirs.iter().find(|one| one.name == input.name);
        let known = known.unwrap_or_else(|| panic!("GitHub has no {name}({})", input.name));
        assert_eq!(
            input.ty.to_string(),
            known.ty.to_string(),
            "{name}({})",
            input.name
        );
        assert_eq!(
            input.default_value, known.default_value,
            "{name}({})",
            input.name
        );
    }
    for needed in theirs
        .iter()
        .filter(|one| one.ty.is_non_null() && one.default_value.is_none())
    {
        assert!(
            ours.iter().any(|one| one.name == needed.name),
            "{name} lacks {}",
            needed.name
        );
    }
}
