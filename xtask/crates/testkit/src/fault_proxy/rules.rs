//! Which requests are harmed, and how.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::faults::Fault;
use super::record::Passed;

/// A fault, and the requests at which it happens: at first the next one that does not come from the
/// Databricks CLI, once.
#[derive(Clone)]
pub struct Rule {
    fault: Fault,
    matches: Arc<dyn Fn(&Passed) -> bool + Send + Sync>,
    nth: usize,
    times: usize,
    counted: usize,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("fault", &self.fault)
            .field("nth", &self.nth)
            .field("times", &self.times)
            .field("counted", &self.counted)
            .finish_non_exhaustive()
    }
}

impl Rule {
    /// A rule for one request.
    #[must_use]
    pub fn new(fault: Fault) -> Rule {
        Rule {
            fault,
            matches: Arc::new(|asked| !asked.is_of_the_cli()),
            nth: 1,
            times: 1,
            counted: 0,
        }
    }

    /// Counts these requests only. When it is asked, a body of more than 64 KiB has not come yet.
    #[must_use]
    pub fn matching(mut self, matches: impl Fn(&Passed) -> bool + Send + Sync + 'static) -> Rule {
        self.matches = Arc::new(matches);
        self
    }

    /// Begins with the `n`-th of the counted requests; the first is 1.
    #[must_use]
    pub fn nth(mut self, n: usize) -> Rule {
        self.nth = n;
        self
    }

    /// Happens at so many counted requests in a row.
    #[must_use]
    pub fn times(mut self, times: usize) -> Rule {
        self.times = times;
        self
    }

    /// Never ends.
    #[must_use]
    pub fn always(self) -> Rule {
        self.times(usize::MAX)
    }

    /// Counts a request; the fault, if it is this one's turn.
    fn due(&mut self, asked: &Passed) -> Option<Fault> {
        if !(self.matches)(asked) {
            return None;
        }
        self.counted += 1;
        let past = self.counted.checked_sub(self.nth)?;
        (past < self.times).then(|| self.fault.clone())
    }
}

/// The rules in force.
#[derive(Debug, Default)]
pub(super) struct Rules(Mutex<Vec<Rule>>);

impl Rules {
    pub(super) fn add(&self, rule: Rule) {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rules.push(rule);
    }

    pub(super) fn clear(&self) {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rules.clear();
    }

    /// What happens to a request. Every rule counts it.
    pub(super) fn due(&self, asked: &Passed) -> Option<Fault> {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due: Vec<Fault> = rules
            .iter_mut()
            .filter_map(|rule| rule.due(asked))
            .collect();
        due.into_iter().next()
    }
}
