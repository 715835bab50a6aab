//! `darkroom check`, `backup` and `restore`, and how long pictures are kept.

use std::path::Path;
use std::process::Output;

use serde_json::json;

use crate::process::{Server, darkroom};

/// How a command ended: its status, and what it printed.
fn run(folder: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } =
        darkroom(folder).args(arguments).output().expect("the program starts");
    let text = [stdout, stderr].map(|bytes| String::from_utf8(bytes).expect("output is text"));
    let code = status.code().expect("it ends by itself");
    format!("{code} {}", text.concat().replace(folder.to_str().unwrap(), "FOLDER").trim_end())
}

/// A quick picture's job, waited for.
async fn paint(server: &Server, prompt: &str, seed: u64) -> crate::helpers::Browser {
    let anna = server.browser();
    let request = json!({ "prompt": prompt, "seed": seed, "steps": 1, "width": 128, "height": 128 });
    let job: types::job::JobInfo = anna.create_job(request).await.json();
    assert_eq!(anna.events(job.id).await.last().expect("the job has an end").name, "done");
    anna
}

#[tokio::test]
async fn a_site_is_backed_up_while_it_runs_and_restored_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let anna = paint(&server, "a red boat", 7).await;
    let backed_up = run(folder.path(), &["backup", "boat.tar"]);
    assert!(backed_up.starts_with("0 boat.tar: 1 picture and 0 uploads, 0."), "{backed_up}");
    insta::assert_snapshot!(
        run(folder.path(), &["backup", "boat.tar"]),
        @"2 error: the back-up `boat.tar` is there already; choose another name"
    );
    insta::assert_snapshot!(
        run(folder.path(), &["restore", "boat.tar"]),
        @"2 error: the data folder `FOLDER/data` is not empty: it holds `darkroom.sqlite3`; name an empty one with --data"
    );
    server.kill();

    let other = tempfile::tempdir().unwrap();
    std::fs::rename(folder.path().join("boat.tar"), other.path().join("boat.tar")).unwrap();
    insta::assert_snapshot!(
        run(other.path(), &["restore", "boat.tar"]),
        @"0 1 picture and 0 uploads restored to FOLDER/data"
    );
    let server = Server::start(other.path());
    let anna = anna.moved_to(server.address);
    assert_eq!(anna.history("search=boat").await.n_matches, 1);
}

#[tokio::test]
async fn a_check_prints_a_line_for_everything_that_is_not_in_order() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(
        run(folder.path(), &["check"]),
        @"2 error: there is no database in the data folder `FOLDER/data`; name the folder that the site works on"
    );
    let server = Server::start(folder.path());
    let anna = paint(&server, "a red boat", 7).await;
    insta::assert_snapshot!(run(folder.path(), &["check"]), @"0 1 picture and 0 uploads: all in order");
    insta::assert_snapshot!(
        run(folder.path(), &["check", "--mend"]),
        @"1 error: the data folder FOLDER/data is in use by another darkroom; stop that one or choose another folder"
    );
    let job = anna.history("").await.pictures[0].job_id;
    let picture = folder.path().join(format!("data/pictures/{job}/1-0.png"));
    std::fs::remove_file(picture).unwrap();
    let shown = |text: String| text.replace(&job.to_string(), "JOB");
    insta::assert_snapshot!(
        shown(run(folder.path(), &["check"])),
        @r"
    1 pictures/JOB/1-0.png: the file is missing
    error: 1 picture and 0 uploads: 1 found; `darkroom check --mend` puts in order what can be
    "
    );
    server.kill();
    insta::assert_snapshot!(
        shown(run(folder.path(), &["check", "--mend"])),
        @r"
    0 pictures/JOB/1-0.png: the file is missing; its row was removed, and the job says so
    1 picture and 0 uploads: 1 found and mended
    "
    );
    insta::assert_snapshot!(run(folder.path(), &["check"]), @"0 0 pictures and 0 uploads: all in order");
}

#[tokio::test]
async fn a_disk_that_is_not_mounted_costs_no_row_unless_it_is_forced() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    paint(&server, "a red boat", 7).await;
    server.kill();
    std::fs::rename(folder.path().join("data/pictures"), folder.path().join("aside")).unwrap();
    insta::assert_snapshot!(
        run(folder.path(), &["check", "--mend"]),
        @"2 error: the folder FOLDER/data/pictures is not there, and the database has pictures that should lie in it, so nothing was changed; see whether its disk is mounted, or add --force to remove all the rows that have no file"
    );
    let backed_up = run(folder.path(), &["backup", "boat.tar"]);
    assert!(backed_up.starts_with("1 boat.tar: 0 pictures and 0 uploads, 0."), "{backed_up}");
    assert!(
        backed_up.ends_with(
            "error: pictures and uploads that have lost their files, and are not in the back-up: 1; all else is in it, \
             and `darkroom check` names them"
        ),
        "{backed_up}"
    );
    let forced = run(folder.path(), &["check", "--mend", "--force"]);
    assert!(forced.ends_with("\n1 picture and 0 uploads: 1 found and mended"), "{forced}");
    assert!(
        run(folder.path(), &["check", "--force"]).starts_with("2 error: the following required arguments")
    );
}

#[tokio::test]
async fn the_settings_file_says_how_many_pictures_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("darkroom.toml"), "[retention]\nmax_pictures = 1\n").unwrap();
    let server = Server::start(folder.path());
    let anna = paint(&server, "a red boat", 7).await;
    let bob = paint(&server, "a blue boat", 8).await;
    let look = async {
        while anna.history("").await.n_matches > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), look).await.expect("the older one is deleted");
    assert_eq!(bob.history("").await.n_matches, 1);
}

#[test]
fn a_setting_that_is_not_allowed_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("darkroom.toml"), "[retention]\nmax_age_days = -1\n").unwrap();
    insta::assert_snapshot!(
        run(folder.path(), &["serve"]),
        @"1 error: setting `retention.max_age_days` is wrong: `-1` is no such number of days; allowed are 0.01 to 36500"
    );
    let refused = run(folder.path(), &["serve", "--retention-max-gigabytes", "much"]);
    assert!(
        refused.contains("`much` is no such number of gigabytes; allowed are 0.001 to 1000000"),
        "{refused}"
    );
}
