//! Whose turn it is with what takes a processor or much memory while it lasts: prompts that are written, files that are read,
//! pictures that are converted.
//!
//! One thing of each owner's is done at a time, and only that one stands in the line of all: so owners are served in turn,
//! however much each asks for. How much waits is bounded as well, for an owner and for everybody at an address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use types::error::PublicError;

use crate::{Error, Result, Visitor};

/// How much of something is done, and may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// What it is, in the plural, and what is done with it: `prompts that are written`.
    pub(crate) what: &'static str,
    /// How much is done at the same time.
    pub(crate) at_once: u32,
    /// How much of one owner's is done or waits.
    pub(crate) most_of_owner: usize,
    /// The same of everybody who calls from one address without a key.
    pub(crate) most_of_address: usize,
}

/// Seconds after which somebody with too many may look again: one takes a few at most.
const RETRY_S: u64 = 5;

/// Whose turn it is, and who waits.
pub(crate) struct Turns {
    bounds: Bounds,
    places: Arc<Semaphore>,
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    owners: HashMap<String, OfOwner>,
    /// How many are asked for from each address.
    addresses: HashMap<String, usize>,
}

#[derive(Default)]
struct OfOwner {
    n_asked: usize,
    /// Held by the one that is done, or is next.
    own_turn: Arc<tokio::sync::Mutex<()>>,
}

/// Something that was asked for. Dropping it makes room for another.
pub(crate) struct Ticket {
    turns: Arc<Turns>,
    owner: String,
    /// Empty if it does not count.
    address: String,
    own_turn: Arc<tokio::sync::Mutex<()>>,
}

/// The time in which it is done.
pub(crate) struct Turn {
    _of_owner: OwnedMutexGuard<()>,
    _of_all: Option<OwnedSemaphorePermit>,
    /// Dropped last.
    _ticket: Ticket,
}

impl Turns {
    pub(crate) fn new(bounds: Bounds) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(bounds.at_once as usize));
        Arc::new(Self { bounds, places, asked: Mutex::default() })
    }

    /// Resolves when it is this visitor's turn.
    ///
    /// # Errors
    /// As much as is allowed waits or is done already.
    pub(crate) async fn turn(self: &Arc<Self>, visitor: &Visitor) -> Result<Turn, PublicError> {
        Ok(self.take_ticket(visitor)?.turn().await)
    }

    /// Takes note of something that somebody asks for.
    ///
    /// # Errors
    /// As much as is allowed waits or is done already.
    pub(crate) fn take_ticket(self: &Arc<Self>, visitor: &Visitor) -> Result<Ticket, PublicError> {
        let Bounds { what, most_of_owner, most_of_address, .. } = self.bounds;
        // A key stands for its holder, wherever they call from.
        let address = if visitor.allowance().is_some() { "" } else { visitor.address() };
        let mut asked = self.lock();
        let of_owner = asked.owners.get(visitor.owner_id()).map_or(0, |of_owner| of_owner.n_asked);
        let of_address = asked.addresses.get(address).copied().unwrap_or(0);
        let who = if of_owner >= most_of_owner {
            Some(("you have", most_of_owner))
        } else if of_address >= most_of_address {
            Some(("everybody at your address together has", most_of_address))
        } else {
            None
        };
        if let Some((who, most)) = who {
            let sentence = format!(
                "{who} {most} {what} or wait already; allowed are {most} at a time, so wait for one of them"
            );
            return Err(PublicError::limit_reached(sentence, RETRY_S));
        }
        if !address.is_empty() {
            *asked.addresses.entry(address.to_owned()).or_default() += 1;
        }
        let of_owner = asked.owners.entry(visitor.owner_id().to_owned()).or_default();
        of_owner.n_asked += 1;
        let own_turn = Arc::clone(&of_owner.own_turn);
        let (turns, owner, address) = (Arc::clone(self), visitor.owner_id().to_owned(), address.to_owned());
        Ok(Ticket { turns, owner, address, own_turn })
    }

    /// Resolves when nothing is done.
    #[cfg(test)]
    pub(crate) async fn all_quiet(&self) {
        let all = self.places.acquire_many(self.bounds.at_once).await;
        assert!(all.is_ok(), "the permits are never taken away");
    }

    /// A panic elsewhere leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Resolves when it is its turn.
    pub(crate) async fn turn(self) -> Turn {
        let of_owner = Arc::clone(&self.own_turn).lock_owned().await;
        // Never closed, so there always is one in the end.
        let of_all = Arc::clone(&self.turns.places).acquire_owned().await.ok();
        Turn { _of_owner: of_owner, _of_all: of_all, _ticket: self }
    }
}

