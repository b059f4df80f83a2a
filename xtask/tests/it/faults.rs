//! The commands on a network, and with services, that fail them.

use xtask_testkit::{FaultProxy, Project, Workspace};

#[test]
fn a_project_works_through_a_proxy_before_its_workspace() {
    let workspace = Workspace::start();
    let proxy = FaultProxy::before(workspace.url());
    let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask"));
    project.at(".xtask/workspace", &proxy.url(), workspace.token());
    let said = project.succeed(&["deploy", "--target", "check", "--yes"]);
    assert!(!said.stderr.contains("Restarting"), "{}", said.stderr);
    let record = proxy.record();
    assert!(record.iter().any(|passed| passed.is_of_the_cli()));
    assert!(
        record
            .iter()
            .any(|passed| passed.client().starts_with("xtask/"))
    );
    assert!(record.iter().all(|passed| passed.answered), "{record:#?}");
    drop(project);
    // It is not the project's to end.
    assert!(std::net::TcpStream::connect(workspace.url().trim_start_matches("http://")).is_ok());
}
