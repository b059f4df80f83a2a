//! One end: a workspace, its proxy, the model that is deployed to it.

use std::ops::Deref;

use serde_json::{Value, json};
use xtask_remote::databricks::models;
use xtask_remote::databricks::registry::RegistryKind;
use xtask_remote::{Credentials, Http, Method, Request, Transport as _};
use xtask_testkit::{FaultProxy, Workspace};

/// One end.
pub(crate) struct End {
    /// Its workspace.
    pub(crate) workspace: Workspace,
    /// What the commands go through.
    pub(crate) proxy: FaultProxy,
    /// What is deployed there, by the way past the proxy.
    place: Place,
}

/// A target of the other bundle, and what is deployed to it.
pub(crate) struct Place {
    /// The target.
    pub(crate) target: &'static str,
    /// The way to its workspace.
    pub(crate) http: Http,
    /// The model's full name.
    pub(crate) model: String,
    /// The folder of the deployment's state.
    pub(crate) state_path: String,
    /// The experiment that runs are logged to.
    pub(super) experiment: String,
}

impl Deref for End {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl End {
    pub(super) fn new(target: &'static str) -> End {
        let workspace = Workspace::start();
        let proxy = FaultProxy::before(workspace.url());
        let place = Place::new(target, workspace.url(), workspace.token());
        End {
            workspace,
            proxy,
            place,
        }
    }

    /// Finds out what was deployed.
    pub(super) fn find(&mut self) {
        self.place.find();
    }

    /// Takes versions, locks and rules away.
    pub(super) fn clear(&self) {
        self.proxy.heal();
        for number in self.versions() {
            models::delete_version(&self.http, &self.model, number).unwrap();
        }
        let lock = format!("{}/promotion-{}.lock", self.state_path, self.model);
        let body = json!({"path": lock});
        // Mostly there is none.
        let _ = self
            .http
            .send(&Request::new(Method::Post, "/api/2.0/workspace/delete").json(&body));
        self.proxy.clear();
    }
}

impl Place {
    /// A target on the workspace at `url`; what is deployed to it is not looked up yet.
    pub(crate) fn new(target: &'static str, url: &str, token: &str) -> Place {
        Place {
            target,
            http: Http::new(url, Credentials::bearer(token)).unwrap(),
            model: String::new(),
            state_path: String::new(),
            experiment: String::new(),
        }
    }

    /// Finds out what was deployed.
    pub(crate) fn find(&mut self) {
        let state = format!("/Workspace/Customers/loyalty/{}/state", self.target);
        self.state_path = state;
        self.model = format!("{}.loyalty.months_left_regressor", self.target);
        let attempts = format!("/Workspace/Customers/loyalty/{}/attempts", self.target);
        let found = self.get(
            "/api/2.0/mlflow/experiments/get-by-name",
            &[("experiment_name", &attempts)],
        );
        self.experiment = found["experiment"]["experiment_id"]
            .as_str()
            .unwrap()
            .to_owned();
    }

    /// A call that reads.
    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let request = Request::new(Method::Get, path);
        let request = query
            .iter()
            .fold(request, |request, (name, value)| request.query(name, value));
        self.send(&request)
    }

    /// A call that writes.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.send(&Request::new(Method::Post, path).json(body))
    }

    /// A call that removes.
    pub(crate) fn delete(&self, path: &str, body: &Value) -> Value {
        self.send(&Request::new(Method::Delete, path).json(body))
    }

    pub(super) fn send(&self, request: &Request) -> Value {
        let reply = self.http.send(request).unwrap();
        serde_json::from_slice(&reply.body).unwrap_or_default()
    }

    /// The version that has an alias.
    pub(crate) fn aliased(&self, alias: &str) -> Option<u64> {
        let found = RegistryKind::UnityCatalog
            .aliased(&self.http, &self.model, alias)
            .unwrap();
        found.map(|found| found.version)
    }

    /// The version that inference uses.
    pub(crate) fn champion(&self) -> Option<u64> {
        self.aliased("champion")
    }

    /// Sets an alias, as a user does in the UI.
    pub(crate) fn set_alias(&self, alias: &str, version: u64) {
        let body = json!({"name": self.model, "alias": alias, "version": version.to_string()});
        self.post(
            "/api/2.0/mlflow/unity-catalog/registered-models/alias",
            &body,
        );
    }

    /// The numbers of all versions, the lowest first.
    pub(crate) fn versions(&self) -> Vec<u64> {
        let listed = models::versions(&self.http, &self.model).unwrap();
        let mut numbers: Vec<u64> = listed.iter().map(|version| version.version).collect();
        numbers.sort_unstable();
        numbers
    }

    /// A version as the registry tells it.
    pub(crate) fn version(&self, number: u64) -> Value {
        let path = "/api/2.0/mlflow/unity-catalog/model-versions/get";
        let number = number.to_string();
        let told = self.get(path, &[("name", &self.model), ("version", &number)]);
        told["model_version"].clone()
    }

    /// The value of a version's tag.
    pub(crate) fn tag(&self, number: u64, key: &str) -> Option<String> {
        let version = self.version(number);
        let tags = version["tags"].as_array()?.clone();
        let found = tags.iter().find(|tag| tag["key"] == key)?;
        found["value"].as_str().map(str::to_owned)
    }
}
