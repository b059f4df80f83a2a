//! Forks of forks.

use super::world::{BRANCH, World};

#[test]
fn a_fork_of_a_fork_proposes_to_the_root_of_both() {
    let mut world = World::new();
    let (bob, cyd) = (world.forge.user("bob"), world.forge.user("cyd"));
    let of_bob = world.forge.fork(&world.repository, &bob);
    let of_cyd = world.forge.fork(&of_bob, &cyd);
    world.git(&["remote", "rename", "origin", "upstream"]);
    world.git(&["remote", "add", "origin", &of_cyd.clone_url]);
    world.me = cyd;
    let opened = world.open(&["--no-test"]);
    assert_eq!(opened["repository"], "ann/churn", "{opened}");
    assert_eq!(opened["head_repository"], "cyd/churn", "{opened}");
    assert_eq!(world.pulls()[0]["head"]["label"], format!("cyd:{BRANCH}"));
}
