//! The built program as a process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::helpers::{Browser, Transport};

/// A command of the program that hears nothing of the settings on this machine.
pub fn darkroom(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_darkroom"));
    for name in ["ADDR", "DATA", "MODELS", "CONFIG", "LOG", "LOG_FORMAT", "OPERATOR_ADDR"] {
        command.env_remove(format!("DARKROOM_{name}"));
    }
    command.env_remove("RUST_LOG").env("DARKROOM_DATA", folder.join("data")).current_dir(folder);
    command
}

/// `darkroom serve` on a port of its own. Killed at the end of the test, if not before.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts it and waits until it answers.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[], Stdio::inherit())
    }

    /// The same with more flags and with the log going elsewhere.
    pub fn start_with(folder: &Path, flags: &[&str], log: impl Into<Stdio>) -> Self {
        let mut process = darkroom(folder)
            .args(["serve", "--addr", "127.0.0.1:0"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let stdout = process.stdout.take().expect("its output is read");
        let line = BufReader::new(stdout).lines().next().expect("it says where it listens").expect("in text");
        let address = line.strip_prefix("listening on http://").expect("in the promised form");
        Self { address: address.parse().expect("with an address"), process }
    }

    pub fn browser(&self) -> Browser {
        Browser::new(Transport::Socket(self.address))
    }

    /// As a power cut does it.
    pub fn kill(mut self) {
        self.process.kill().expect("the process is there");
        self.process.wait().expect("and ends");
    }

    /// As an operator does it.
    pub fn terminate(mut self) -> ExitStatus {
        let id = self.process.id().to_string();
        let sent = Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).status();
        assert!(sent.expect("there is a shell").success());
        self.process.wait().expect("the process ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which is what this is for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
