CREATE TABLE content_blocks (
	number BIGINT NOT NULL,
	version BIGINT NOT NULL,
	CONSTRAINT pk_content_blocks PRIMARY KEY (number)
);
CREATE TABLE contents (
	id BIGINT NOT NULL,
	digest BYTEA NOT NULL,
	size BIGINT NOT NULL,
	format TEXT COLLATE "C" NOT NULL,
	width BIGINT NOT NULL,
	height BIGINT NOT NULL,
	taken_at TIMESTAMP WITHOUT TIME ZONE,
	utc_offset BIGINT,
	date_source TEXT COLLATE "C",
	camera TEXT COLLATE "C",
	lens TEXT COLLATE "C",
	latitude DOUBLE PRECISION,
	longitude DOUBLE PRECISION,
	focal_length DOUBLE PRECISION,
	aperture DOUBLE PRECISION,
	exposure DOUBLE PRECISION,
	iso BIGINT,
	rating BIGINT,
	user_rating BIGINT,
	title TEXT COLLATE "C",
	description TEXT COLLATE "C",
	sublocation TEXT COLLATE "C",
	city TEXT COLLATE "C",
	region TEXT COLLATE "C",
	country TEXT COLLATE "C",
	duration DOUBLE PRECISION,
	color BIGINT,
	facts_version BIGINT DEFAULT '0' NOT NULL,
	pixels_version BIGINT DEFAULT '0' NOT NULL,
	CONSTRAINT pk_contents PRIMARY KEY (id),
	CONSTRAINT uq_contents_digest UNIQUE (digest)
);
CREATE INDEX ix_contents_user_rating ON contents (user_rating) WHERE user_rating IS NOT NULL;
CREATE INDEX ix_contents_lens ON contents (lens);
CREATE INDEX ix_contents_camera ON contents (camera);
CREATE INDEX ix_contents_latitude_longitude ON contents (latitude, longitude);
CREATE INDEX ix_contents_taken_at_id_width_height ON contents (taken_at NULLS FIRST, id, width, height);
CREATE INDEX ix_contents_city ON contents (city);
CREATE INDEX ix_contents_country ON contents (country);
CREATE INDEX ix_contents_sublocation ON contents (sublocation);
CREATE INDEX ix_contents_iso ON contents (iso);
CREATE INDEX ix_contents_size ON contents (size);
CREATE INDEX ix_contents_region ON contents (region);
CREATE TABLE jobs (
	id BIGINT NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	parameters JSON NOT NULL,
	priority BIGINT NOT NULL,
	state TEXT COLLATE "C" NOT NULL,
	wish TEXT COLLATE "C",
	phase TEXT COLLATE "C" NOT NULL,
	done BIGINT NOT NULL,
	total BIGINT,
	owner TEXT COLLATE "C",
	crashes BIGINT NOT NULL,
	created_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
	started_at TIMESTAMP WITHOUT TIME ZONE,
	ended_at TIMESTAMP WITHOUT TIME ZONE,
	summary JSON,
	problem TEXT COLLATE "C",
	error TEXT COLLATE "C",
	CONSTRAINT pk_jobs PRIMARY KEY (id)
);
CREATE INDEX ix_jobs_state ON jobs (state);
CREATE TABLE kept_counts (
	number BIGINT NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	version BIGINT NOT NULL,
	counts BYTEA NOT NULL,
	CONSTRAINT pk_kept_counts PRIMARY KEY (number, kind)
);
CREATE TABLE places (
	id BIGINT NOT NULL,
	city TEXT COLLATE "C" NOT NULL,
	region TEXT COLLATE "C",
	country TEXT COLLATE "C" NOT NULL,
	country_code TEXT COLLATE "C" NOT NULL,
	CONSTRAINT pk_places PRIMARY KEY (id)
);
CREATE TABLE roots (
	id BIGINT NOT NULL,
	path BYTEA NOT NULL,
	added_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
	kind TEXT COLLATE "C" DEFAULT 'folder' NOT NULL,
	CONSTRAINT pk_roots PRIMARY KEY (id),
	CONSTRAINT uq_roots_path UNIQUE (path)
);
CREATE TABLE spaces (
	id BIGINT NOT NULL,
	fingerprint TEXT COLLATE "C" NOT NULL,
	model TEXT COLLATE "C" NOT NULL,
	weights TEXT COLLATE "C" NOT NULL,
	dim BIGINT NOT NULL,
	preprocessing JSON NOT NULL,
	dtype TEXT COLLATE "C" NOT NULL,
	created_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
	revision BIGINT DEFAULT '0' NOT NULL,
	filling_since TIMESTAMP WITHOUT TIME ZONE,
	CONSTRAINT pk_spaces PRIMARY KEY (id),
	CONSTRAINT uq_spaces_fingerprint UNIQUE (fingerprint)
);
CREATE TABLE tags (
	id BIGINT NOT NULL,
	key TEXT COLLATE "C" NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	CONSTRAINT pk_tags PRIMARY KEY (id),
	CONSTRAINT uq_tags_key UNIQUE (key)
);
CREATE TABLE vector_changes (
	id BIGINT NOT NULL,
	space_id BIGINT,
	content_id BIGINT NOT NULL,
	CONSTRAINT pk_vector_changes PRIMARY KEY (id)
);
CREATE TABLE albums (
	id BIGINT NOT NULL,
	by_hand BOOLEAN DEFAULT false NOT NULL,
	cover_id BIGINT,
	key TEXT COLLATE "C" NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	query TEXT COLLATE "C" NOT NULL,
	condition TEXT COLLATE "C",
	top BIGINT NOT NULL,
	created_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
	CONSTRAINT pk_albums PRIMARY KEY (id),
	CONSTRAINT uq_albums_key UNIQUE (key),
	CONSTRAINT fk_albums_cover_id_contents FOREIGN KEY(cover_id) REFERENCES contents (id) ON DELETE SET NULL
);
CREATE TABLE content_places (
	content_id BIGINT NOT NULL,
	place_id BIGINT,
	latitude DOUBLE PRECISION NOT NULL,
	longitude DOUBLE PRECISION NOT NULL,
	gazetteer TEXT COLLATE "C" NOT NULL,
	CONSTRAINT pk_content_places PRIMARY KEY (content_id),
	CONSTRAINT fk_content_places_place_id_places FOREIGN KEY(place_id) REFERENCES places (id),
	CONSTRAINT fk_content_places_content_id_contents FOREIGN KEY(content_id) REFERENCES contents (id) ON DELETE CASCADE
);
CREATE INDEX ix_content_places_place_id ON content_places (place_id);
CREATE TABLE content_tags (
	tag_id BIGINT NOT NULL,
	content_id BIGINT NOT NULL,
	source TEXT COLLATE "C" NOT NULL,
	probability DOUBLE PRECISION,
	CONSTRAINT pk_content_tags PRIMARY KEY (tag_id, content_id, source),
	CONSTRAINT fk_content_tags_content_id_contents FOREIGN KEY(content_id) REFERENCES contents (id) ON DELETE CASCADE,
	CONSTRAINT fk_content_tags_tag_id_tags FOREIGN KEY(tag_id) REFERENCES tags (id) ON DELETE CASCADE
);
CREATE INDEX ix_content_tags_content_id ON content_tags (content_id);
CREATE INDEX ix_content_tags_by_users ON content_tags (content_id) WHERE source = 'user';
CREATE TABLE distinct_pairs (
	first_id BIGINT NOT NULL,
	second_id BIGINT NOT NULL,
	CONSTRAINT pk_distinct_pairs PRIMARY KEY (first_id, second_id),
	CONSTRAINT ck_distinct_pairs_order CHECK (first_id < second_id),
	CONSTRAINT fk_distinct_pairs_first_id_contents FOREIGN KEY(first_id) REFERENCES contents (id) ON DELETE CASCADE,
	CONSTRAINT fk_distinct_pairs_second_id_contents FOREIGN KEY(second_id) REFERENCES contents (id) ON DELETE CASCADE
);
CREATE INDEX ix_distinct_pairs_second_id ON distinct_pairs (second_id);
CREATE TABLE embeddings (
	space_id BIGINT NOT NULL,
	content_id BIGINT NOT NULL,
	vector BYTEA NOT NULL,
	CONSTRAINT pk_embeddings PRIMARY KEY (space_id, content_id),
	CONSTRAINT fk_embeddings_content_id_contents FOREIGN KEY(content_id) REFERENCES contents (id) ON DELETE CASCADE,
	CONSTRAINT fk_embeddings_space_id_spaces FOREIGN KEY(space_id) REFERENCES spaces (id) ON DELETE CASCADE
);
CREATE INDEX ix_embeddings_content_id ON embeddings (content_id);
CREATE TABLE frames (
	content_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	seconds DOUBLE PRECISION,
	CONSTRAINT pk_frames PRIMARY KEY (content_id, number),
	CONSTRAINT fk_frames_content_id_contents FOREIGN KEY(content_id) REFERENCES contents (id) ON DELETE CASCADE
);
CREATE TABLE index_generations (
	space_id BIGINT NOT NULL,
	generation BIGINT NOT NULL,
	revision BIGINT NOT NULL,
	position BIGINT,
	filename TEXT COLLATE "C" NOT NULL,
	vectors BIGINT NOT NULL,
	checksum BYTEA NOT NULL,
	created_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
	CONSTRAINT pk_index_generations PRIMARY KEY (space_id),
	CONSTRAINT fk_index_generations_space_id_spaces FOREIGN KEY(space_id) REFERENCES spaces (id) ON DELETE CASCADE
);
CREATE TABLE library (
	id BIGINT NOT NULL,
	revision BIGINT NOT NULL,
	active_space_id BIGINT,
	created_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
	CONSTRAINT pk_library PRIMARY KEY (id),
	CONSTRAINT fk_library_active_space_id_spaces FOREIGN KEY(active_space_id) REFERENCES spaces (id)
);
CREATE TABLE likenesses (
	content_id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	bits BYTEA,
	anchor_id BIGINT,
	CONSTRAINT pk_likenesses PRIMARY KEY (content_id),
	CONSTRAINT fk_likenesses_anchor_id_contents FOREIGN KEY(anchor_id) REFERENCES contents (id) ON DELETE SET NULL,
	CONSTRAINT fk_likenesses_content_id_contents FOREIGN KEY(content_id) REFERENCES contents (id) ON DELETE CASCADE
);
CREATE INDEX ix_likenesses_anchor_id ON likenesses (anchor_id);
CREATE TABLE named_places (
	city TEXT COLLATE "C" NOT NULL,
	country TEXT COLLATE "C" NOT NULL,
	place_id BIGINT,
	gazetteer TEXT COLLATE "C" NOT NULL,
	CONSTRAINT pk_named_places PRIMARY KEY (city, country),
	CONSTRAINT fk_named_places_place_id_places FOREIGN KEY(place_id) REFERENCES places (id)
);
CREATE INDEX ix_named_places_place_id ON named_places (place_id);
CREATE TABLE passed_over (
	root_id BIGINT NOT NULL,
	folder BYTEA NOT NULL,
	suffix TEXT COLLATE "C" NOT NULL,
	files BIGINT NOT NULL,
	CONSTRAINT pk_passed_over PRIMARY KEY (root_id, folder, suffix),
	CONSTRAINT fk_passed_over_root_id_roots FOREIGN KEY(root_id) REFERENCES roots (id) ON DELETE CASCADE
);
CREATE TABLE people (
	content_id BIGINT NOT NULL,
	key TEXT COLLATE "C" NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	"left" DOUBLE PRECISION,
	top DOUBLE PRECISION,
	width DOUBLE PRECISION,
	height DOUBLE PRECISION,
	CONSTRAINT pk_people PRIMARY KEY (content_id, key),
	CONSTRAINT fk_people_content_id_contents FOREIGN KEY(content_id) REFERENCES contents (id) ON DELETE CASCADE
);
CREATE INDEX ix_people_key ON people (key);
CREATE TABLE pictures (
	id BIGINT NOT NULL,
	root_id BIGINT NOT NULL,
	relpath BYTEA NOT NULL,
	folder BYTEA DEFAULT ''::bytea NOT NULL,
	path_key TEXT COLLATE "C" DEFAULT '' NOT NULL,
	name_key TEXT COLLATE "C" DEFAULT '' NOT NULL,
	size BIGINT NOT NULL,
	mtime_ns BIGINT NOT NULL,
	ctime_ns BIGINT,
	inode BIGINT,
	companions BYTEA,
	content_id BIGINT,
	state TEXT COLLATE "C" NOT NULL,
	CONSTRAINT pk_pictures PRIMARY KEY (id),
	CONSTRAINT fk_pictures_content_id_contents FOREIGN KEY(content_id) REFERENCES contents (id),
	CONSTRAINT fk_pictures_root_id_roots FOREIGN KEY(root_id) REFERENCES roots (id) ON DELETE CASCADE,
	CONSTRAINT uq_pictures_root_id_relpath UNIQUE (root_id, relpath)
);
CREATE INDEX ix_pictures_state ON pictures (state);
CREATE INDEX ix_pictures_content_id_state ON pictures (content_id, state);
CREATE TABLE place_names (
	place_id BIGINT NOT NULL,
	key TEXT COLLATE "C" NOT NULL,
	CONSTRAINT pk_place_names PRIMARY KEY (place_id, key),
	CONSTRAINT fk_place_names_place_id_places FOREIGN KEY(place_id) REFERENCES places (id) ON DELETE CASCADE
);
CREATE INDEX ix_place_names_key ON place_names (key);
CREATE TABLE replaced_contents (
	id BIGINT NOT NULL,
	root_id BIGINT NOT NULL,
	beneath BYTEA NOT NULL,
	content_id BIGINT,
	replaced_id BIGINT NOT NULL,
	is_run_complete BOOLEAN DEFAULT false NOT NULL,
	CONSTRAINT pk_replaced_contents PRIMARY KEY (id),
	CONSTRAINT fk_replaced_contents_content_id_contents FOREIGN KEY(content_id) REFERENCES contents (id) ON DELETE SET NULL,
	CONSTRAINT fk_replaced_contents_root_id_roots FOREIGN KEY(root_id) REFERENCES roots (id) ON DELETE CASCADE,
	CONSTRAINT fk_replaced_contents_replaced_id_contents FOREIGN KEY(replaced_id) REFERENCES contents (id) ON DELETE CASCADE
);
CREATE INDEX ix_replaced_contents_content_id ON replaced_contents (content_id);
CREATE INDEX ix_replaced_contents_root_id ON replaced_contents (root_id);
CREATE INDEX ix_replaced_contents_replaced_id ON replaced_contents (replaced_id);
CREATE TABLE text_frames (
	id BIGINT NOT NULL,
	content_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	comparable TEXT COLLATE "C" NOT NULL,
	CONSTRAINT pk_text_frames PRIMARY KEY (id),
	CONSTRAINT fk_text_frames_content_id_contents FOREIGN KEY(content_id) REFERENCES contents (id) ON DELETE CASCADE,
	CONSTRAINT uq_text_frames_content_id_number UNIQUE (content_id, number)
);
CREATE TABLE text_readings (
	content_id BIGINT NOT NULL,
	recognizer TEXT COLLATE "C" NOT NULL,
	version TEXT COLLATE "C" NOT NULL,
	reason TEXT COLLATE "C",
	detail TEXT COLLATE "C",
	CONSTRAINT pk_text_readings PRIMARY KEY (content_id),
	CONSTRAINT fk_text_readings_content_id_contents FOREIGN KEY(content_id) REFERENCES contents (id) ON DELETE CASCADE
);
CREATE TABLE unread_frames (
	space_id BIGINT NOT NULL,
	content_id BIGINT NOT NULL,
	CONSTRAINT pk_unread_frames PRIMARY KEY (space_id, content_id),
	CONSTRAINT fk_unread_frames_content_id_contents FOREIGN KEY(content_id) REFERENCES contents (id) ON DELETE CASCADE,
	CONSTRAINT fk_unread_frames_space_id_spaces FOREIGN KEY(space_id) REFERENCES spaces (id) ON DELETE CASCADE
);
CREATE INDEX ix_unread_frames_content_id ON unread_frames (content_id);
CREATE TABLE vector_failures (
	space_id BIGINT NOT NULL,
	content_id BIGINT NOT NULL,
	reason TEXT COLLATE "C" NOT NULL,
	detail TEXT COLLATE "C" NOT NULL,
	tries BIGINT NOT NULL,
	last_try_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
	CONSTRAINT pk_vector_failures PRIMARY KEY (space_id, content_id),
	CONSTRAINT fk_vector_failures_space_id_spaces FOREIGN KEY(space_id) REFERENCES spaces (id) ON DELETE CASCADE,
	CONSTRAINT fk_vector_failures_content_id_contents FOREIGN KEY(content_id) REFERENCES contents (id) ON DELETE CASCADE
);
CREATE INDEX ix_vector_failures_content_id ON vector_failures (content_id);
CREATE TABLE album_contents (
	album_id BIGINT NOT NULL,
	content_id BIGINT NOT NULL,
	position BIGINT NOT NULL,
	CONSTRAINT pk_album_contents PRIMARY KEY (album_id, content_id),
	CONSTRAINT fk_album_contents_album_id_albums FOREIGN KEY(album_id) REFERENCES albums (id) ON DELETE CASCADE,
	CONSTRAINT fk_album_contents_content_id_contents FOREIGN KEY(content_id) REFERENCES contents (id) ON DELETE CASCADE
);
CREATE INDEX ix_album_contents_content_id ON album_contents (content_id);
CREATE INDEX ix_album_contents_album_id_position ON album_contents (album_id, position);
CREATE TABLE failures (
	picture_id BIGINT NOT NULL,
	reason TEXT COLLATE "C" NOT NULL,
	detail TEXT COLLATE "C" NOT NULL,
	transient BOOLEAN NOT NULL,
	tries BIGINT NOT NULL,
	last_try_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
	CONSTRAINT pk_failures PRIMARY KEY (picture_id),
	CONSTRAINT fk_failures_picture_id_pictures FOREIGN KEY(picture_id) REFERENCES pictures (id) ON DELETE CASCADE
);
CREATE TABLE frame_embeddings (
	space_id BIGINT NOT NULL,
	content_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	vector BYTEA NOT NULL,
	CONSTRAINT pk_frame_embeddings PRIMARY KEY (space_id, content_id, number),
	CONSTRAINT fk_frame_embeddings_content_id_frames FOREIGN KEY(content_id, number) REFERENCES frames (content_id, number) ON DELETE CASCADE,
	CONSTRAINT fk_frame_embeddings_space_id_spaces FOREIGN KEY(space_id) REFERENCES spaces (id) ON DELETE CASCADE
);
CREATE INDEX ix_frame_embeddings_content_id_number ON frame_embeddings (content_id, number);
CREATE TABLE picture_tags (
	tag_id BIGINT NOT NULL,
	picture_id BIGINT NOT NULL,
	CONSTRAINT pk_picture_tags PRIMARY KEY (tag_id, picture_id),
	CONSTRAINT fk_picture_tags_picture_id_pictures FOREIGN KEY(picture_id) REFERENCES pictures (id) ON DELETE CASCADE,
	CONSTRAINT fk_picture_tags_tag_id_tags FOREIGN KEY(tag_id) REFERENCES tags (id) ON DELETE CASCADE
);
CREATE INDEX ix_picture_tags_picture_id ON picture_tags (picture_id);
CREATE TABLE sidecars (
	picture_id BIGINT NOT NULL,
	files BYTEA,
	facts JSON,
	content_id BIGINT,
	rating BIGINT,
	title TEXT COLLATE "C",
	description TEXT COLLATE "C",
	CONSTRAINT pk_sidecars PRIMARY KEY (picture_id),
	CONSTRAINT fk_sidecars_picture_id_pictures FOREIGN KEY(picture_id) REFERENCES pictures (id) ON DELETE CASCADE
);
CREATE TABLE text_lines (
	frame_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	text TEXT COLLATE "C" NOT NULL,
	confidence DOUBLE PRECISION NOT NULL,
	corners BYTEA NOT NULL,
	CONSTRAINT pk_text_lines PRIMARY KEY (frame_id, number),
	CONSTRAINT fk_text_lines_frame_id_text_frames FOREIGN KEY(frame_id) REFERENCES text_frames (id) ON DELETE CASCADE
);
CREATE TABLE written_sidecars (
	picture_id BIGINT NOT NULL,
	name BYTEA NOT NULL,
	digest BYTEA NOT NULL,
	added JSON NOT NULL,
	CONSTRAINT pk_written_sidecars PRIMARY KEY (picture_id),
	CONSTRAINT fk_written_sidecars_picture_id_pictures FOREIGN KEY(picture_id) REFERENCES pictures (id) ON DELETE CASCADE
);
ALTER TABLE contents ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE jobs ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE roots ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE spaces ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE tags ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE albums ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE library ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE pictures ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE replaced_contents ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE text_frames ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;
CREATE TABLE catalogue_locks (name text COLLATE "C" PRIMARY KEY, token text NOT NULL, acquired_at timestamptz NOT NULL);
CREATE TABLE catalogue_changes (id bigint PRIMARY KEY CHECK (id = 1), number bigint NOT NULL);
INSERT INTO catalogue_changes VALUES (1, 0);
CREATE FUNCTION contents_block_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO content_blocks (number, version) SELECT DISTINCT id / 16384, 0 FROM come ON CONFLICT DO NOTHING; UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT come.id / 16384 AS number FROM come) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER contents_block_insert AFTER INSERT ON contents REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION contents_block_insert();
CREATE FUNCTION contents_block_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT gone.id / 16384 AS number FROM gone) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER contents_block_delete AFTER DELETE ON contents REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION contents_block_delete();
CREATE FUNCTION contents_block_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT unnest(CASE WHEN earlier.block IS DISTINCT FROM later.block THEN ARRAY[later.block, earlier.block] ELSE ARRAY[later.block] END) AS number FROM (SELECT row_number() OVER () AS line, taken_at, camera, lens, format, width, height, sublocation, city, region, country, gone.id / 16384 AS block FROM gone) AS earlier JOIN (SELECT row_number() OVER () AS line, taken_at, camera, lens, format, width, height, sublocation, city, region, country, come.id / 16384 AS block FROM come) AS later USING (line) WHERE earlier.taken_at IS DISTINCT FROM later.taken_at OR earlier.camera IS DISTINCT FROM later.camera OR earlier.lens IS DISTINCT FROM later.lens OR earlier.format IS DISTINCT FROM later.format OR earlier.width IS DISTINCT FROM later.width OR earlier.height IS DISTINCT FROM later.height OR earlier.sublocation IS DISTINCT FROM later.sublocation OR earlier.city IS DISTINCT FROM later.city OR earlier.region IS DISTINCT FROM later.region OR earlier.country IS DISTINCT FROM later.country) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER contents_block_update AFTER UPDATE ON contents REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION contents_block_update();
CREATE FUNCTION pictures_block_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT come.content_id / 16384 AS number FROM come) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER pictures_block_insert AFTER INSERT ON pictures REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION pictures_block_insert();
CREATE FUNCTION pictures_block_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT gone.content_id / 16384 AS number FROM gone) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER pictures_block_delete AFTER DELETE ON pictures REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION pictures_block_delete();
CREATE FUNCTION pictures_block_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT unnest(CASE WHEN earlier.block IS DISTINCT FROM later.block THEN ARRAY[later.block, earlier.block] ELSE ARRAY[later.block] END) AS number FROM (SELECT row_number() OVER () AS line, content_id, state, root_id, folder, gone.content_id / 16384 AS block FROM gone) AS earlier JOIN (SELECT row_number() OVER () AS line, content_id, state, root_id, folder, come.content_id / 16384 AS block FROM come) AS later USING (line) WHERE earlier.content_id IS DISTINCT FROM later.content_id OR earlier.state IS DISTINCT FROM later.state OR earlier.root_id IS DISTINCT FROM later.root_id OR earlier.folder IS DISTINCT FROM later.folder) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER pictures_block_update AFTER UPDATE ON pictures REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION pictures_block_update();
CREATE FUNCTION content_tags_block_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT come.content_id / 16384 AS number FROM come) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER content_tags_block_insert AFTER INSERT ON content_tags REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION content_tags_block_insert();
CREATE FUNCTION content_tags_block_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT gone.content_id / 16384 AS number FROM gone) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER content_tags_block_delete AFTER DELETE ON content_tags REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION content_tags_block_delete();
CREATE FUNCTION content_tags_block_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT unnest(CASE WHEN earlier.block IS DISTINCT FROM later.block THEN ARRAY[later.block, earlier.block] ELSE ARRAY[later.block] END) AS number FROM (SELECT row_number() OVER () AS line, tag_id, content_id, gone.content_id / 16384 AS block FROM gone) AS earlier JOIN (SELECT row_number() OVER () AS line, tag_id, content_id, come.content_id / 16384 AS block FROM come) AS later USING (line) WHERE earlier.tag_id IS DISTINCT FROM later.tag_id OR earlier.content_id IS DISTINCT FROM later.content_id) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER content_tags_block_update AFTER UPDATE ON content_tags REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION content_tags_block_update();
CREATE FUNCTION picture_tags_block_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT (SELECT content_id FROM pictures WHERE id = come.picture_id) / 16384 AS number FROM come) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER picture_tags_block_insert AFTER INSERT ON picture_tags REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION picture_tags_block_insert();
CREATE FUNCTION picture_tags_block_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT (SELECT content_id FROM pictures WHERE id = gone.picture_id) / 16384 AS number FROM gone) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER picture_tags_block_delete AFTER DELETE ON picture_tags REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION picture_tags_block_delete();
CREATE FUNCTION picture_tags_block_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT unnest(CASE WHEN earlier.block IS DISTINCT FROM later.block THEN ARRAY[later.block, earlier.block] ELSE ARRAY[later.block] END) AS number FROM (SELECT row_number() OVER () AS line, tag_id, picture_id, (SELECT content_id FROM pictures WHERE id = gone.picture_id) / 16384 AS block FROM gone) AS earlier JOIN (SELECT row_number() OVER () AS line, tag_id, picture_id, (SELECT content_id FROM pictures WHERE id = come.picture_id) / 16384 AS block FROM come) AS later USING (line) WHERE earlier.tag_id IS DISTINCT FROM later.tag_id OR earlier.picture_id IS DISTINCT FROM later.picture_id) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER picture_tags_block_update AFTER UPDATE ON picture_tags REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION picture_tags_block_update();
CREATE FUNCTION people_block_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT come.content_id / 16384 AS number FROM come) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER people_block_insert AFTER INSERT ON people REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION people_block_insert();
CREATE FUNCTION people_block_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT gone.content_id / 16384 AS number FROM gone) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER people_block_delete AFTER DELETE ON people REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION people_block_delete();
CREATE FUNCTION people_block_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT unnest(CASE WHEN earlier.block IS DISTINCT FROM later.block THEN ARRAY[later.block, earlier.block] ELSE ARRAY[later.block] END) AS number FROM (SELECT row_number() OVER () AS line, content_id, key, name, gone.content_id / 16384 AS block FROM gone) AS earlier JOIN (SELECT row_number() OVER () AS line, content_id, key, name, come.content_id / 16384 AS block FROM come) AS later USING (line) WHERE earlier.content_id IS DISTINCT FROM later.content_id OR earlier.key IS DISTINCT FROM later.key OR earlier.name IS DISTINCT FROM later.name) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER people_block_update AFTER UPDATE ON people REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION people_block_update();
CREATE FUNCTION content_places_block_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT come.content_id / 16384 AS number FROM come) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER content_places_block_insert AFTER INSERT ON content_places REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION content_places_block_insert();
CREATE FUNCTION content_places_block_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT gone.content_id / 16384 AS number FROM gone) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER content_places_block_delete AFTER DELETE ON content_places REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION content_places_block_delete();
CREATE FUNCTION content_places_block_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE content_blocks AS block SET version = block.version + marked.times FROM (SELECT number, count(*) AS times FROM (SELECT unnest(CASE WHEN earlier.block IS DISTINCT FROM later.block THEN ARRAY[later.block, earlier.block] ELSE ARRAY[later.block] END) AS number FROM (SELECT row_number() OVER () AS line, content_id, place_id, gone.content_id / 16384 AS block FROM gone) AS earlier JOIN (SELECT row_number() OVER () AS line, content_id, place_id, come.content_id / 16384 AS block FROM come) AS later USING (line) WHERE earlier.content_id IS DISTINCT FROM later.content_id OR earlier.place_id IS DISTINCT FROM later.place_id) AS each GROUP BY number) AS marked WHERE block.number = marked.number; RETURN NULL; END $$;
CREATE TRIGGER content_places_block_update AFTER UPDATE ON content_places REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION content_places_block_update();
CREATE FUNCTION vector_changes_embeddings_insert() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE before bigint; added bigint; BEGIN SELECT coalesce(max(id), 0) INTO before FROM vector_changes; INSERT INTO vector_changes (id, space_id, content_id) SELECT before + row_number() OVER (), * FROM (SELECT space_id, content_id FROM come) AS changed; GET DIAGNOSTICS added = ROW_COUNT; IF (before + added) / 4096 > before / 4096 THEN DELETE FROM vector_changes WHERE id <= (before + added) / 4096 * 4096 - 1048576; END IF; RETURN NULL; END $$;
CREATE TRIGGER vector_changes_embeddings_insert AFTER INSERT ON embeddings REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION vector_changes_embeddings_insert();
CREATE FUNCTION vector_changes_embeddings_update() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE before bigint; added bigint; BEGIN SELECT coalesce(max(id), 0) INTO before FROM vector_changes; INSERT INTO vector_changes (id, space_id, content_id) SELECT before + row_number() OVER (), * FROM (SELECT space_id, content_id FROM (SELECT row_number() OVER () AS line, 0 AS part, space_id, content_id FROM gone UNION ALL SELECT row_number() OVER (), 1, space_id, content_id FROM come) AS each ORDER BY line, part) AS changed; GET DIAGNOSTICS added = ROW_COUNT; IF (before + added) / 4096 > before / 4096 THEN DELETE FROM vector_changes WHERE id <= (before + added) / 4096 * 4096 - 1048576; END IF; RETURN NULL; END $$;
CREATE TRIGGER vector_changes_embeddings_update AFTER UPDATE ON embeddings REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION vector_changes_embeddings_update();
CREATE FUNCTION vector_changes_embeddings_delete() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE before bigint; added bigint; BEGIN SELECT coalesce(max(id), 0) INTO before FROM vector_changes; INSERT INTO vector_changes (id, space_id, content_id) SELECT before + row_number() OVER (), * FROM (SELECT space_id, content_id FROM gone WHERE space_id IN (SELECT id FROM spaces)) AS changed; GET DIAGNOSTICS added = ROW_COUNT; IF (before + added) / 4096 > before / 4096 THEN DELETE FROM vector_changes WHERE id <= (before + added) / 4096 * 4096 - 1048576; END IF; RETURN NULL; END $$;
CREATE TRIGGER vector_changes_embeddings_delete AFTER DELETE ON embeddings REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION vector_changes_embeddings_delete();
CREATE FUNCTION vector_changes_frame_embeddings_insert() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE before bigint; added bigint; BEGIN SELECT coalesce(max(id), 0) INTO before FROM vector_changes; INSERT INTO vector_changes (id, space_id, content_id) SELECT before + row_number() OVER (), * FROM (SELECT space_id, content_id FROM come) AS changed; GET DIAGNOSTICS added = ROW_COUNT; IF (before + added) / 4096 > before / 4096 THEN DELETE FROM vector_changes WHERE id <= (before + added) / 4096 * 4096 - 1048576; END IF; RETURN NULL; END $$;
CREATE TRIGGER vector_changes_frame_embeddings_insert AFTER INSERT ON frame_embeddings REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION vector_changes_frame_embeddings_insert();
CREATE FUNCTION vector_changes_frame_embeddings_update() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE before bigint; added bigint; BEGIN SELECT coalesce(max(id), 0) INTO before FROM vector_changes; INSERT INTO vector_changes (id, space_id, content_id) SELECT before + row_number() OVER (), * FROM (SELECT space_id, content_id FROM (SELECT row_number() OVER () AS line, 0 AS part, space_id, content_id FROM gone UNION ALL SELECT row_number() OVER (), 1, space_id, content_id FROM come) AS each ORDER BY line, part) AS changed; GET DIAGNOSTICS added = ROW_COUNT; IF (before + added) / 4096 > before / 4096 THEN DELETE FROM vector_changes WHERE id <= (before + added) / 4096 * 4096 - 1048576; END IF; RETURN NULL; END $$;
CREATE TRIGGER vector_changes_frame_embeddings_update AFTER UPDATE ON frame_embeddings REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION vector_changes_frame_embeddings_update();
CREATE FUNCTION vector_changes_frame_embeddings_delete() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE before bigint; added bigint; BEGIN SELECT coalesce(max(id), 0) INTO before FROM vector_changes; INSERT INTO vector_changes (id, space_id, content_id) SELECT before + row_number() OVER (), * FROM (SELECT space_id, content_id FROM gone WHERE space_id IN (SELECT id FROM spaces)) AS changed; GET DIAGNOSTICS added = ROW_COUNT; IF (before + added) / 4096 > before / 4096 THEN DELETE FROM vector_changes WHERE id <= (before + added) / 4096 * 4096 - 1048576; END IF; RETURN NULL; END $$;
CREATE TRIGGER vector_changes_frame_embeddings_delete AFTER DELETE ON frame_embeddings REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION vector_changes_frame_embeddings_delete();
CREATE FUNCTION vector_changes_pictures_insert() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE before bigint; added bigint; BEGIN SELECT coalesce(max(id), 0) INTO before FROM vector_changes; INSERT INTO vector_changes (id, space_id, content_id) SELECT before + row_number() OVER (), * FROM (SELECT NULL::bigint, content_id FROM come WHERE state = 'present' AND content_id IS NOT NULL) AS changed; GET DIAGNOSTICS added = ROW_COUNT; IF (before + added) / 4096 > before / 4096 THEN DELETE FROM vector_changes WHERE id <= (before + added) / 4096 * 4096 - 1048576; END IF; RETURN NULL; END $$;
CREATE TRIGGER vector_changes_pictures_insert AFTER INSERT ON pictures REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION vector_changes_pictures_insert();
CREATE FUNCTION vector_changes_pictures_delete() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE before bigint; added bigint; BEGIN SELECT coalesce(max(id), 0) INTO before FROM vector_changes; INSERT INTO vector_changes (id, space_id, content_id) SELECT before + row_number() OVER (), * FROM (SELECT NULL::bigint, content_id FROM gone WHERE state = 'present' AND content_id IS NOT NULL) AS changed; GET DIAGNOSTICS added = ROW_COUNT; IF (before + added) / 4096 > before / 4096 THEN DELETE FROM vector_changes WHERE id <= (before + added) / 4096 * 4096 - 1048576; END IF; RETURN NULL; END $$;
CREATE TRIGGER vector_changes_pictures_delete AFTER DELETE ON pictures REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION vector_changes_pictures_delete();
CREATE FUNCTION vector_changes_pictures_update() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE before bigint; added bigint; BEGIN SELECT coalesce(max(id), 0) INTO before FROM vector_changes; INSERT INTO vector_changes (id, space_id, content_id) SELECT before + row_number() OVER (), * FROM (SELECT NULL::bigint, content_id FROM (SELECT line, part, CASE part WHEN 0 THEN earlier.content_id ELSE later.content_id END AS content_id FROM (SELECT row_number() OVER () AS line, content_id, state, (state = 'present' AND content_id IS NOT NULL) AS findable FROM gone) AS earlier JOIN (SELECT row_number() OVER () AS line, content_id, state, (state = 'present' AND content_id IS NOT NULL) AS findable FROM come) AS later USING (line), (VALUES (0), (1)) AS parts (part) WHERE (earlier.content_id IS DISTINCT FROM later.content_id OR earlier.state <> later.state) AND CASE part WHEN 0 THEN earlier.findable ELSE later.findable AND NOT (earlier.content_id IS NOT DISTINCT FROM later.content_id AND earlier.state = 'present') END) AS each ORDER BY line, part) AS changed; GET DIAGNOSTICS added = ROW_COUNT; IF (before + added) / 4096 > before / 4096 THEN DELETE FROM vector_changes WHERE id <= (before + added) / 4096 * 4096 - 1048576; END IF; RETURN NULL; END $$;
CREATE TRIGGER vector_changes_pictures_update AFTER UPDATE ON pictures REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION vector_changes_pictures_update();
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX text_index ON text_frames USING gin (comparable gin_trgm_ops);
INSERT INTO alembic_version (version_num) VALUES ('0014');
