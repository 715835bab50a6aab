//! `kill -9` at random moments under load, again and again.
//!
//! `DARKROOM_KILLS` says how often, `DARKROOM_KILL_SEED` at which moments:
//! `DARKROOM_KILLS=50 cargo nextest run --package server -E 'test(kill::)'`.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::watch;
use types::history::JobPage;
use types::job::{JobId, JobInfo, JobStatus};

use crate::process::{Server, darkroom};
use crate::sse::EventReader;

/// How many clients ask at once.
const N_CLIENTS: u64 = 3;

/// How many jobs of a client's may wait before it asks for no more.
const MOST_WAITING: usize = 3;

/// Longest time from a start, or from a first picture, to a kill.
const LONGEST_LIFE_MS: u64 = 1_500;

/// Far more than it takes, and far less than anybody would wait.
const SOON: Duration = Duration::from_mins(5);

#[tokio::test(flavor = "multi_thread")]
async fn every_accepted_job_is_made_once_however_often_the_program_is_killed() {
    let number = |name: &str, usual: u64| match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is `{text}`; it has to be a number")),
        Err(_) => usual,
    };
    let (n_kills, seed) = (number("DARKROOM_KILLS", 4), number("DARKROOM_KILL_SEED", 1));
    let mut random = Random(seed);
    let folder = tempfile::tempdir().unwrap();

    let mut clients = Vec::new();
    for index in 0..N_CLIENTS {
        clients.push(Client::new(index, seed));
    }
    let start = || Server::start_with(folder.path(), &["--log", "error"], Stdio::inherit());
    for n_before in 0..n_kills {
        let server = start();
        let (saw_picture, mut picture) = watch::channel(());
        let (dies, death) = watch::channel(());
        let mut at_work = Vec::new();
        for client in clients.drain(..) {
            let (saw_picture, death) = (saw_picture.clone(), death.clone());
            at_work.push(tokio::spawn(client.work(server.address, saw_picture, death)));
        }
        // A job during which the program died three times, with no picture in between, is given up, as it should be. So
        // every second life lasts until there is one.
        if n_before % 2 == 1 {
            let told = tokio::time::timeout(SOON, picture.changed()).await;
            told.expect("a picture is made").expect("somebody looks");
        }
        tokio::time::sleep(Duration::from_millis(random.below(LONGEST_LIFE_MS))).await;
        server.kill();
        drop(dies);
        for client in at_work {
            clients.push(client.await.unwrap());
        }
    }

    let server = start();
    for client in &mut clients {
        tokio::time::timeout(SOON, client.finish(server.address)).await.expect("everything is made at last");
    }
    let n_jobs: usize = clients.iter().map(|client| client.accepted.len()).sum();
    assert!(n_jobs as u64 >= N_CLIENTS, "there was load");
    let check = |arguments: &[&str]| {
        let checked = darkroom(folder.path()).args(arguments).output().unwrap();
        let printed = String::from_utf8_lossy(&checked.stdout).trim_end().to_owned();
        assert!(checked.status.success() && printed.ends_with(": all in order"), "{printed}");
        printed
    };
    check(&["check"]);
    assert_eq!(server.terminate().code(), Some(0));
    // One that has the folder for itself judges what was written within the last minute too.
    let alone = check(&["check", "--mend"]);
    println!("{n_jobs} jobs, {n_kills} kills, seed {seed}: {alone}");
}

/// A visitor who asks again until there is an answer, and never for the same thing twice.
struct Client {
    /// Who it is.
    cookie: String,
    /// The job that is being asked for, from 0: part of its idempotency key.
    next: u64,
    /// What was answered with 202: the job, and how many pictures it is to have.
    accepted: Vec<(JobId, u32)>,
    /// Those of them whose end was not seen yet, oldest first.
    waiting: VecDeque<JobId>,
    random: Random,
}

impl Client {
    fn new(index: u64, seed: u64) -> Self {
        Self {
            cookie: format!("darkroom_visitor=client-{index}-of-the-test-that-kills-the-server"),
            next: 0,
            accepted: Vec::new(),
            waiting: VecDeque::new(),
            random: Random(seed.wrapping_add(index).wrapping_mul(7_919)),
        }
    }

    /// Asks, and watches its oldest job, until the server is gone.
    async fn work(
        mut self,
        address: SocketAddr,
        saw_picture: watch::Sender<()>,
        mut death: watch::Receiver<()>,
    ) -> Self {
        loop {
            let went_on = tokio::select! {
                went_on = self.go_on(address, &saw_picture) => went_on,
                _ = death.changed() => false,
            };
            if !went_on {
                return self;
            }
        }
    }

    /// Asks for one job, or watches one to its end. False if the server is gone.
    async fn go_on(&mut self, address: SocketAddr, saw_picture: &watch::Sender<()>) -> bool {
        if self.waiting.len() < MOST_WAITING {
            return self.ask(address).await;
        }
        match self.waiting.front().copied() {
            Some(oldest) => self.watch(address, oldest, saw_picture).await,
            None => true,
        }
    }

