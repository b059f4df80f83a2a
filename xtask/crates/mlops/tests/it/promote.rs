//! `cargo xtask promote` of model versions, across two real workspaces.

mod day;
mod far;
mod kills;
mod large;
mod looks;
mod plans;
mod refusals;
pub(crate) mod world;

use serde_json::Value;
use world::{FROM, Training, World};

#[test]
fn a_version_crosses_the_border() {
    let world = World::alone();
    let (from, to) = (&world.from, &world.to);
    let made = world.train(&Training::default());
    let other = world.train(&Training {
        start: 2.0,
        ..Training::default()
    });
    assert_ne!(made.digest, other.digest);
    assert_eq!(from.champion(), Some(other.number));

    let number = made.number.to_string();
    let said = world.promote(&[&number, "--yes", "--json"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let told: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(told["digest"], made.digest.as_str());
    let number = told["promoted"].as_u64().unwrap();
    assert_eq!((to.champion(), to.versions()), (Some(number), vec![number]));
    assert!(
        to.proxy
            .record()
            .iter()
            .any(|passed| !passed.is_of_the_cli())
    );
    // By the code that is deployed: a start of 1.5 months, and the sample's calls and bills.
    let tried = "3 predictions, mean 7.8000: 5.1";
    assert!(said.stderr.contains(tried), "{}", said.stderr);

    // The runs that its tags name are where it came from, which it says; it has none of its own here.
    assert_eq!(
        to.version(number)["run_id"].as_str().unwrap_or_default(),
        ""
    );
    let came = format!("{FROM} {}", from.proxy.url());
    assert_eq!(to.tag(number, "mlops_promotion_from"), Some(came));
    let trained = format!("{} {}", from.proxy.url(), made.run);
    assert_eq!(to.tag(number, "mlops_trained_in"), Some(trained));
    let validation = to.tag(number, "mlops_validation_run_id").unwrap();
    assert_eq!(validation, made.validation);
    for run in [&made.run, &validation] {
        let found = from.get("/api/2.0/mlflow/runs/get", &[("run_id", run)]);
        assert_eq!(found["run"]["info"]["run_id"], run.as_str());
    }

    world.clear();
    let left = (from.versions(), to.versions(), to.champion());
    assert_eq!(left, (vec![], vec![], None));
}
