//! Somebody who promotes, as the command does it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use xtask_promotion::apply::{Promotion, Watch, apply, take_back};
use xtask_promotion::journal::Journal;
use xtask_promotion::{
    Asked, Error, OpenEnd, OverRest, Owner, Plan, Registry, Step, UndoPlan, plan, plan_undo,
};
use xtask_remote::Transport;

use crate::world::{PROD, STAGING, STATE};

/// One process after the other of somebody on one machine. Each call is one process.
pub(crate) struct Promoter {
    machine: &'static str,
    folder: TempDir,
    break_lock: Option<String>,
}

/// Both ends, as the process reaches them.
#[derive(Clone, Copy)]
pub(crate) struct Ways<'a> {
    pub(crate) staging: &'a dyn Transport,
    pub(crate) prod: &'a dyn Transport,
}

impl<'a> Ways<'a> {
    pub(crate) fn staging(self) -> OpenEnd<'a> {
        OpenEnd {
            target: "staging",
            host: "https://staging.example",
            model: STAGING,
            state_path: "/none",
            transport: self.staging,
            registry: Registry::UNITY_CATALOG,
            carrier: &OverRest,
        }
    }

    pub(crate) fn prod(self) -> OpenEnd<'a> {
        OpenEnd {
            target: "prod",
            host: "https://prod.example",
            model: PROD,
            state_path: STATE,
            transport: self.prod,
            registry: Registry::UNITY_CATALOG,
            carrier: &OverRest,
        }
    }
}

/// Sees nothing, and does not wait.
struct Unwatched;

impl Watch for Unwatched {
    fn step(&mut self, _: &Step) {}

    fn sleep(&mut self, _: Duration) {}
}

impl Promoter {
    pub(crate) fn on(machine: &'static str) -> Promoter {
        Promoter {
            machine,
            folder: in_memory(),
            break_lock: None,
        }
    }

    /// Who may break the lock of this name.
    pub(crate) fn breaking(mut self, lock: Option<&str>) -> Promoter {
        self.may_break(lock);
        self
    }

    /// From now on may break the lock of this name.
    pub(crate) fn may_break(&mut self, lock: Option<&str>) {
        self.break_lock = lock.map(str::to_owned);
    }

    /// A process of its own each time: what an earlier one left is an ended one's.
    fn owner(&self) -> Owner {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::SeqCst);
        Owner {
            user: "anna@example.com".to_owned(),
            machine: self.machine.to_owned(),
            // No system has processes of such numbers, so none of them is at work.
            process: u32::MAX - number,
            started: "1".to_owned(),
        }
    }

    /// Promotes a version of staging, by default the champion; `None` when there was nothing to do.
    pub(crate) fn promote(
        &self,
        ways: Ways<'_>,
        version: Option<u64>,
    ) -> Result<Option<u64>, Error> {
        let plan = self.plan(ways, version)?;
        if plan.is_done() {
            return Ok(None);
        }
        self.apply(ways, &plan).map(Some)
    }

    pub(crate) fn plan(&self, ways: Ways<'_>, version: Option<u64>) -> Result<Plan, Error> {
        let asked = Asked {
            version,
            by: "anna@example.com",
            pull: Some(7),
            links: Vec::new(),
            train: "fit",
        };
        plan(&ways.staging(), &ways.prod(), &asked)
    }

    /// Where files are on their way. Each promotion has its own place, which goes with its end.
    pub(crate) fn folder_of(&self, plan: &Plan) -> PathBuf {
        self.folder.path().join(&plan.id)
    }

    pub(crate) fn apply(&self, ways: Ways<'_>, plan: &Plan) -> Result<u64, Error> {
        let smoke = |files: &Path| -> Result<String, Error> {
            assert!(files.join("MLmodel").is_file(), "nothing to predict with");
            Ok("predicted".to_owned())
        };
        let owner = self.owner();
        let folder = self.folder_of(plan);
        let promotion = self.promotion(ways, &owner, &folder, &smoke);
        let steps = xtask_promotion::steps::of(plan, &promotion.from, &promotion.to, &folder);
        let done = apply(plan, &steps, &promotion, &mut Unwatched, &mut no_journal())?;
        let _ = std::fs::remove_dir_all(folder);
        Ok(done.version)
    }

    /// Takes a promotion back; `None` when there was nothing to do.
    pub(crate) fn undo(&self, ways: Ways<'_>, id: Option<&str>) -> Result<Option<u64>, Error> {
        let plan = plan_undo(&ways.prod(), id, "anna@example.com")?;
        if plan.is_done() {
            return Ok(None);
        }
        self.apply_undo(ways, &plan).map(Some)
    }

    pub(crate) fn apply_undo(&self, ways: Ways<'_>, plan: &UndoPlan) -> Result<u64, Error> {
        let smoke = |_: &Path| -> Result<String, Error> { Ok(String::new()) };
        let owner = self.owner();
        let promotion = self.promotion(ways, &owner, self.folder.path(), &smoke);
        let steps = plan.steps(&promotion.to);
        take_back(plan, &steps, &promotion, &mut Unwatched, &mut no_journal())
            .map(|done| done.version)
    }

    fn promotion<'a>(
        &'a self,
        ways: Ways<'a>,
        owner: &'a Owner,
        folder: &'a Path,
        smoke: xtask_promotion::apply::Smoke<'a>,
    ) -> Promotion<'a> {
        Promotion {
            from: ways.staging(),
            to: ways.prod(),
            owner,
            break_lock: self.break_lock.as_deref(),
            folder,
            smoke,
        }
    }

    /// Forgets the files on their way, as another machine does not have them.
    pub(crate) fn clear(&self) {
        for promotion in std::fs::read_dir(self.folder.path()).unwrap() {
            std::fs::remove_dir_all(promotion.unwrap().path()).unwrap();
        }
    }
}

/// A folder that costs no disk, where the system has such.
fn in_memory() -> TempDir {
    let shared = Path::new("/dev/shm");
    match tempfile::tempdir_in(shared) {
        Ok(folder) => folder,
        Err(_) => tempfile::tempdir().unwrap(),
    }
}

/// None: it is only a hint, and would cost more time than all the rest.
fn no_journal() -> Journal {
    Journal::open(Path::new("/dev/null/none"), "none", "")
}
