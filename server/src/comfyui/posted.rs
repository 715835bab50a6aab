//! Workflows that are posted, for those who watch: each is woken by what is their own alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use backend::Visitor;
use tokio::sync::watch;

/// Whose workflows, and under which name they are posted.
type Name = (String, String);

/// Wakes whoever waits for the workflows of a program. Cheap to clone.
#[derive(Clone, Default)]
pub struct Posted(Arc<Mutex<HashMap<Name, watch::Sender<()>>>>);

/// Waits for the workflows of one program. What is posted between two waits is not missed.
pub struct Awaited {
    name: Name,
    woken: watch::Receiver<()>,
    posted: Posted,
}

impl Posted {
    /// What wakes whoever watches this visitor's workflows under that name.
    pub fn watch(&self, visitor: &Visitor, client_id: &str) -> Awaited {
        let name = name(visitor, client_id);
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let woken = senders.entry(name.clone()).or_default().subscribe();
        Awaited { name, woken, posted: self.clone() }
    }

    /// A workflow of this visitor's was posted under that name.
    pub fn tell(&self, visitor: &Visitor, client_id: &str) {
        let senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = senders.get(&name(visitor, client_id)) {
            sender.send_replace(());
        }
    }
}

fn name(visitor: &Visitor, client_id: &str) -> Name {
    (visitor.owner_id().to_owned(), client_id.to_owned())
}

impl Awaited {
    /// From here on it counts what is posted.
    pub fn forget(&mut self) {
        self.woken.mark_unchanged();
    }

    /// Waits until a workflow is posted, unless one was already.
    pub async fn next(&mut self) {
        if self.woken.changed().await.is_err() {
            // The sender is there as long as somebody waits.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        let mut senders = self.posted.0.lock().unwrap_or_else(PoisonError::into_inner);
        // This one is among those that are counted.
        if senders.get(&self.name).is_some_and(|sender| sender.receiver_count() <= 1) {
            senders.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_program_is_woken_by_its_own_workflows_alone() {
        let posted = Posted::default();
        let (anna, ben) = (Visitor::from_token("anna"), Visitor::from_token("ben"));
        let mut mine = posted.watch(&anna, "one");
        for (visitor, client_id) in [(&anna, "two"), (&ben, "one"), (&ben, "two")] {
            posted.tell(visitor, client_id);
        }
        assert_eq!(mine.next().now_or_never(), None);
        posted.tell(&anna, "one");
        assert_eq!(mine.next().now_or_never(), Some(()), "what was posted before the wait is not missed");
        posted.tell(&anna, "one");
        mine.forget();
        assert_eq!(mine.next().now_or_never(), None);
    }

    #[test]
    fn whoever_watches_no_longer_is_forgotten_and_others_of_the_name_go_on() {
        let posted = Posted::default();
        let anna = Visitor::from_token("anna");
        let (first, mut second) = (posted.watch(&anna, "one"), posted.watch(&anna, "one"));
        drop(first);
        posted.tell(&anna, "one");
        assert_eq!(second.next().now_or_never(), Some(()));
        drop(second);
        assert!(posted.0.lock().unwrap().is_empty());
    }
}
