//! Where a GitHub answers.

use crate::http::is_loopback;

/// The addresses of one GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    web: String,
    rest: String,
    graphql: String,
}

impl Address {
    /// The GitHub whose pages are at `scheme://host[:port]`. github.com and GitHub Enterprise Cloud
    /// have a host of their own for the API; an Enterprise Server and the local forge have a path.
    #[must_use]
    pub fn of(web: &str) -> Address {
        let web = web.trim_end_matches('/').to_owned();
        let host = web.split("://").nth(1).unwrap_or(&web).to_lowercase();
        let (rest, graphql) = if host == "github.com" || host.ends_with(".ghe.com") {
            let api = format!("https://api.{host}");
            (api.clone(), api)
        } else {
            (format!("{web}/api/v3"), format!("{web}/api"))
        };
        Address { web, rest, graphql }
    }

    /// Base address of its pages.
    #[must_use]
    pub fn web(&self) -> &str {
        &self.web
    }

    /// Base address of its REST API.
    #[must_use]
    pub fn rest(&self) -> &str {
        &self.rest
    }

    /// What `/graphql` is appended to.
    #[must_use]
    pub fn graphql(&self) -> &str {
        &self.graphql
    }

    /// Host, and port where it is not the usual one.
    #[must_use]
    pub fn host(&self) -> &str {
        self.web.split("://").nth(1).unwrap_or(&self.web)
    }

    /// Whether it runs on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_loopback(&self.web)
    }

    /// Whether it is run by GitHub itself: github.com, or Enterprise Cloud with data residency.
    #[must_use]
    pub fn is_cloud(&self) -> bool {
        self.rest.starts_with("https://api.")
            && (self.host() == "github.com" || self.host().ends_with(".ghe.com"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_github_answers_where_it_does() {
        for (web, rest, graphql) in [
            (
                "https://github.com",
                "https://api.github.com",
                "https://api.github.com",
            ),
            (
                "https://acme.ghe.com/",
                "https://api.acme.ghe.com",
                "https://api.acme.ghe.com",
            ),
            (
                "https://git.example.org",
                "https://git.example.org/api/v3",
                "https://git.example.org/api",
            ),
            (
                "http://127.0.0.1:4567",
                "http://127.0.0.1:4567/api/v3",
                "http://127.0.0.1:4567/api",
            ),
        ] {
            let address = Address::of(web);
            assert_eq!(address.rest(), rest);
            assert_eq!(address.graphql(), graphql);
        }
        assert_eq!(
            Address::of("http://127.0.0.1:4567").host(),
            "127.0.0.1:4567"
        );
        assert!(!Address::of("https://api.github.com.example.org").is_cloud());
    }
}
