//! A model that does not fit into memory passes through: streamed, and not again from the start after a kill.

use std::process::{Child, Stdio};
use std::time::Duration;

use xtask_testkit::{Fault, Rule, Victim, When};

use super::world::{Training, World};

/// How large, in MB; `XTASK_LARGE=2048` for the size that the docs speak of.
fn megabytes() -> usize {
    let asked = std::env::var("XTASK_LARGE").ok();
    asked.and_then(|size| size.parse().ok()).unwrap_or(128)
}

/// The most memory that a process has had, in MB, watched until it ends.
fn peak(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kilobytes.unwrap_or(0u64) / 1024);
        std::thread::sleep(Duration::from_millis(20));
    }
    peak
}

#[test]
fn a_large_model_streams_through_and_goes_on_after_a_kill() {
    let world = World::alone();
    let _ = world.train(&Training {
        files: [("weights.bin".to_owned(), vec![7; megabytes() << 20])].into(),
        ..Training::default()
    });
    // Killed before the second file that is sent: all have come from the source by then.
    let victim = Victim::default();
    let sending = Rule::new(Fault::Kill(victim.clone(), When::Before))
        .matching(|asked| asked.method == "PUT")
        .nth(2);
    world.to.proxy.add(sending);
    let start = |world: &World| {
        let mut command = world.promotion(&["--yes"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let mut child = start(&world);
    victim.is(child.id());
    let first = peak(&mut child);
    assert!(!child.wait().unwrap().success());
    world.to.proxy.heal();

    world.from.proxy.clear();
    let mut child = start(&world);
    let second = peak(&mut child);
    assert!(child.wait().unwrap().success());
    assert!(world.to.champion().is_some());
    assert!(
        first > 0 && first.max(second) < 80,
        "{first} MB, then {second} MB"
    );
    let again = world.from.proxy.record();
    let mut files = again
        .iter()
        .filter(|asked| asked.path.contains("/fs/files/"));
    assert_eq!(
        files.next().map(|asked| asked.call()),
        None,
        "it has them already"
    );
}
