//! The differential test: sequences of calls, valid and invalid ones, go to the local workspace with a real MLflow and to
//! the one in memory, and the replies are compared; see [`crate::replies`] for what of them.
//!
//! `XTASK_SEED` starts other sequences, `XTASK_CASES` says how many. What fails is made as short as it can be, and
//! printed with the seed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use xtask_remote::{Credentials, Http, Transport};
use xtask_testkit::{MemoryWorkspace, Workspace};

use crate::generate::{Step, steps};
use crate::replies::seen;

/// How many sequences there are if nobody says so, and where their seeds begin.
const CASES: u64 = 520;
const SEED: u64 = 1;
/// So many sequences that fail are enough to look at.
const ENOUGH: usize = 5;

/// Names in the real workspace, which all sequences share, must not meet.
static LAST_NAME: AtomicU64 = AtomicU64::new(0);

#[test]
fn the_workspace_in_memory_replies_as_the_local_workspace_with_mlflow_does() {
    let number =
        |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (seed, cases) = (number("XTASK_SEED", SEED), number("XTASK_CASES", CASES));
    let workspace = Workspace::start();
    let begun = Instant::now();
    let failures = Mutex::new(Vec::new());
    let next = AtomicU64::new(seed);
    let calls = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let token = Credentials::bearer(workspace.token());
                let real = Http::new(workspace.url(), token).unwrap();
                while failures.lock().unwrap().len() < ENOUGH {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= number("XTASK_SEED", SEED) + cases {
                        break;
                    }
                    let steps = steps(seed);
                    calls.fetch_add(steps.len() as u64, Ordering::SeqCst);
                    if let Err(difference) = compare(&real, &steps) {
                        let text = shortest(&real, steps, difference);
                        failures.lock().unwrap().push(format!(
                            "XTASK_SEED={seed} XTASK_CASES=1
{text}"
                        ));
                    }
                }
            });
        }
    });
    println!(
        "{cases} sequences from seed {seed}, {} steps, {:.1} s",
        calls.into_inner(),
        begun.elapsed().as_secs_f64()
    );
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{}",
        failures.join(
            "

"
        )
    );
}

/// Sends the steps to both; an error says which reply differs, and how.
fn compare(real: &dyn Transport, steps: &[Step]) -> Result<(), String> {
    let name = format!("n{}", LAST_NAME.fetch_add(1, Ordering::SeqCst));
    let memory = MemoryWorkspace::new();
    for (index, step) in steps.iter().enumerate() {
        let step = step.named(&name);
        let (expected, found) = (seen(real, &step), seen(&memory, &step));
        if expected != found {
            return Err(format!(
                "reply {} differs\n  real:   {expected:#?}\n  memory: {found:#?}",
                index + 1
            ));
        }
    }
    Ok(())
}

/// Leaves out steps as long as the rest still shows a difference.
fn shortest(real: &dyn Transport, mut steps: Vec<Step>, mut difference: String) -> String {
    let mut index = 0;
    while index < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(index);
        match compare(real, &fewer) {
            Err(still) => (steps, difference) = (fewer, still),
            Ok(()) => index += 1,
        }
    }
    let listed: Vec<String> = steps
        .iter()
        .enumerate()
        .map(|(index, step)| format!("{}. {step}", index + 1))
        .collect();
    format!("{}\n{difference}", listed.join("\n"))
}
