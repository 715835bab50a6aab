//! `darkroom keys`, beside a site that runs.

use axum::http::StatusCode;

use crate::command_line::run;
use crate::process::Server;

#[tokio::test]
async fn a_key_is_made_listed_and_revoked_while_the_site_runs() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let made = run(folder.path(), &["keys", "create", "Anna's notebook", "--queued-jobs", "5"]);
    assert_eq!(made.stderr, "this key is shown once; keep it where nobody else sees it\n");
    let key = made.stdout.trim();
    assert!(key.starts_with("dk_") && key.len() == 80, "{key}");
    let bearer = format!("Bearer {key}");
    let status = async || {
        let headers = [("authorization", bearer.as_str())];
        server.browser().get_with("/api/v1/jobs", &headers).await.status
    };
    assert_eq!(status().await, StatusCode::OK);

    let listed = run(folder.path(), &["keys", "list"]).stdout;
    let (prefix, _) = key.rsplit_once('_').unwrap();
    let line = listed.lines().find(|line| line.starts_with(prefix)).expect("the key is listed");
    assert!(line.contains("Anna's notebook  generate  5 jobs"), "{line}");
    assert!(line.ends_with("valid"), "{line}");
    assert!(!listed.contains(key), "the list shows no secret");

    let revoked = run(folder.path(), &["keys", "revoke", prefix]).stdout;
    assert_eq!(revoked, format!("revoked {prefix} (Anna's notebook)\n"));
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.terminate().code(), Some(0));
}

#[test]
fn what_no_key_can_be_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str]| run(folder.path(), arguments).stderr;
    for arguments in [&["keys", "list"][..], &["keys", "revoke", "dk_000000000000"]] {
        let sentence = refused(arguments);
        assert!(sentence.starts_with("error: there is no database in the data folder"), "{sentence}");
        assert!(!folder.path().join("data").exists(), "nothing is made");
    }
    run(folder.path(), &["keys", "create", "mine"]);
    assert!(
        refused(&["keys", "create", "mine", "--scope", "admin"])
            .contains("scope `admin` is unknown; known are read, generate, operator")
    );
    assert_eq!(
        refused(&["keys", "revoke", "dk_000000000000"]),
        "error: there is no key `dk_000000000000`; `darkroom keys list` shows those that there are\n"
    );
}
