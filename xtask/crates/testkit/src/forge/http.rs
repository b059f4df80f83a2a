//! Plain http to the forge.

use serde_json::Value;
use ureq::Agent;

/// Answers with whatever comes back, errors included.
#[derive(Debug)]
pub(super) struct Client(Agent);

impl Default for Client {
    fn default() -> Client {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .build();
        Client(Agent::new_with_config(config))
    }
}

impl Client {
    /// Sends a request, with a body unless it is null.
    pub(super) fn send(
        &self,
        token: &str,
        method: &str,
        address: &str,
        body: &Value,
    ) -> (u16, Value) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(address)
            .header("authorization", format!("Bearer {token}"))
            .header("user-agent", "xtask-testkit")
            .header("accept", "application/vnd.github+json");
        let reply = match body {
            Value::Null => self.0.run(request.body(()).expect("a request")),
            body => {
                let request = request.header("content-type", "application/json");
                self.0
                    .run(request.body(body.to_string()).expect("a request"))
            }
        };
        let mut reply = reply.unwrap_or_else(|error| panic!("{method} {address}: {error}"));
        let status = reply.status().as_u16();
        let text = reply.body_mut().read_to_string().unwrap_or_default();
        let body = serde_json::from_str(&text).unwrap_or(match text.is_empty() {
            true => Value::Null,
            false => Value::String(text),
        });
        (status, body)
    }
}
