//! OAuth: a secret, or a token that somebody else signed, becomes an access token.
//!
//! The issuer is a stand-in for GitHub's: it signs with RS256 under a key made for these tests, and hands a token to
//! whoever shows the request token, as a workflow run does.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

use crate::identities::Service;
use crate::server::{Server, read};

/// A key made for these tests; it opens nothing.
const KEY: &[u8] = include_bytes!("fixtures/issuer-rsa.pkcs8.der");
const ISSUER: &str = "https://token.actions.example";
const SUBJECT: &str = "repo:acme/taxi:environment:prod";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

pub(crate) struct Issuer(RsaKeyPair);

impl Issuer {
    pub(crate) fn new() -> Issuer {
        Issuer(RsaKeyPair::from_pkcs8(KEY).unwrap())
    }

    pub(crate) fn jwks(&self) -> Value {
        let key = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(self.0.public());
        json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one",
            "n": BASE64.encode(key.n), "e": BASE64.encode(key.e)}]})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{signed}.{}", BASE64.encode(signature))
    }

    fn token(&self, claims: &Value) -> String {
        self.sign(&json!({"alg": "RS256", "kid": "one", "typ": "JWT"}), claims)
    }
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn claims(audience: &str) -> Value {
    let now = Timestamp::now().as_second();
    json!({"iss": ISSUER, "sub": SUBJECT, "aud": audience, "iat": now, "nbf": now - 5, "exp": now + 300,
        "repository": "acme/taxi"})
}

async fn ask(server: &Server, form: &[(&str, &str)]) -> (StatusCode, Value) {
    let request = server.client.post(format!("{}/oidc/v1/token", server.url));
    read(request.form(form).send().await.unwrap()).await
}

async fn exchange(server: &Server, client: &str, token: &str) -> (StatusCode, Value) {
    let form = [
        ("grant_type", EXCHANGE),
        ("subject_token_type", JWT),
        ("subject_token", token),
        ("client_id", client),
        ("scope", "all-apis"),
    ];
    ask(server, &form).await
}

