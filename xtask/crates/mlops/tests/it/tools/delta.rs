//! Delta Lake for notebooks with Spark, served by a local server.

use std::fs;

use ring::digest::{SHA256, digest};
use xtask_testkit::{Reply, Server};

use crate::machine::{Machine, Run, run};

const JAR: &[u8] = b"the classes of Delta";

/// A machine that is set up, with a pyspark, whose tools.lock pins [`JAR`].
fn machine_with_pyspark(version: &str) -> Machine {
    let machine = Machine::complete();
    let hex: String = digest(&SHA256, JAR)
        .as_ref()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let lock = include_str!("../../../tools/tools.lock");
    let (tools, _) = lock.split_once("[delta.jars]").unwrap();
    let jars =
        format!("[delta.jars]\n\"delta-spark_4.2_2.13\" = \"{hex}\"\ndelta-storage = \"{hex}\"\n");
    machine.write("tools.lock", &format!("{tools}{jars}"));
    let _ = run(machine.xtask(&["setup"])).succeeds();
    let packages = machine.project().join(".venv/lib/python3.11/site-packages");
    fs::create_dir(packages.join(format!("pyspark-{version}.dist-info"))).unwrap();
    machine
}

fn setup(machine: &Machine, server: &Server, offline: bool) -> Run {
    let mut command = machine.xtask(&["setup"]);
    command.env("XTASK_MAVEN", server.url());
    if offline {
        command.env("XTASK_OFFLINE", "1");
    }
    run(command).succeeds()
}

#[test]
fn it_is_fetched_once_where_its_spark_is() {
    let machine = machine_with_pyspark("4.2.1");
    let server = Server::start(Reply::Whole(JAR.to_vec())).unwrap();
    let first = setup(&machine, &server, false);
    assert!(first.stderr.contains("from Maven Central"), "{first:#?}");
    assert_eq!(machine.fetched(), ["delta-4.4.0"]);
    let folder = machine.project().join(".xtask/tools/delta-4.4.0");
    for jar in ["delta-spark_4.2_2.13-4.4.0.jar", "delta-storage-4.4.0.jar"] {
        assert_eq!(fs::read(folder.join(jar)).unwrap(), JAR);
    }
    let _ = setup(&machine, &server, true);
    assert_eq!(server.contacts(), 2);
}

#[test]
fn another_spark_has_no_use_for_it() {
    let machine = machine_with_pyspark("4.3.0");
    let server = Server::start(Reply::HangUp).unwrap();
    let _ = setup(&machine, &server, false);
    assert_eq!(server.contacts(), 0);
}

#[test]
fn what_cannot_be_fetched_is_said_and_the_rest_goes_on() {
    let machine = machine_with_pyspark("4.2.0");
    let server = Server::start(Reply::Status(404)).unwrap();
    let cases = [
        (Reply::Status(404), false, "answers 404"),
        (Reply::HangUp, false, "no connection"),
        (
            Reply::Whole(b"other".to_vec()),
            false,
            "checksum does not match",
        ),
        (Reply::HangUp, true, "XTASK_OFFLINE=1 forbids"),
    ];
    for (reply, offline, says) in cases {
        server.set(reply);
        let run = setup(&machine, &server, offline);
        for words in ["Delta Lake 4.4.0", says, "Spark notebooks run without it"] {
            assert!(run.stderr.contains(words), "{words}: {run:#?}");
        }
        assert_eq!(machine.fetched(), [""; 0]);
    }
}