impl Turn {
    /// Works on a thread of its own, and gives the turn back with what came of it. Whoever hangs up meanwhile ends the turn no
    /// sooner than the work ends, which nothing stops: else they would have more done at once than is allowed.
    ///
    /// # Errors
    /// The work panicked; `what` is what it was.
    pub(crate) async fn work<T: Send + 'static>(
        self,
        what: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Self)> {
        let work = move || (work(), self);
        let worked = tokio::task::spawn_blocking(work).await;
        worked.map_err(|panic| Error::Broken(format!("{what} ended early: {panic}")))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut asked = self.turns.lock();
        if let Some(of_owner) = asked.owners.get_mut(&self.owner) {
            of_owner.n_asked -= 1;
            if of_owner.n_asked == 0 {
                asked.owners.remove(&self.owner);
            }
        }
        if let Some(n_asked) = asked.addresses.get_mut(&self.address) {
            *n_asked -= 1;
            if *n_asked == 0 {
                asked.addresses.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;

    use super::*;
    use crate::access::{Allowance, Ration, Scope};

    const BOUNDS: Bounds =
        Bounds { what: "prompts that are written", at_once: 2, most_of_owner: 8, most_of_address: 32 };

    fn visitor(name: &str) -> Visitor {
        Visitor::from_token(name).at("here".to_owned())
    }

    #[tokio::test]
    async fn an_owner_has_one_prompt_written_at_a_time_and_others_come_before_their_second() {
        let turns = Turns::new(BOUNDS);
        let ticket = |name: &str| turns.take_ticket(&visitor(name)).unwrap();
        let first = ticket("alice").turn().await;
        let mut second = Box::pin(ticket("alice").turn());
        assert!(poll!(&mut second).is_pending(), "though a writer is free");
        let of_bob = ticket("bob").turn().await;
        let mut of_carol = Box::pin(ticket("carol").turn());
        assert!(poll!(&mut of_carol).is_pending(), "both write");
        drop(first);
        assert!(poll!(&mut second).is_pending(), "Carol asked before Alice's second had its turn");
        let of_carol = of_carol.await;
        drop(of_bob);
        drop((second.await, of_carol));
        assert!(turns.lock().owners.is_empty() && turns.lock().addresses.is_empty());
    }

    #[tokio::test]
    async fn whoever_hangs_up_holds_their_turn_until_the_work_has_ended() {
        let turns = Turns::new(Bounds { at_once: 1, ..BOUNDS });
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let work = turns.turn(&visitor("alice")).await.unwrap().work("waiting", move || wait.recv());
        let mut work = Box::pin(work);
        assert!(poll!(&mut work).is_pending());
        drop(work);
        let bob = visitor("bob");
        let mut of_bob = Box::pin(turns.turn(&bob));
        assert!(poll!(&mut of_bob).is_pending(), "Alice's work goes on");
        go_on.send(()).unwrap();
        let (done, _turn) = of_bob.await.unwrap().work("adding", || 1 + 1).await.unwrap();
        assert_eq!(done, 2);
    }

    #[tokio::test]
    async fn work_that_panics_is_said_and_ends_its_turn() {
        let turns = Turns::new(BOUNDS);
        let panics = || -> u8 { panic!("the test wants it") };
        let error = turns.turn(&visitor("alice")).await.unwrap().work("reading", panics).await.err().unwrap();
        assert!(error.to_string().starts_with("reading ended early: "), "{error}");
        turns.all_quiet().await;
        assert!(turns.lock().owners.is_empty());
    }

    #[test]
    fn more_than_are_allowed_are_refused_in_words_until_one_is_dropped() {
        let turns = Turns::new(BOUNDS);
        let mut tickets: Vec<_> =
            (0..BOUNDS.most_of_owner).map(|_| turns.take_ticket(&visitor("alice")).unwrap()).collect();
        let refused = turns.take_ticket(&visitor("alice")).err().unwrap();
        assert_eq!(
            refused.message,
            "you have 8 prompts that are written or wait already; allowed are 8 at a time, so wait for one of them"
        );
        assert_eq!(refused.retry_after_s, Some(RETRY_S));
        tickets.pop();
        assert!(turns.take_ticket(&visitor("alice")).is_ok());
    }

    #[test]
    fn everybody_at_an_address_shares_its_bound_and_a_key_does_not_count() {
        let turns = Turns::new(BOUNDS);
        let newcomers = (0..BOUNDS.most_of_address).map(|number| visitor(&format!("newcomer {number}")));
        let _tickets: Vec<_> = newcomers.map(|newcomer| turns.take_ticket(&newcomer).unwrap()).collect();
        let refused = turns.take_ticket(&visitor("one more")).err().unwrap();
        assert!(
            refused.message.starts_with("everybody at your address together has 32 prompts"),
            "{refused}"
        );
        let allowance = Allowance { scopes: vec![Scope::Generate], ration: Ration::default() };
        assert!(turns.take_ticket(&visitor("a key").allowed(allowance)).is_ok());
        assert!(turns.take_ticket(&Visitor::from_token("elsewhere").at("there".to_owned())).is_ok());
    }
}
