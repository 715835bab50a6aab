//! Who asked for how much, and from where, is forgotten after a day.

use std::sync::Arc;
use std::time::Duration;

use super::helpers::{asking, config, free_running};
use crate::engine::fake::FakeEngine;
use crate::{Services, Visitor};

/// Far more than it takes, and far less than anybody would wait.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn who_asked_from_where_is_forgotten_after_a_day_though_nobody_asks_for_more() {
    let (site, folder) = free_running().await;
    let alice = Visitor::from_token("alice").at("hash of an address".to_owned());
    let store = site.services.shared().store.clone();
    for hours in [23, 25] {
        let job = site.services.create_job(&alice, asking("a red boat")).await.unwrap();
        site.services.cancel_job(&alice, job.id).await.unwrap();
        store.age_last_spending(Duration::from_hours(hours)).await;
    }
    assert_eq!(store.n_spendings().await, 2);
    store.close().await.unwrap();
    drop(site);

    let services = Services::open(config(folder.path()), Arc::new(FakeEngine::new())).await.unwrap();
    let store = services.shared().store.clone();
    let look = async {
        while store.n_spendings().await > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, look).await.expect("the older one is forgotten");
    services.shutdown().await;
    assert_eq!(store.n_spendings().await, 1, "the younger one counts");
}
