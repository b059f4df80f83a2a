//! A way that only reading calls get through.

use std::path::Path;

use crate::Error;
use crate::transport::{Request, Response, Transport};

/// Refuses each call that would change something, before it is sent.
pub struct ReadOnly<'a>(Box<dyn Transport + 'a>);

impl<'a> ReadOnly<'a> {
    /// The reading half of a way.
    #[must_use]
    pub fn new(transport: Box<dyn Transport + 'a>) -> ReadOnly<'a> {
        ReadOnly(transport)
    }
}

impl Transport for ReadOnly<'_> {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        check(request)?;
        self.0.send(request)
    }

    fn save(
        &self,
        request: &Request,
        file: &Path,
        on_bytes: &mut dyn FnMut(u64) -> bool,
    ) -> Result<u64, Error> {
        check(request)?;
        self.0.save(request, file, on_bytes)
    }
}

fn check(request: &Request) -> Result<(), Error> {
    match request.reads {
        true => Ok(()),
        false => Err(Error::Unexpected {
            call: request.call(),
            reason: "it is not sent, as it would change something where this command only reads"
                .to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Headers, Method};

    struct Anything;

    impl Transport for Anything {
        fn send(&self, _: &Request) -> Result<Response, Error> {
            Ok(Response {
                status: 200,
                headers: Headers::default(),
                body: Vec::new(),
            })
        }
    }

    #[test]
    fn what_would_change_something_is_not_sent() {
        let way = ReadOnly::new(Box::new(Anything));
        for method in [Method::Get, Method::Head] {
            assert!(way.send(&Request::new(method, "/x")).is_ok());
        }
        assert!(
            way.send(&Request::new(Method::Post, "/search").reads())
                .is_ok()
        );
        for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
            let refused = way.send(&Request::new(method, "/x")).unwrap_err();
            assert!(refused.to_string().contains("not sent"), "{refused}");
        }
    }
}
