//! Keys, and who may see what.

use types::error::ErrorCode;
use types::picture::PictureFormat;

use super::helpers::{TestServices, config, free_running};
use crate::Visitor;
use crate::access::{Allowance, Keyring, NewKey, Ration, Scope};

async fn key(site: &TestServices, name: &str) -> NewKey {
    let allowance = Allowance { scopes: vec![Scope::Generate], ration: Ration::default() };
    site.services.keyring().create(name, allowance).await.unwrap()
}

#[tokio::test]
async fn a_key_says_who_its_holder_is_and_what_they_may_until_it_is_revoked() {
    let (site, folder) = free_running().await;
    let (key, other) = (key(&site, "Anna's notebook").await, key(&site, "another").await);
    let keyring = site.services.keyring();
    let holder = keyring.holder(&key.text).await.unwrap();
    assert_eq!(holder, keyring.holder(&key.text).await.unwrap());
    assert_ne!(holder, keyring.holder(&other.text).await.unwrap());
    assert!(holder.allowance().unwrap().allows(Scope::Generate));

    // As the command line does it while the site runs.
    let beside = Keyring::open(&config(folder.path())).await.unwrap();
    let names: Vec<_> = beside.list().await.unwrap().into_iter().map(|key| key.name).collect();
    assert_eq!(names, ["Anna's notebook", "another"]);
    beside.revoke(&key.info.prefix).await.unwrap();
    let refused = keyring.holder(&key.text).await.unwrap_err().public();
    assert_eq!(
        (refused.code, refused.message.as_str()),
        (ErrorCode::Unauthorized, "this key is not valid; ask the operator for one")
    );
    let again = beside.revoke(&key.info.prefix).await.unwrap_err().public();
    assert_eq!(again.message, format!("key `{}` is revoked already", key.info.prefix));
    assert!(keyring.holder(&other.text).await.is_ok());
}

#[tokio::test]
async fn a_key_that_is_half_typed_or_guessed_is_refused_with_the_same_sentence() {
    let (site, _folder) = free_running().await;
    let key = key(&site, "mine").await;
    let guessed = format!("{}_{}", key.info.prefix, "0".repeat(64));
    for text in [&key.text[..30], &guessed, "dk_", &format!("{}0", key.text)] {
        let refused = site.services.keyring().holder(text).await.unwrap_err().public();
        assert_eq!(refused.message, "this key is not valid; ask the operator for one", "{text}");
    }
}

#[tokio::test]
async fn the_database_does_not_hold_the_key() {
    let (site, folder) = free_running().await;
    let key = key(&site, "mine").await;
    let secret = key.text.rsplit('_').next().unwrap().as_bytes();
    for file in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

#[tokio::test]
async fn a_name_that_nobody_can_read_and_a_key_that_allows_nothing_are_refused() {
    let (site, _folder) = free_running().await;
    let refused = async |name: &str, scopes: &[Scope]| {
        let allowance = Allowance { scopes: scopes.to_vec(), ration: Ration::default() };
        site.services.keyring().create(name, allowance).await.err().unwrap().public().message
    };
    assert_eq!(
        refused("  ", &[Scope::Read]).await,
        "a key's name has 0 characters or a line break; allowed are 1 to 100 in one line"
    );
    assert_eq!(
        refused("mine", &[]).await,
        "a key without a scope allows nothing; known are read, generate, operator"
    );
    assert_eq!(
        site.services.keyring().revoke("dk_1").await.unwrap_err().public().message,
        "there is no key `dk_1`; `darkroom keys list` shows those that there are"
    );
}

#[tokio::test]
async fn a_job_and_its_pictures_are_their_owners_alone_until_they_are_shared_and_again_afterwards() {
    let (mut site, _folder) = free_running().await;
    let id = site.ask("a red boat").await;
    site.run_next_job().await;
    let picture = site.job(id).await.pictures[0].id;
    let sees = async |visitor: &Visitor| {
        let services = &site.services;
        let seen = [
            services.job(visitor, id).await.is_ok(),
            services.events(visitor, id, None).await.is_ok(),
            services.picture(visitor, picture).await.is_ok(),
            services.picture_file(visitor, picture, PictureFormat::Webp).await.is_ok(),
            services.picture_tag(visitor, picture, None).await.is_ok(),
            services.thumbnail(visitor, picture).await.is_ok(),
        ];
        assert!(seen.iter().all(|&sees| sees == seen[0]), "{seen:?}");
        seen[0]
    };
    assert!(sees(&site.alice).await && !sees(&site.bob).await);
    let not_his = site.services.share_job(&site.bob, id, true).await.unwrap_err().public();
    assert_eq!(not_his.code, ErrorCode::NotFound);

    let job = site.services.share_job(&site.alice, id, true).await.unwrap();
    assert!(job.shared && job.is_owner);
    assert!(sees(&site.bob).await);
    assert!(!site.services.job(&site.bob, id).await.unwrap().is_owner);
    assert!(site.services.delete_job(&site.bob, id).await.is_err());

    site.services.share_job(&site.alice, id, false).await.unwrap();
    assert!(sees(&site.alice).await && !sees(&site.bob).await);
}

#[tokio::test]
async fn a_signed_address_shows_its_own_picture_alone_and_is_not_made_up() {
    let (mut site, _folder) = free_running().await;
    let (one, two) = (site.ask("one").await, site.ask("two").await);
    site.run_next_job().await;
    site.run_next_job().await;
    let (one, two) = (site.job(one).await.pictures[0].id, site.job(two).await.pictures[0].id);
    let pass = site.services.picture_pass(one);
    let with = |pass: &str| Visitor::from_token("bob").with_pass(pass.to_owned());
    assert!(site.services.picture(&with(&pass), one).await.is_ok());
    assert!(site.services.picture(&with(&pass), two).await.is_err());
    let (until, signature) = pass.split_once('.').unwrap();
    let later = until.parse::<i64>().unwrap() + 1;
    for made_up in
        [format!("{later}.{signature}"), format!("{until}."), String::new(), format!("0.{signature}")]
    {
        assert!(site.services.picture(&with(&made_up), one).await.is_err(), "{made_up}");
    }
}
