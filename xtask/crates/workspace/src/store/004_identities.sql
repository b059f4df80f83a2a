-- Who may ask. The workspace's own user has a row, too. Of tokens and secrets only the SHA-256 is kept.
CREATE TABLE principals (
    principal_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    -- A user's e-mail address, or a service principal's application id.
    name TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    external_id TEXT NOT NULL DEFAULT '',
    entitlements_json TEXT NOT NULL DEFAULT '[]',
    active INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE groups (
    group_id INTEGER PRIMARY KEY,
    display_name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE group_members (
    group_id INTEGER NOT NULL REFERENCES groups (group_id) ON DELETE CASCADE,
    principal_id INTEGER NOT NULL REFERENCES principals (principal_id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, principal_id)
) STRICT;
CREATE INDEX group_members_by_principal ON group_members (principal_id);

-- Personal access tokens, and the ones that OAuth hands out (kind OAUTH); expires_at is absent for ever.
CREATE TABLE access_tokens (
    token_id TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    principal_id INTEGER NOT NULL REFERENCES principals (principal_id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    comment TEXT NOT NULL DEFAULT '',
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;
CREATE INDEX access_tokens_by_principal ON access_tokens (principal_id, created_at);

-- What a service principal gets OAuth tokens with.
CREATE TABLE client_secrets (
    secret_id TEXT PRIMARY KEY,
    principal_id INTEGER NOT NULL REFERENCES principals (principal_id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;
CREATE INDEX client_secrets_by_principal ON client_secrets (principal_id, created_at);

-- Whose signed tokens a service principal may show instead of a secret.
CREATE TABLE federation_policies (
    policy_id TEXT NOT NULL,
    principal_id INTEGER NOT NULL REFERENCES principals (principal_id) ON DELETE CASCADE,
    uid TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    oidc_json TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (principal_id, policy_id)
) STRICT;

-- As whom the code of a run acts; empty for the workspace's own user.
ALTER TABLE runs ADD COLUMN run_as TEXT NOT NULL DEFAULT '';
ALTER TABLE run_tokens ADD COLUMN run_as TEXT NOT NULL DEFAULT '';

-- Whose the things are that live in MLflow: experiments by id, models by full name, versions by full name and number.
CREATE TABLE owners (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;

-- What everybody may do in a catalog that came into being by being named; see unity_catalog/catalogs.rs.
INSERT INTO grants (securable_type, full_name, principal, privileges_json)
SELECT 'catalog', full_name, 'account users', '["CREATE_SCHEMA","USE_CATALOG"]' FROM securables WHERE kind = 'catalog'
ON CONFLICT DO NOTHING;
INSERT INTO grants (securable_type, full_name, principal, privileges_json)
SELECT 'schema', full_name, 'account users', '["CREATE_MODEL","CREATE_VOLUME","USE_SCHEMA"]'
FROM securables WHERE kind = 'schema' AND full_name LIKE '%.default'
ON CONFLICT DO NOTHING;
