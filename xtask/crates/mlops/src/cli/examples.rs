//! The examples at the end of each command's `--help`. A test parses every line.

/// What it does, and the command line.
pub(super) type Example = (&'static str, &'static str);

/// The examples of a command, by what follows `cargo xtask`; none where there are none.
pub(super) fn of(path: &str) -> &'static [Example] {
    let found = EXAMPLES.iter().find(|(of, _)| *of == path);
    found.map_or(&[], |(_, examples)| examples)
}

#[rustfmt::skip]
const EXAMPLES: &[(&str, &[Example])] = &[
    ("", &[
        ("Test the project on this machine", "cargo xtask test"),
        ("Open a pull request for the branch", "cargo xtask open-pr"),
        ("Show what is open and what is deployed", "cargo xtask status"),
    ]),
    ("init", &[
        ("Answer questions, then create ../churn", "cargo xtask init ../churn"),
        ("Take the default of each question", "cargo xtask init ../churn --yes --name churn"),
        ("Take the answers from a file, in CI", "cargo xtask init ../churn --yes --answers answers.toml"),
    ]),
    ("setup", &[
        ("Install what is missing", "cargo xtask setup"),
        ("Report what is missing", "cargo xtask setup --check"),
    ]),
    ("test", &[
        ("Run all tests", "cargo xtask test"),
        ("Run the unit tests only, even if nothing changed", "cargo xtask test unit --force"),
        ("Write a report for CI", "cargo xtask test --junit report.xml"),
    ]),
    ("open-pr", &[
        ("Commit all changes and propose them", "cargo xtask open-pr --commit \"Clip fares at 200 dollars\""),
        ("Open a draft and request a review", "cargo xtask open-pr --draft --reviewer ann,acme/ml"),
        ("Print the plan without pushing", "cargo xtask open-pr --dry-run"),
    ]),
    ("merge", &[
        ("Merge the pull request of this branch", "cargo xtask merge"),
        ("Squash pull request 12", "cargo xtask merge 12 --method squash"),
        ("Merge as soon as GitHub allows it", "cargo xtask merge --auto"),
    ]),
    ("promote", &[
        ("Promote the champion of staging to the next target", "cargo xtask promote --from staging"),
        ("Promote code and merge the pull request", "cargo xtask promote --code --from staging --merge"),
        ("Revert the newest promotion to prod", "cargo xtask promote --undo --to prod"),
    ]),
    ("deploy", &[
        ("Deploy to dev", "cargo xtask deploy"),
        ("Print the plan for staging", "cargo xtask deploy --target staging --dry-run"),
    ]),
    ("run", &[
        ("Train a model on dev", "cargo xtask run model_training_job"),
        ("Set a job parameter", "cargo xtask run model_training_job --param training_data=/Volumes/main/taxi/2016"),
    ]),
    ("status", &[
        ("Show everything once", "cargo xtask status"),
        ("Wait for the checks, at most 30 minutes", "cargo xtask status --watch --timeout 30"),
        ("Open the pull request in the browser", "cargo xtask status --web"),
    ]),
    ("logs", &[
        ("Show the newest failed job run", "cargo xtask logs"),
        ("Show a check of this branch", "cargo xtask logs \"check:Unit and integration tests\""),
        ("Show a job run on staging", "cargo xtask logs run:42 --target staging"),
    ]),
    ("rerun", &[
        ("Re-run the failed checks", "cargo xtask rerun --failed"),
        ("Print which checks would run", "cargo xtask rerun --failed --dry-run"),
    ]),
    ("destroy", &[
        ("Print what would be deleted", "cargo xtask destroy --target dev --dry-run"),
        ("Delete the deployment on dev", "cargo xtask destroy --target dev"),
    ]),
    ("data", &[
        ("Generate the data sets", "cargo xtask data make"),
        ("Upload them to dev", "cargo xtask data upload --target dev"),
    ]),
    ("data make", &[
        ("Generate the data sets", "cargo xtask data make"),
        ("Generate more rows", "cargo xtask data make -- --rows 100000"),
    ]),
    ("data upload", &[
        ("Upload to dev", "cargo xtask data upload"),
        ("Upload to staging, which a branch deploys to", "cargo xtask data upload --target staging --generated"),
    ]),
    ("model", &[
        ("Download the champion", "cargo xtask model pull"),
        ("Test version 12 of dev", "cargo xtask model smoke --number 12 --target dev"),
    ]),
    ("model pull", &[
        ("Download the champion", "cargo xtask model pull"),
        ("Download version 12 of prod to a folder", "cargo xtask model pull --number 12 --target prod --out model"),
    ]),
    ("model smoke", &[
        ("Test the challenger", "cargo xtask model smoke challenger"),
        ("Test the champion of staging with the code of prod", "cargo xtask model smoke --target staging --code prod"),
    ]),
    ("workspace", &[
        ("Open the local workspace in the browser", "cargo xtask workspace open"),
        ("Show whether it is running", "cargo xtask workspace status"),
    ]),
    ("workspace up", &[
        ("Start it", "cargo xtask workspace up"),
        ("Start it and run jobs on their schedules", "cargo xtask workspace up --schedules"),
    ]),
    ("workspace down", &[
        ("Stop it", "cargo xtask workspace down"),
        ("Stop one of several", "cargo xtask workspace down --profile mlops-local-prod"),
    ]),
    ("workspace status", &[
        ("Show the status", "cargo xtask workspace status"),
        ("Print the status as JSON", "cargo xtask workspace status --json"),
    ]),
    ("workspace env", &[
        ("Point this shell at the local workspace", "eval \"$(cargo xtask workspace env)\""),
        ("Print the variables", "cargo xtask workspace env"),
    ]),
    ("workspace principal", &[
        ("Create a service principal for CI", "cargo xtask workspace principal ci"),
        ("Load its credentials into this shell", "eval \"$(cargo xtask workspace principal ci)\""),
        ("Delete it", "cargo xtask workspace principal ci --remove"),
    ]),
    ("workspace open", &[
        ("Open the start page", "cargo xtask workspace open"),
        ("Open a job run", "cargo xtask workspace open /jobs/1/runs/2"),
    ]),
    ("workspace logs", &[
        ("Show the newest 100 lines", "cargo xtask workspace logs"),
        ("Show the newest 20 lines of MLflow", "cargo xtask workspace logs --mlflow --lines 20"),
    ]),
    ("workspace reset", &[
        ("Delete all state, after a prompt", "cargo xtask workspace reset"),
        ("Delete the state of one of several", "cargo xtask workspace reset --profile mlops-local-prod"),
    ]),
    ("workspace conformance", &[
        ("Compare with docs/conformance.md", "cargo xtask workspace conformance"),
        ("Update docs/conformance.md", "cargo xtask workspace conformance --write"),
    ]),
    ("ci", &[
        ("Run all checks", "cargo xtask ci"),
        ("Run the checks of the ML project", "cargo xtask ci --only project"),
        ("List the parts", "cargo xtask ci --list"),
    ]),
    ("bench", &[
        ("Run the quick benchmarks", "cargo xtask bench"),
        ("Run one benchmark", "cargo xtask bench help"),
    ]),
    ("completions", &[
        ("Bash", "cargo xtask completions bash > ~/.cargo-xtask.bash"),
        ("Zsh", "cargo xtask completions zsh > ~/.cargo-xtask.zsh"),
        ("Fish", "cargo xtask completions fish > ~/.config/fish/conf.d/cargo-xtask.fish"),
    ]),
];
