//! Several parties whose calls go through one at a time, in an order that a seed decides.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use xtask_remote::{Error, Request, Response, Transport};

use crate::dice::Dice;

/// Decides whose call goes through next. It waits until every party either wants to make a call or has ended, then lets
/// one go, which runs on alone to its next call: the same seed gives the same order, however fast the threads are. In
/// the order of some seeds the parties take turns all the time, in that of others each runs on for long.
#[derive(Debug)]
pub struct Interleaving {
    turns: Mutex<Turns>,
    changed: Condvar,
}

#[derive(Debug)]
struct Turns {
    dice: Dice,
    /// How often of a hundred times whoever had the last turn has the next one, too, whatever the dice say.
    stays: usize,
    running: BTreeSet<usize>,
    waiting: BTreeSet<usize>,
    turn: Option<usize>,
    order: Vec<usize>,
}

/// One of the parties. It has ended when this is dropped.
#[derive(Debug)]
pub struct Party<'a> {
    interleaving: &'a Interleaving,
    number: usize,
}

/// A transport of a party.
pub struct InTurn<'a> {
    party: &'a Party<'a>,
    inner: &'a dyn Transport,
}

impl Interleaving {
    /// An order of the calls of this many parties, numbered from 0. All of them must come to be, by
    /// [`Interleaving::parties`], and each must run on a thread of its own.
    #[must_use]
    pub fn new(seed: u64, parties: usize) -> Interleaving {
        let mut dice = Dice::new(seed);
        let stays = dice.one_of(&[0, 0, 50, 80, 95, 99]);
        Interleaving {
            turns: Mutex::new(Turns {
                dice,
                stays,
                running: (0..parties).collect(),
                waiting: BTreeSet::new(),
                turn: None,
                order: Vec::new(),
            }),
            changed: Condvar::new(),
        }
    }

    #[must_use]
    pub fn parties(&self) -> Vec<Party<'_>> {
        let numbers: Vec<usize> = self.turns().running.iter().copied().collect();
        numbers
            .into_iter()
            .map(|number| Party {
                interleaving: self,
                number,
            })
            .collect()
    }

    /// Runs two parties, each on a thread, to their ends.
    ///
    /// # Panics
    /// When one of them does.
    pub fn run<A: Send, B: Send>(
        seed: u64,
        one: impl FnOnce(&Party<'_>) -> A + Send,
        other: impl FnOnce(&Party<'_>) -> B + Send,
    ) -> (A, B) {
        let interleaving = Interleaving::new(seed, 2);
        let mut parties = interleaving.parties().into_iter();
        let (Some(first), Some(second)) = (parties.next(), parties.next()) else {
            panic!("two parties are two");
        };
        std::thread::scope(|scope| {
            // Moved in: a party that panics has ended, too, and the other goes on.
            let first = scope.spawn(move || one(&first));
            let second = scope.spawn(move || other(&second));
            let (first, second) = (first.join(), second.join());
            let failed = |cause| -> ! { std::panic::resume_unwind(cause) };
            (
                first.unwrap_or_else(|cause| failed(cause)),
                second.unwrap_or_else(|cause| failed(cause)),
            )
        })
    }

    /// Whose turn it was, call by call.
    #[must_use]
    pub fn order(&self) -> Vec<usize> {
        self.turns().order.clone()
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives somebody a turn, once everybody who still runs waits for one.
    fn settle(&self, turns: &mut Turns) {
        if !turns.running.is_empty() || turns.turn.is_some() {
            return;
        }
        let waiting: Vec<usize> = turns.waiting.iter().copied().collect();
        if waiting.is_empty() {
            return;
        }
        let last = turns.order.last().filter(|last| waiting.contains(last));
        let next = match last.copied() {
            Some(last) if turns.dice.chance(turns.stays, 100) => last,
            _ => turns.dice.one_of(&waiting),
        };
        turns.turn = Some(next);
        turns.order.push(next);
        self.changed.notify_all();
    }
}

impl<'a> Party<'a> {
    /// A transport whose calls wait for this party's turns.
    #[must_use]
    pub fn through(&'a self, inner: &'a dyn Transport) -> InTurn<'a> {
        InTurn { party: self, inner }
    }

    /// Its number, from 0.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Waits for a turn without making a call: what a party does instead of sleeping.
    pub fn wait_for_turn(&self) {
        let interleaving = self.interleaving;
        let mut turns = interleaving.turns();
        turns.running.remove(&self.number);
        turns.waiting.insert(self.number);
        interleaving.settle(&mut turns);
        while turns.turn != Some(self.number) {
            turns = interleaving
                .changed
                .wait(turns)
                .unwrap_or_else(PoisonError::into_inner);
        }
        turns.turn = None;
        turns.waiting.remove(&self.number);
        turns.running.insert(self.number);
    }
}

impl Drop for Party<'_> {
    fn drop(&mut self) {
        let mut turns = self.interleaving.turns();
        turns.running.remove(&self.number);
        self.interleaving.settle(&mut turns);
    }
}

impl Transport for InTurn<'_> {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        self.party.wait_for_turn();
        self.inner.send(request)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use xtask_remote::Method;

    use super::*;

    /// Notes who called.
    #[derive(Default)]
    struct Book(Mutex<String>);

    impl Transport for Book {
        fn send(&self, request: &Request) -> Result<Response, Error> {
            let mut book = self.0.lock().unwrap();
            book.push_str(&request.path);
            Ok(Response {
                status: 200,
                headers: xtask_remote::Headers::default(),
                body: Vec::new(),
            })
        }
    }

    fn book(seed: u64, calls: [usize; 2]) -> String {
        let book = Arc::new(Book::default());
        let work = |name: &'static str, calls: usize| {
            let book = Arc::clone(&book);
            move |party: &Party<'_>| {
                let transport = party.through(book.as_ref());
                for _ in 0..calls {
                    transport.send(&Request::new(Method::Get, name)).unwrap();
                }
            }
        };
        Interleaving::run(seed, work("a", calls[0]), work("b", calls[1]));
        let book = book.0.lock().unwrap();
        book.clone()
    }

    #[test]
    fn a_seed_decides_the_order() {
        let orders: BTreeSet<String> = (0..600).map(|seed| book(seed, [3, 3])).collect();
        // All there are: 6 over 3.
        assert_eq!(orders.len(), 20, "{orders:?}");
        for seed in 0..50 {
            assert_eq!(book(seed, [8, 8]), book(seed, [8, 8]));
        }
    }

    #[test]
    fn whoever_ends_holds_nobody_up() {
        assert_eq!(book(1, [0, 3]), "bbb");
        assert_eq!(book(1, [2, 0]), "aa");
        assert_eq!(book(1, [0, 0]), "");
        let one = std::panic::catch_unwind(|| {
            Interleaving::run(
                7,
                |_| std::panic::resume_unwind(Box::new("ended")),
                |party| party.wait_for_turn(),
            )
        });
        assert!(one.is_err());
    }
}
