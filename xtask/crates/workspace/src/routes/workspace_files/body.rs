//! Body of `POST /api/2.0/workspace/import`: JSON with base64 content (the CLI), or a form with a file (the SDK for
//! Python).

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::import::{Import, Kind};
use crate::call::JsonBody;
use crate::error::ApiError;
use crate::files::WorkspacePath;

pub(super) struct ImportBody {
    pub(super) import: Import,
    pub(super) content: Vec<u8>,
}

#[derive(Default, Deserialize)]
struct Fields {
    #[serde(default)]
    path: String,
    #[serde(default)]
    content: String,
    format: Option<String>,
    language: Option<String>,
    #[serde(default)]
    overwrite: bool,
}

impl<S: Send + Sync> FromRequest<S> for ImportBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|value| value.starts_with("multipart/form-data")) {
            let form = Multipart::from_request(request, state).await;
            return from_form(form.map_err(|error| ApiError::invalid(error.body_text()))?).await;
        }
        let JsonBody(fields) = JsonBody::<Fields>::from_request(request, state).await?;
        let content = STANDARD
            .decode(&fields.content)
            .map_err(|error| ApiError::invalid(format!("content is not base64: {error}")))?;
        Ok(ImportBody {
            import: fields.into_import()?,
            content,
        })
    }
}

async fn from_form(mut form: Multipart) -> Result<ImportBody, ApiError> {
    let broken = |error: MultipartError| {
        ApiError::new(error.status(), "MALFORMED_REQUEST", error.body_text())
    };
    let (mut fields, mut content) = (Fields::default(), Vec::new());
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name().unwrap_or_default() {
            "content" => content = field.bytes().await.map_err(broken)?.to_vec(),
            "path" => fields.path = field.text().await.map_err(broken)?,
            "format" => fields.format = Some(field.text().await.map_err(broken)?),
            "language" => fields.language = Some(field.text().await.map_err(broken)?),
            "overwrite" => {
                fields.overwrite = field
                    .text()
                    .await
                    .map_err(broken)?
                    .eq_ignore_ascii_case("true")
            }
            _ => {}
        }
    }
    Ok(ImportBody {
        import: fields.into_import()?,
        content,
    })
}

impl Fields {
    fn into_import(self) -> Result<Import, ApiError> {
        let kind = match (self.format.as_deref().unwrap_or("SOURCE"), self.language) {
            ("AUTO", _) => Kind::ByContent,
            ("RAW", _) => Kind::File,
            ("SOURCE", Some(language)) => Kind::Source(language),
            ("SOURCE", None) => {
                return Err(ApiError::invalid("language is required for format SOURCE"));
            }
            ("JUPYTER", _) => Kind::Jupyter,
            (other, _) => {
                return Err(ApiError::not_implemented(format!(
                    "the local workspace does not import format {other}"
                )));
            }
        };
        Ok(Import {
            path: WorkspacePath::parse(&self.path)?,
            kind,
            overwrite: self.overwrite,
        })
    }
}
