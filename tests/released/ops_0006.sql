CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
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
CREATE INDEX ix_session_account_id ON session (account_id);
CREATE INDEX ix_session_expires_at ON session (expires_at);
CREATE TABLE attempt (
	id INTEGER NOT NULL,
	name_hash VARCHAR(64) NOT NULL,
	address_hash VARCHAR(64) NOT NULL,
	at DATETIME NOT NULL,
	ok BOOLEAN NOT NULL,
	CONSTRAINT pk_attempt PRIMARY KEY (id)
);
CREATE INDEX ix_attempt_name_hash ON attempt (name_hash, at);
CREATE INDEX ix_attempt_address_hash ON attempt (address_hash, at);
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
CREATE INDEX ix_api_key_client ON api_key (client);
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
CREATE INDEX ix_audit_at ON audit (at);
CREATE TABLE audit_head (
	id INTEGER NOT NULL,
	seq BIGINT NOT NULL,
	hash VARCHAR(64) NOT NULL,
	CONSTRAINT pk_audit_head PRIMARY KEY (id),
	CONSTRAINT ck_audit_head_ck_audit_head_one_row CHECK (id = 1)
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
CREATE TABLE delivery (
	subject VARCHAR(80) NOT NULL,
	cell VARCHAR(40) NOT NULL,
	day DATE NOT NULL,
	CONSTRAINT pk_delivery PRIMARY KEY (subject, cell)
);
CREATE TABLE tick (
	id VARCHAR(160) NOT NULL,
	resource VARCHAR(80) NOT NULL,
	department VARCHAR(80) NOT NULL,
	why VARCHAR(12) NOT NULL,
	due_at DATETIME NOT NULL,
	state VARCHAR(8) NOT NULL,
	attempt INTEGER DEFAULT '0' NOT NULL,
	next_at DATETIME NOT NULL,
	lease_owner VARCHAR(80) DEFAULT '' NOT NULL,
	lease_until DATETIME,
	accept BOOLEAN NOT NULL,
	force BOOLEAN NOT NULL,
	period_from DATE,
	period_to DATE,
	request_id BIGINT,
	run VARCHAR(64) DEFAULT '' NOT NULL,
	reason_zh TEXT DEFAULT '' NOT NULL,
	reason_en TEXT DEFAULT '' NOT NULL,
	created_at DATETIME NOT NULL,
	ended_at DATETIME, stage VARCHAR(12) DEFAULT '' NOT NULL, rows_seen BIGINT, begun_at DATETIME,
	CONSTRAINT pk_tick PRIMARY KEY (id)
);
CREATE INDEX ix_tick_state ON tick (state, next_at);
CREATE INDEX ix_tick_resource ON tick (resource, due_at);
CREATE TABLE run (
	id VARCHAR(32) NOT NULL,
	run VARCHAR(64) NOT NULL,
	tick_id VARCHAR(160) DEFAULT '' NOT NULL,
	resource VARCHAR(80) NOT NULL,
	status VARCHAR(12) NOT NULL,
	started_at DATETIME NOT NULL,
	fetched_at DATETIME,
	read_at DATETIME,
	checked_at DATETIME,
	published_at DATETIME,
	finished_at DATETIME NOT NULL,
	rows_read BIGINT,
	rows_published BIGINT,
	rows_quarantined BIGINT,
	rows_duplicates BIGINT,
	rows_repaired BIGINT,
	rows_delta BIGINT,
	version VARCHAR(80) DEFAULT '' NOT NULL,
	as_of DATE,
	log VARCHAR(200) DEFAULT '' NOT NULL,
	reason_zh TEXT DEFAULT '' NOT NULL,
	reason_en TEXT DEFAULT '' NOT NULL,
	details JSON NOT NULL,
	CONSTRAINT pk_run PRIMARY KEY (id)
);
CREATE INDEX ix_run_resource ON run (resource, finished_at);
CREATE INDEX ix_run_finished_at ON run (finished_at);
CREATE INDEX ix_run_run ON run (run);
CREATE TABLE ledger_read (
	id INTEGER NOT NULL,
	upto BIGINT NOT NULL,
	head VARCHAR(64) NOT NULL,
	CONSTRAINT pk_ledger_read PRIMARY KEY (id),
	CONSTRAINT ck_ledger_read_ck_ledger_read_one_row CHECK (id = 1)
);
CREATE TABLE standing (
	resource VARCHAR(80) NOT NULL,
	place INTEGER NOT NULL,
	title_zh VARCHAR(200) NOT NULL,
	title_en VARCHAR(200) NOT NULL,
	department VARCHAR(80) NOT NULL,
	department_zh VARCHAR(200) NOT NULL,
	department_en VARCHAR(200) NOT NULL,
	theme VARCHAR(40) NOT NULL,
	contact_person VARCHAR(80) NOT NULL,
	contact_phone VARCHAR(40) NOT NULL,
	update_cycle VARCHAR(40) NOT NULL,
	cadence_seconds BIGINT NOT NULL,
	declared TEXT NOT NULL,
	cadence TEXT NOT NULL,
	paused BOOLEAN NOT NULL,
	search TEXT NOT NULL,
	state VARCHAR(8) NOT NULL,
	rank INTEGER NOT NULL,
	since DATETIME NOT NULL,
	good_at DATETIME,
	as_of DATE,
	last_at DATETIME,
	last_run VARCHAR(64) DEFAULT '' NOT NULL,
	last_status VARCHAR(12) DEFAULT '' NOT NULL,
	due_at DATETIME,
	late_at DATETIME,
	next_run_at DATETIME,
	rows BIGINT,
	rows_delta BIGINT,
	rows_quarantined BIGINT,
	seconds FLOAT,
	version VARCHAR(80) DEFAULT '' NOT NULL,
	reason_zh TEXT DEFAULT '' NOT NULL,
	reason_en TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_standing PRIMARY KEY (resource)
);
CREATE INDEX ix_standing_rank ON standing (rank, place);
CREATE INDEX ix_standing_place ON standing (place);
CREATE INDEX ix_standing_department ON standing (department, rank, place);
CREATE INDEX ix_standing_theme ON standing (theme, rank, place);
CREATE INDEX ix_standing_state ON standing (state, late_at);
CREATE INDEX ix_standing_good_at ON standing (good_at, place);
CREATE INDEX ix_standing_due_at ON standing (due_at, place);
CREATE INDEX ix_standing_rows ON standing (rows, place);
CREATE INDEX ix_standing_rows_delta ON standing (rows_delta, place);
CREATE TABLE schedule_change (
	id INTEGER NOT NULL,
	at DATETIME NOT NULL,
	resource VARCHAR(80) NOT NULL,
	account_id VARCHAR(36) NOT NULL,
	why TEXT NOT NULL,
	cadence TEXT NOT NULL,
	paused BOOLEAN NOT NULL,
	CONSTRAINT pk_schedule_change PRIMARY KEY (id)
);
CREATE INDEX ix_schedule_change_resource ON schedule_change (resource, id);
CREATE TABLE hold (
	run VARCHAR(64) NOT NULL,
	resource VARCHAR(80) NOT NULL,
	opened_at DATETIME NOT NULL,
	reason_zh TEXT NOT NULL,
	reason_en TEXT NOT NULL,
	guards JSON NOT NULL,
	rows_old BIGINT,
	rows_new BIGINT,
	version VARCHAR(80) DEFAULT '' NOT NULL,
	delivery VARCHAR(64) DEFAULT '' NOT NULL,
	decision VARCHAR(12) DEFAULT '' NOT NULL,
	account_id VARCHAR(36) DEFAULT '' NOT NULL,
	why TEXT DEFAULT '' NOT NULL,
	decided_at DATETIME,
	CONSTRAINT pk_hold PRIMARY KEY (run)
);
CREATE INDEX ix_hold_decision ON hold (decision, opened_at);
CREATE INDEX ix_hold_resource ON hold (resource, opened_at);
CREATE TABLE run_request (
	id INTEGER NOT NULL,
	at DATETIME NOT NULL,
	resource VARCHAR(80) NOT NULL,
	kind VARCHAR(12) NOT NULL,
	account_id VARCHAR(36) NOT NULL,
	why TEXT DEFAULT '' NOT NULL,
	period_from DATE,
	period_to DATE,
	held_run VARCHAR(64) DEFAULT '' NOT NULL,
	state VARCHAR(8) NOT NULL,
	ended_at DATETIME,
	reason_zh TEXT DEFAULT '' NOT NULL,
	reason_en TEXT DEFAULT '' NOT NULL, version VARCHAR(80) DEFAULT '' NOT NULL,
	CONSTRAINT pk_run_request PRIMARY KEY (id)
);
CREATE INDEX ix_run_request_state ON run_request (state, id);
CREATE INDEX ix_run_request_resource ON run_request (resource, id);
CREATE TABLE notice (
	id INTEGER NOT NULL,
	at DATETIME NOT NULL,
	resource VARCHAR(80) NOT NULL,
	department VARCHAR(80) NOT NULL,
	state_before VARCHAR(8) NOT NULL,
	state VARCHAR(8) NOT NULL,
	due_at DATETIME,
	reason_zh TEXT NOT NULL,
	reason_en TEXT NOT NULL,
	routed BOOLEAN NOT NULL,
	CONSTRAINT pk_notice PRIMARY KEY (id)
);
CREATE INDEX ix_notice_routed ON notice (routed, id);
CREATE INDEX ix_notice_resource ON notice (resource, id);
CREATE TABLE letter (
	notice_id BIGINT NOT NULL,
	channel VARCHAR(80) NOT NULL,
	state VARCHAR(8) NOT NULL,
	attempt INTEGER NOT NULL,
	next_at DATETIME NOT NULL,
	sent_at DATETIME,
	error TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_letter PRIMARY KEY (notice_id, channel),
	CONSTRAINT fk_letter_notice_id FOREIGN KEY(notice_id) REFERENCES notice (id)
);
CREATE INDEX ix_letter_state ON letter (state, next_at);
CREATE TABLE worker (
	name VARCHAR(80) NOT NULL,
	started_at DATETIME NOT NULL,
	seen_at DATETIME NOT NULL,
	CONSTRAINT pk_worker PRIMARY KEY (name)
);
CREATE INDEX ix_standing_counted ON standing (rank, department, theme, update_cycle);
CREATE TABLE quarantine_act (
	id INTEGER NOT NULL,
	at DATETIME NOT NULL,
	resource VARCHAR(80) NOT NULL,
	department VARCHAR(80) NOT NULL,
	name VARCHAR(20) NOT NULL,
	source TEXT NOT NULL,
	"key" TEXT DEFAULT '' NOT NULL,
	"row" VARCHAR(200) NOT NULL,
	fingerprint VARCHAR(64) NOT NULL,
	rules JSON NOT NULL,
	kind VARCHAR(8) NOT NULL,
	changes JSON NOT NULL,
	why TEXT NOT NULL,
	account_id VARCHAR(36) NOT NULL,
	book VARCHAR(40) DEFAULT '' NOT NULL,
	withdrawn_at DATETIME,
	withdrawn_by VARCHAR(36) DEFAULT '' NOT NULL,
	withdrawn_why TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_quarantine_act PRIMARY KEY (id)
);
CREATE INDEX ix_quarantine_act_resource ON quarantine_act (resource, id);
CREATE INDEX ix_quarantine_act_name ON quarantine_act (name);
CREATE TABLE newcomer (
	id VARCHAR(32) NOT NULL,
	at DATETIME NOT NULL,
	changed_at DATETIME NOT NULL,
	account_id VARCHAR(36) NOT NULL,
	name VARCHAR(200) NOT NULL,
	origin JSON NOT NULL,
	state VARCHAR(12) NOT NULL,
	lease_owner VARCHAR(80) DEFAULT '' NOT NULL,
	lease_until DATETIME,
	department VARCHAR(80) DEFAULT '' NOT NULL,
	resource VARCHAR(80) DEFAULT '' NOT NULL,
	found JSON NOT NULL,
	answers JSON NOT NULL,
	preview JSON NOT NULL,
	reason_zh TEXT DEFAULT '' NOT NULL,
	reason_en TEXT DEFAULT '' NOT NULL,
	decided_by VARCHAR(36) DEFAULT '' NOT NULL,
	decided_at DATETIME,
	why TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_newcomer PRIMARY KEY (id)
);
CREATE INDEX ix_newcomer_state ON newcomer (state, changed_at);
CREATE INDEX ix_newcomer_account_id ON newcomer (account_id, at);
INSERT INTO alembic_version VALUES ('0006');
