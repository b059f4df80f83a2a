//! The workspace's id and its own user.

#[derive(Debug, Clone)]
pub struct Identity {
    /// Digits.
    pub workspace_id: String,
    /// 16 digits.
    pub user_id: String,
    /// An e-mail address.
    pub user_name: String,
}

impl Identity {
    /// The workspace has an account of its own.
    pub fn account_id(&self) -> String {
        uuid_of(&format!("{:0<32}", self.workspace_id))
    }

    /// The workspace has a metastore of its own.
    pub fn metastore_id(&self) -> String {
        uuid_of(&format!("{:0>32}", self.workspace_id))
    }
}

/// Formats 32 digits as a UUID.
fn uuid_of(digits: &str) -> String {
    let [a, b, c, d, e] = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| &digits[range]);
    format!("{a}-{b}-{c}-{d}-{e}")
}
