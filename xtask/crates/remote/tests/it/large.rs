//! Files that are larger than memory should be, both ways, in a process of their own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use xtask_remote::{Credentials, Http, Method, Request, Transport as _};

/// The most memory that a client may use, whatever it carries.
const MOST: usize = 60 << 20;

#[test]
fn three_hundred_megabytes_pass_in_constant_memory() {
    println!("{}", carry(300_000_000));
}

#[test]
#[ignore = "takes 4 GB of disk: XTASK_LARGE=1 cargo test -p xtask-remote --test it -- --ignored two_gigabytes"]
fn two_gigabytes_pass_in_constant_memory() {
    if std::env::var_os("XTASK_LARGE").is_some() {
        println!("{}", carry(2_147_483_648 + 4096));
    }
}

fn carry(size: u64) -> String {
    let folder = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let begun = std::time::Instant::now();
    let output = Command::new(program)
        .args(["--ignored", "--exact", "large::carrier", "--nocapture"])
        .env("CARRY_BASE", storage(size))
        .env("CARRY_SIZE", size.to_string())
        .env("CARRY_FOLDER", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let peak = said
        .lines()
        .find_map(|line| line.strip_prefix("peak "))
        .unwrap();
    let peak: usize = peak.parse().unwrap();
    assert!(peak < MOST, "{peak} bytes");
    let (time, peak) = (begun.elapsed(), peak >> 20);
    format!("{size} bytes each way in {time:?}, at most {peak} MiB")
}

/// Does the carrying, where it was told to.
#[test]
#[ignore = "is started by other tests"]
fn carrier() {
    let Ok(base) = std::env::var("CARRY_BASE") else {
        return;
    };
    let size: u64 = std::env::var("CARRY_SIZE").unwrap().parse().unwrap();
    let folder = std::env::var("CARRY_FOLDER").unwrap();
    let file = Path::new(&folder).join("file");
    let http = Http::new(&base, Credentials::None).unwrap();
    let mut get = Request::new(Method::Get, "/file");
    get.deadline = None;
    assert_eq!(http.save(&get, &file, &mut |_| true).unwrap(), size);
    let put = Request::new(Method::Put, "/file")
        .file(&file)
        .progress(|_| true);
    http.send(&put).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.map_or(0, |line| {
        line.trim()
            .trim_end_matches(" kB")
            .parse::<usize>()
            .unwrap()
    });
    println!("peak {}", peak * 1024);
}

/// A storage that gives a file of some size, and takes one, without keeping it.
fn storage(size: u64) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || drop(serve(&client, size)));
        }
    });
    base
}

fn serve(mut client: &TcpStream, size: u64) -> std::io::Result<()> {
    let mut from = BufReader::with_capacity(1 << 20, client);
    let mut line = String::new();
    from.read_line(&mut line)?;
    let is_get = line.starts_with("GET");
    let mut length = 0;
    while line.len() > 2 {
        line.clear();
        from.read_line(&mut line)?;
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    if is_get {
        write!(
            client,
            "HTTP/1.1 200 OK\r\ncontent-length: {size}\r\nconnection: close\r\n\r\n"
        )?;
        std::io::copy(&mut std::io::repeat(7).take(size), &mut client)?;
        return Ok(());
    }
    let came = std::io::copy(&mut from.take(length), &mut std::io::sink())?;
    let status = if came == size {
        "204 No Content"
    } else {
        "400 Bad"
    };
    write!(
        client,
        "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}
