-- Secrets, as they are: this file is its owner's alone (0600), like the token beside it.
CREATE TABLE secret_scopes (
    name TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE secrets (
    scope TEXT NOT NULL REFERENCES secret_scopes (name) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT;

CREATE TABLE secret_acls (
    scope TEXT NOT NULL REFERENCES secret_scopes (name) ON DELETE CASCADE,
    principal TEXT NOT NULL,
    permission TEXT NOT NULL,
    PRIMARY KEY (scope, principal)
) STRICT;
