CREATE TABLE account (
	id VARCHAR(36) NOT NULL,
	name VARCHAR(120) NOT NULL,
	display_name VARCHAR(120) DEFAULT '' NOT NULL,
	role VARCHAR(40) NOT NULL,
	prefix VARCHAR(12) DEFAULT '' NOT NULL,
	grid VARCHAR(15) DEFAULT '' NOT NULL,
	department VARCHAR(80) DEFAULT '' NOT NULL,
	password_hash TEXT DEFAULT '' NOT NULL,
	totp_secret TEXT DEFAULT '' NOT NULL,
	must_change BOOLEAN NOT NULL,
	disabled_at DATETIME,
	created_at DATETIME NOT NULL,
	version INTEGER NOT NULL,
	CONSTRAINT pk_account PRIMARY KEY (id),
	CONSTRAINT uq_account_name UNIQUE (name)
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE api_key (
	id VARCHAR(8) NOT NULL,
	client VARCHAR(120) NOT NULL,
	secret_hash VARCHAR(64) NOT NULL,
	scopes JSON NOT NULL,
	prefix VARCHAR(12) DEFAULT '' NOT NULL,
	networks JSON NOT NULL,
	created_at DATETIME NOT NULL,
	expires_at DATETIME NOT NULL,
	revoked_at DATETIME,
	last_used_at DATETIME,
	CONSTRAINT pk_api_key PRIMARY KEY (id)
);
CREATE TABLE attempt (
	id INTEGER NOT NULL,
	name_hash VARCHAR(64) NOT NULL,
	address_hash VARCHAR(64) NOT NULL,
	at DATETIME NOT NULL,
	ok BOOLEAN NOT NULL,
	CONSTRAINT pk_attempt PRIMARY KEY (id)
);
CREATE TABLE audit (
	seq INTEGER NOT NULL,
	at VARCHAR(27) NOT NULL,
	subject TEXT NOT NULL,
	role TEXT NOT NULL,
	via TEXT NOT NULL,
	action TEXT NOT NULL,
	resource TEXT NOT NULL,
	purpose TEXT NOT NULL,
	outcome TEXT NOT NULL,
	address TEXT NOT NULL,
	detail TEXT NOT NULL,
	key_id VARCHAR(8) NOT NULL,
	previous_hash VARCHAR(64) NOT NULL,
	hash VARCHAR(64) NOT NULL,
	CONSTRAINT pk_audit PRIMARY KEY (seq)
);
CREATE TABLE audit_head (
	id INTEGER NOT NULL,
	seq BIGINT NOT NULL,
	hash VARCHAR(64) NOT NULL,
	CONSTRAINT pk_audit_head PRIMARY KEY (id),
	CONSTRAINT ck_audit_head_ck_audit_head_one_row CHECK (id = 1)
);
CREATE TABLE delivery (
	subject VARCHAR(80) NOT NULL,
	cell VARCHAR(40) NOT NULL,
	day DATE NOT NULL,
	CONSTRAINT pk_delivery PRIMARY KEY (subject, cell)
);
CREATE TABLE session (
	id_hash VARCHAR(64) NOT NULL,
	account_id VARCHAR(36) NOT NULL,
	created_at DATETIME NOT NULL,
	seen_at DATETIME NOT NULL,
	expires_at DATETIME NOT NULL,
	address VARCHAR(64) DEFAULT '' NOT NULL,
	agent VARCHAR(400) DEFAULT '' NOT NULL,
	ended_at DATETIME,
	csrf_hash VARCHAR(64) NOT NULL,
	purpose TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_session PRIMARY KEY (id_hash),
	CONSTRAINT fk_session_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE TABLE setting_change (
	id INTEGER NOT NULL,
	at DATETIME NOT NULL,
	account_id VARCHAR(36) NOT NULL,
	setting VARCHAR(80) NOT NULL,
	version INTEGER NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	content TEXT NOT NULL,
	note TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_setting_change PRIMARY KEY (id),
	CONSTRAINT uq_setting_change_setting UNIQUE (setting, version)
);
CREATE INDEX ix_api_key_client ON api_key (client);
CREATE INDEX ix_attempt_address_hash ON attempt (address_hash, at);
CREATE INDEX ix_attempt_name_hash ON attempt (name_hash, at);
CREATE INDEX ix_audit_at ON audit (at);
CREATE INDEX ix_session_account_id ON session (account_id);
CREATE INDEX ix_session_expires_at ON session (expires_at);
INSERT INTO alembic_version VALUES ('0002');
