//! Who has a prompt written next.
//!
//! Of each owner's prompts one is written at a time, and only that one stands in the line of all: so owners are served in turn,
//! however many prompts each asks for. How many wait is bounded as well, for an owner and for everybody at an address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use types::error::PublicError;

use crate::Visitor;

/// Prompts that are written at the same time. More would make each of them slow, and the picture too.
pub(super) const WRITERS: usize = 2;

/// Prompts of one owner that are written or wait.
const MOST_OF_OWNER: usize = 8;

/// Those of everybody who calls from one address without a key.
const MOST_OF_ADDRESS: usize = 32;

/// Seconds after which somebody with too many may look again: one takes about as long.
const RETRY_S: u64 = 5;

/// Who has prompts written, and who waits.
pub(super) struct Turns {
    writers: Arc<Semaphore>,
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
    /// Held by the one that is written, or is next.
    own_turn: Arc<tokio::sync::Mutex<()>>,
}

/// A prompt that was asked for. Dropping it makes room for another.
pub(super) struct Ticket {
    turns: Arc<Turns>,
    owner: String,
    /// Empty if it does not count.
    address: String,
    own_turn: Arc<tokio::sync::Mutex<()>>,
}

/// The time in which a prompt is written.
pub(super) struct Turn {
    _of_owner: OwnedMutexGuard<()>,
    _of_all: Option<OwnedSemaphorePermit>,
    /// Dropped last.
    _ticket: Ticket,
}

impl Turns {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { writers: Arc::new(Semaphore::new(WRITERS)), asked: Mutex::default() })
    }

    /// Takes note of a prompt that somebody asks for.
    ///
    /// # Errors
    /// As many as are allowed wait or are written already.
    pub(super) fn take_ticket(self: &Arc<Self>, visitor: &Visitor) -> Result<Ticket, PublicError> {
        // A key stands for its holder, wherever they call from.
        let address = if visitor.allowance().is_some() { "" } else { visitor.address() };
        let mut asked = self.lock();
        let of_owner = asked.owners.get(visitor.owner_id()).map_or(0, |of_owner| of_owner.n_asked);
        let of_address = asked.addresses.get(address).copied().unwrap_or(0);
        let who = match (of_owner, of_address) {
            (MOST_OF_OWNER.., _) => Some(("you have", MOST_OF_OWNER)),
            (_, MOST_OF_ADDRESS..) => Some(("everybody at your address together has", MOST_OF_ADDRESS)),
            _ => None,
        };
        if let Some((who, most)) = who {
            let sentence = format!(
                "{who} {most} prompts that are written or wait already; allowed are {most} at a time, so wait for one of them"
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

    /// Resolves when nobody writes.
    #[cfg(test)]
    pub(super) async fn all_quiet(&self) {
        let all = self.writers.acquire_many(WRITERS as u32).await;
        assert!(all.is_ok(), "the permits are never taken away");
    }

    /// A panic elsewhere leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Resolves when it is this prompt's turn.
    pub(super) async fn turn(self) -> Turn {
        let of_owner = Arc::clone(&self.own_turn).lock_owned().await;
        // Never closed, so there always is one in the end.
        let of_all = Arc::clone(&self.turns.writers).acquire_owned().await.ok();
        Turn { _of_owner: of_owner, _of_all: of_all, _ticket: self }
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

    fn visitor(name: &str) -> Visitor {
        Visitor::from_token(name).at("here".to_owned())
    }

    #[tokio::test]
    async fn an_owner_has_one_prompt_written_at_a_time_and_others_come_before_their_second() {
        let turns = Turns::new();
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

    #[test]
    fn more_than_are_allowed_are_refused_in_words_until_one_is_dropped() {
        let turns = Turns::new();
        let mut tickets: Vec<_> =
            (0..MOST_OF_OWNER).map(|_| turns.take_ticket(&visitor("alice")).unwrap()).collect();
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
        let turns = Turns::new();
        let newcomers = (0..MOST_OF_ADDRESS).map(|number| visitor(&format!("newcomer {number}")));
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