    /// Asks for the next job under its key. False if there was no answer: then the same is asked again.
    async fn ask(&mut self, address: SocketAddr) -> bool {
        // Numbers that follow from the key alone, so that the same key asks for the same. Few seeds, so that some are
        // asked for again and copied.
        let mut random = Random(self.next);
        let count = 1 + random.below(3);
        let body = json!({
            "prompt": "a red boat", "width": 128, "height": 128, "steps": 1, "count": count, "seed": random.below(40),
        });
        let key = format!("job-{}", self.next);
        let headers = [("content-type", "application/json"), ("idempotency-key", &key)];
        let Some(answer) = self.send("POST", address, "/api/v1/jobs", &headers, body.to_string()).await
        else {
            return false;
        };
        let status = answer.status();
        let Some(job) = whole::<serde_json::Value>(answer).await else { return false };
        assert_eq!(status, StatusCode::ACCEPTED, "{job}");
        let id: JobId = serde_json::from_value(job["id"].clone()).expect("a job has an id");
        self.accepted.push((id, count as u32));
        self.waiting.push_back(id);
        self.next += 1;
        // A client that asks at every moment alike.
        tokio::time::sleep(Duration::from_millis(self.random.below(50))).await;
        true
    }

    /// Reads a job's events to its end. False if they broke off.
    async fn watch(&mut self, address: SocketAddr, id: JobId, saw_picture: &watch::Sender<()>) -> bool {
        let path = format!("/api/v1/jobs/{id}/events");
        let Some(answer) = self.send("GET", address, &path, &[], String::new()).await else { return false };
        assert_eq!(answer.status(), StatusCode::OK);
        let mut events = EventReader::new(answer.into_body());
        // What was made in an earlier life is told first, before where the job stands now; and what is copied from another
        // job is no sign that the worker got on, and has no steps.
        let mut is_live = false;
        while let Some(event) = events.next().await {
            match event.name.as_str() {
                "queued" | "loading" => is_live = true,
                "progress" => is_live |= event.data["step"] != 0,
                "picture" if is_live => saw_picture.send_replace(()),
                "done" => {
                    self.waiting.pop_front();
                    return true;
                }
                "failed" | "cancelled" => panic!("job {id} ended with {event:?}"),
                _ => {}
            }
        }
        false
    }

    /// With a server that nobody kills any more: everything that was accepted came to its end, with all its pictures, each
    /// once, and there is nothing else.
    async fn finish(&mut self, address: SocketAddr) {
        // Whatever was asked for without an answer is asked for once more.
        assert!(self.ask(address).await);
        let saw_picture = watch::Sender::new(());
        while let Some(oldest) = self.waiting.front().copied() {
            assert!(self.watch(address, oldest, &saw_picture).await, "job {oldest} goes on");
        }
        for (id, count) in &self.accepted {
            let job: JobInfo = self.get(address, &format!("/api/v1/jobs/{id}")).await;
            assert_eq!(job.status, JobStatus::Done, "{:?}", job.error);
            let indices: Vec<u32> = job.pictures.iter().map(|picture| picture.index).collect();
            assert_eq!(indices, (0..*count).collect::<Vec<_>>(), "of job {id}");
            for picture in &job.pictures {
                let path = format!("/api/v1/images/{}", picture.id);
                let answer = self.send("GET", address, &path, &[], String::new()).await;
                assert_eq!(answer.expect("the server answers").status(), StatusCode::OK, "{path}");
            }
        }
        let mut n_jobs = 0;
        let mut path = "/api/v1/jobs?limit=100".to_owned();
        loop {
            let page: JobPage = self.get(address, &path).await;
            n_jobs += page.jobs.len();
            let Some(next) = page.next else { break };
            path = format!("/api/v1/jobs?limit=100&cursor={next}");
        }
        assert_eq!(n_jobs, self.accepted.len(), "no job was made twice");
    }

    async fn get<T: DeserializeOwned>(&self, address: SocketAddr, path: &str) -> T {
        let answer = self.send("GET", address, path, &[], String::new()).await.expect("the server answers");
        whole(answer).await.expect("its answer is whole")
    }

    /// Sends a request. `None` if the server is gone.
    async fn send(
        &self,
        method: &str,
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Option<Response<Body>> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, address.to_string())
            .header(header::COOKIE, &self.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).expect("the request is well formed");
        let stream = TcpStream::connect(address).await.ok()?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        // Ends with the answer.
        tokio::spawn(connection);
        Some(sender.send_request(request).await.ok()?.map(Body::new))
    }
}

/// An answer's body as JSON; `None` if it broke off.
async fn whole<T: DeserializeOwned>(answer: Response<Body>) -> Option<T> {
    let bytes = answer.into_body().collect().await.ok()?.to_bytes();
    Some(serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error} in {bytes:?}")))
}

/// Numbers that follow from a seed.
///
/// # Source
/// `SplitMix64`: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
struct Random(u64);

impl Random {
    /// One of 0 to `end`, without the end.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
