//! One journey, from a change on a laptop to a model version in production and back, in surroundings that must change
//! nothing about it: what git, the user, the machine or a caller bring along.

mod hooks;
mod journey;
mod kinds;
mod slow_disk;

use kinds::Surrounding::{
    AwkwardTemporaryFolder, FilesForTheOwnerAlone, GitHooks, GitOfYears, Language, LoadedMachine,
    NoHome, ProgramsThatWait, SlowDisk,
};

#[test]
fn the_journey_from_hooks_of_git_by_a_user_with_habits() {
    journey::in_surroundings(&[
        GitOfYears,
        GitHooks,
        ProgramsThatWait,
        Language,
        FilesForTheOwnerAlone,
        AwkwardTemporaryFolder,
    ]);
}

#[test]
fn the_journey_on_a_loaded_machine_with_a_slow_disk() {
    journey::in_surroundings(&[LoadedMachine, SlowDisk, NoHome]);
}