pub(crate) async fn secret_of(server: &Server, service: &Service) -> String {
    let path = format!(
        "/api/2.0/accounts/servicePrincipals/{}/credentials/secrets",
        service.id
    );
    let (status, made) = server.post(&path, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    made["secret"].as_str().unwrap().to_owned()
}

async fn trust(server: &Server, service: &Service, oidc: Value) -> (StatusCode, Value) {
    let path = format!(
        "/api/2.0/accounts/any/servicePrincipals/{}/federationPolicies?policy_id=ci",
        service.id
    );
    server
        .post(&path, json!({"description": "CI", "oidc_policy": oidc}))
        .await
}

fn policy(issuer: &Issuer) -> Value {
    json!({"issuer": ISSUER, "subject": SUBJECT, "jwks_json": issuer.jwks().to_string()})
}

#[tokio::test]
async fn a_secret_becomes_a_token_that_ends() {
    let server = Server::start().await;
    let ci = Service::create(&server, "ci").await;
    let secret = secret_of(&server, &ci).await;
    let request = server
        .client
        .post(format!("{}/oidc/v1/token", server.url))
        .basic_auth(&ci.application_id, Some(&secret))
        .form(&[("grant_type", "client_credentials"), ("scope", "all-apis")]);
    let reply = request.send().await.unwrap();
    assert_eq!(reply.headers()["cache-control"], "no-store");
    let (status, token) = read(reply).await;
    assert_eq!(status, StatusCode::OK, "{token}");
    assert_eq!(
        (&token["token_type"], &token["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    let holder = Service {
        id: String::new(),
        application_id: String::new(),
        token: token["access_token"].as_str().unwrap().to_owned(),
    };
    let me = "/api/2.0/preview/scim/v2/Me";
    let (_, body) = holder.get(&server, me).await;
    assert_eq!(body["userName"], ci.application_id);
    // It is no personal token: nobody finds it in a list.
    let (_, listed) = ci.get(&server, "/api/2.0/token/list").await;
    assert_eq!(listed["token_infos"].as_array().unwrap().len(), 1);

    let database = rusqlite::Connection::open(server.state().join("workspace.db")).unwrap();
    database
        .execute(
            "UPDATE access_tokens SET expires_at = 1 WHERE kind = 'OAUTH'",
            [],
        )
        .unwrap();
    assert_eq!(holder.get(&server, me).await.0, StatusCode::UNAUTHORIZED);

    // By form, too; and the refusals in OAuth's own words.
    let form = |id: &str, secret: &str| {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
        ];
        fields.map(|(name, value)| (name, value.to_owned()))
    };
    let send = async |fields: [(&str, String); 3]| {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        ask(&server, &fields).await
    };
    assert_eq!(
        send(form(&ci.application_id, &secret)).await.0,
        StatusCode::OK
    );
    for (id, value) in [
        (ci.application_id.as_str(), "dose"),
        (ci.application_id.as_str(), ""),
        ("nobody", secret.as_str()),
        ("ml.developer@workspace.local", secret.as_str()),
    ] {
        let (status, body) = send(form(id, value)).await;
        assert_eq!(
            (status, &body["error"]),
            (StatusCode::UNAUTHORIZED, &json!("invalid_client")),
            "{id}"
        );
    }
    for (fields, error) in [
        (vec![], "invalid_request"),
        (vec![("grant_type", "password")], "unsupported_grant_type"),
        (vec![("grant_type", EXCHANGE)], "invalid_request"),
    ] {
        let (status, body) = ask(&server, &fields).await;
        assert_eq!(
            (status, &body["error"]),
            (StatusCode::BAD_REQUEST, &json!(error))
        );
    }
    let listed = server
        .get(&format!(
            "/api/2.0/accounts/servicePrincipals/{}/credentials/secrets",
            ci.id
        ))
        .await
        .1;
    assert!(!listed.to_string().contains(&secret), "{listed}");
    let id = listed["secrets"][0]["id"].as_str().unwrap();
    let path = format!(
        "/api/2.0/accounts/servicePrincipals/{}/credentials/secrets/{id}",
        ci.id
    );
    assert_eq!(server.delete(&path).await.0, StatusCode::OK);
    assert_eq!(
        send(form(&ci.application_id, &secret)).await.0,
        StatusCode::UNAUTHORIZED
    );
    server.stop().await;
}

#[tokio::test]
async fn a_signed_token_is_taken_only_as_the_policy_says() {
    let server = Server::start().await;
    let (issuer, ci) = (Issuer::new(), Service::create(&server, "ci").await);
    let endpoint = format!("{}/oidc/v1/token", server.url);
    let good = claims(&endpoint);
    let (status, body) = exchange(&server, &ci.application_id, &issuer.token(&good)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "no policy yet: {body}");
    let (status, made) = trust(&server, &ci, policy(&issuer)).await;
    assert_eq!(status, StatusCode::OK, "{made}");

    let (status, token) = exchange(&server, &ci.application_id, &issuer.token(&good)).await;
    assert_eq!(status, StatusCode::OK, "{token}");
    let holder = Service {
        id: String::new(),
        application_id: String::new(),
        token: token["access_token"].as_str().unwrap().to_owned(),
    };
    let (_, me) = holder.get(&server, "/api/2.0/preview/scim/v2/Me").await;
    assert_eq!(me["userName"], ci.application_id);

    let now = Timestamp::now().as_second();
    let with = |claim: &str, value: Value| {
        let mut changed = good.clone();
        changed[claim] = value;
        issuer.token(&changed)
    };
    let without = |claim: &str| {
        let mut changed = good.clone();
        changed.as_object_mut().unwrap().remove(claim);
        issuer.token(&changed)
    };
    let header = |algorithm: &str| json!({"alg": algorithm, "kid": "one", "typ": "JWT"});
    let whole = issuer.token(&good);
    let (signed, signature) = whole.rsplit_once('.').unwrap();
    let hmac = ring::hmac::Key::new(
        ring::hmac::HMAC_SHA256,
        issuer.jwks().to_string().as_bytes(),
    );
    let symmetric = unsigned(&header("HS256"), &good);
    let tag = BASE64.encode(ring::hmac::sign(&hmac, symmetric.as_bytes()));
    let stranger =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .unwrap();
    let stranger = EcdsaKeyPair::from_pkcs8(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        stranger.as_ref(),
        &SystemRandom::new(),
    )
    .unwrap();
    let by_stranger = unsigned(&header("ES256"), &good);
    let foreign = BASE64.encode(
        stranger
            .sign(&SystemRandom::new(), by_stranger.as_bytes())
            .unwrap(),
    );
    let mut critical = header("RS256");
    critical["crit"] = json!(["x"]);
    for (what, token, says) in [
        ("audience", with("aud", json!("https://other")), "aud"),
        ("no audience", without("aud"), "aud"),
        (
            "subject",
            with("sub", json!("repo:acme/taxi:pull_request")),
            "pull_request",
        ),
        (
            "subject in other letters",
            with("sub", json!(SUBJECT.to_uppercase())),
            "sub",
        ),
        ("subject in a list", with("sub", json!([SUBJECT])), "sub"),
        (
            "issuer",
            with("iss", json!("https://token.actions.example.evil")),
            "iss",
        ),
        ("expired", with("exp", json!(now - 120)), "expired"),
        ("no expiry", without("exp"), "exp"),
        ("expiry as text", with("exp", json!("9999999999")), "exp"),
        ("not yet", with("nbf", json!(now + 600)), "not valid yet"),
        ("begin as text", with("nbf", json!("x")), "not valid yet"),
        (
            "none",
            format!("{}.", unsigned(&header("none"), &good)),
            "RS256",
        ),
        (
            "none with a signature",
            format!("{}.{signature}", unsigned(&header("none"), &good)),
            "RS256",
        ),
        ("a symmetric key", format!("{symmetric}.{tag}"), "RS256"),
        (
            "a stranger's key",
            format!("{by_stranger}.{foreign}"),
            "signature",
        ),
        (
            "other claims",
            format!("{}.{signature}", unsigned(&header("RS256"), &claims("x"))),
            "signature",
        ),
        ("no signature", format!("{signed}."), "signature"),
        (
            "critical headers",
            issuer.sign(&critical, &good),
            "critical",
        ),
        (
            "another key's id",
            issuer.sign(&json!({"alg": "RS256", "kid": "two"}), &good),
            "signature",
        ),
        ("no JWT", "x".to_owned(), "JWT"),
        ("nothing", String::new(), "JWT"),
    ] {
        let (status, body) = exchange(&server, &ci.application_id, &token).await;
        assert_eq!(
            (status, &body["error"]),
            (StatusCode::BAD_REQUEST, &json!("invalid_grant")),
            "{what}: {body}"
        );
        let description = body["error_description"].as_str().unwrap();
        assert!(description.contains(says), "{what}: {description}");
    }
    // Another service principal does not share the policy.
    let other = Service::create(&server, "other").await;
    let (status, _) = exchange(&server, &other.application_id, &whole).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = exchange(&server, "nobody", &whole).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    server.stop().await;
}

#[tokio::test]
async fn a_policy_names_audiences_and_an_elliptic_key_and_can_be_changed() {
    let server = Server::start().await;
    let ci = Service::create(&server, "ci").await;
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random)
        .unwrap();
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let jwks = json!({"keys": [{"kty": "EC", "crv": "P-256", "x": BASE64.encode(x), "y": BASE64.encode(y)}]});
    for wrong in [
        json!({"issuer": ISSUER, "subject": SUBJECT}),
        json!({"issuer": ISSUER, "jwks_json": jwks.to_string()}),
        json!({"issuer": ISSUER, "subject": SUBJECT, "jwks_json": "{}"}),
        json!({"issuer": ISSUER, "subject": SUBJECT, "jwks_json": "{\"keys\":[{\"kty\":\"oct\",\"k\":\"eA\"}]}"}),
    ] {
        let (status, body) = trust(&server, &ci, wrong.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {body}");
    }
    let oidc = json!({"issuer": ISSUER, "subject": "acme/taxi", "subject_claim": "repository",
        "audiences": ["https://github.com/acme"], "jwks_json": jwks.to_string()});
    assert_eq!(trust(&server, &ci, oidc.clone()).await.0, StatusCode::OK);
    assert_eq!(
        trust(&server, &ci, oidc).await.0,
        StatusCode::BAD_REQUEST,
        "twice"
    );
    let token = |audience: Value| {
        let mut claims = claims("");
        claims["aud"] = audience;
        let signed = unsigned(&json!({"alg": "ES256"}), &claims);
        let signature = key.sign(&random, signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64.encode(signature))
    };
    let take = async |audience: Value| {
        exchange(&server, &ci.application_id, &token(audience))
            .await
            .0
    };
    assert_eq!(
        take(json!(["x", "https://github.com/acme"])).await,
        StatusCode::OK
    );
    assert_eq!(
        take(json!(format!("{}/oidc/v1/token", server.url))).await,
        StatusCode::BAD_REQUEST
    );
    let path = format!(
        "/api/2.0/accounts/any/servicePrincipals/{}/federationPolicies/ci",
        ci.id
    );
    let change = json!({"oidc_policy": {"audiences": ["new"]}});
    let request = server.request(Method::PATCH, &path).json(&change);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(take(json!("new")).await, StatusCode::OK);
    assert_eq!(
        take(json!("https://github.com/acme")).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(server.delete(&path).await.0, StatusCode::OK);
    assert_eq!(take(json!("new")).await, StatusCode::BAD_REQUEST);
    server.stop().await;
}

/// Serves tokens as a workflow run on GitHub gets them: `GET …?x=y&audience=A` with the run's request token.
async fn serve_issuer(issuer: Issuer) -> String {
    type Asked = (Query<HashMap<String, String>>, HeaderMap);
    async fn hand_out(State(issuer): State<Arc<Issuer>>, (query, headers): Asked) -> Json<Value> {
        assert_eq!(headers["authorization"], "Bearer of-the-workflow");
        Json(json!({"value": issuer.token(&claims(&query["audience"]))}))
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/token", get(hand_out))
        .with_state(Arc::new(issuer));
    tokio::spawn(axum::serve(listener, router).into_future());
    format!("http://{address}/token?api-version=2.0")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_cli_gets_in_with_a_secret_and_from_a_workflow() {
    let server = Server::start().await;
    let ci = Service::create(&server, "ci").await;
    let secret = secret_of(&server, &ci).await;
    let request_url = serve_issuer(Issuer::new()).await;
    let dir = tempfile::tempdir().unwrap();
    let me = |variables: &[(&str, &str)]| {
        let mut command =
            crate::cli::bare(&server, dir.path(), &["current-user", "me", "-o", "json"]);
        command
            .env("DATABRICKS_CLIENT_ID", &ci.application_id)
            .envs(variables.iter().copied());
        command.output().unwrap()
    };
    let name = |output: &std::process::Output| -> Value {
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["userName"].clone()
    };
    let m2m = [
        ("DATABRICKS_AUTH_TYPE", "oauth-m2m"),
        ("DATABRICKS_CLIENT_SECRET", secret.as_str()),
    ];
    assert_eq!(name(&me(&m2m)), ci.application_id.as_str());
    let wrong = [m2m[0], ("DATABRICKS_CLIENT_SECRET", "dose")];
    let refused = me(&wrong);
    assert!(!refused.status.success());
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("invalid_client"),
        "{refused:?}"
    );

    let workflow = [
        ("DATABRICKS_AUTH_TYPE", "github-oidc"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", request_url.as_str()),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-workflow"),
    ];
    let untrusted = me(&workflow);
    assert!(!untrusted.status.success());
    trust(&server, &ci, policy(&Issuer::new())).await;
    assert_eq!(name(&me(&workflow)), ci.application_id.as_str());
    // The audience is the token's destination unless the workflow asks for another one.
    let other = [&workflow[..], &[("DATABRICKS_TOKEN_AUDIENCE", "elsewhere")]].concat();
    let refused = me(&other);
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("elsewhere"),
        "{refused:?}"
    );
    server.stop().await;
}
