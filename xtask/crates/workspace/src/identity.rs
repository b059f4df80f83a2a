//! Whose workspace this is.

/// The user who started the workspace and may do everything in it, and the workspace's own id.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Id of the workspace, digits.
    pub workspace_id: String,
    /// Id of the user, 16 digits.
    pub user_id: String,
    /// Name of the user, an e-mail address.
    pub user_name: String,
}

impl Identity {
    /// Id of the account, which the workspace has to itself, too.
    pub fn account_id(&self) -> String {
        uuid_of(&format!("{:0<32}", self.workspace_id))
    }

    /// Id of the metastore, which the workspace has to itself.
    pub fn metastore_id(&self) -> String {
        uuid_of(&format!("{:0>32}", self.workspace_id))
    }
}

/// 32 digits in the form of a UUID.
fn uuid_of(digits: &str) -> String {
    let [a, b, c, d, e] = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| &digits[range]);
    format!("{a}-{b}-{c}-{d}-{e}")
}
