CREATE TABLE "seaql_migrations" ( "version" varchar NOT NULL PRIMARY KEY, "applied_at" integer NOT NULL );
CREATE TABLE "jobs" ( "seq" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "id" uuid_text NOT NULL UNIQUE, "owner" varchar NOT NULL, "status" varchar NOT NULL, "attempt" integer NOT NULL DEFAULT 0, "crashes" integer NOT NULL DEFAULT 0, "n_made" integer NOT NULL DEFAULT 0, "request" text NOT NULL, "error" text NULL, "created_at" integer NOT NULL, "finished_at" integer NULL , "started_at" integer NULL, "error_code" varchar NULL, "notes" text NULL, "fingerprint" text NULL, "idempotency_key" text NULL, "idempotency_hash" text NULL, "cached" boolean NOT NULL DEFAULT FALSE);
CREATE INDEX "jobs_by_status" ON "jobs" ("status", "seq");
CREATE INDEX "jobs_by_owner" ON "jobs" ("owner", "seq");
CREATE TABLE "pictures" ( "seq" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "id" uuid_text NOT NULL UNIQUE, "job_id" uuid_text NOT NULL, "idx" integer NOT NULL, "attempt" integer NOT NULL, "owner" varchar NOT NULL, "prompt" text NOT NULL, "seed" integer NOT NULL, "width" integer NOT NULL, "height" integer NOT NULL, "favourite" boolean NOT NULL DEFAULT FALSE, "file" varchar NOT NULL UNIQUE, "created_at" integer NOT NULL, FOREIGN KEY ("job_id") REFERENCES "jobs" ("id") ON DELETE CASCADE );
CREATE UNIQUE INDEX "pictures_by_place" ON "pictures" ("job_id", "idx");
CREATE INDEX "pictures_by_owner" ON "pictures" ("owner", "seq");
CREATE VIRTUAL TABLE pictures_search USING fts5(
    prompt, content='pictures', content_rowid='seq', tokenize='unicode61 remove_diacritics 2', prefix='2 3'
);
CREATE TRIGGER pictures_search_insert AFTER INSERT ON pictures BEGIN
    INSERT INTO pictures_search (rowid, prompt) VALUES (new.seq, new.prompt);
END;
CREATE TRIGGER pictures_search_delete AFTER DELETE ON pictures BEGIN
    INSERT INTO pictures_search (pictures_search, rowid, prompt) VALUES ('delete', old.seq, old.prompt);
END;
CREATE TABLE "uploads" ( "seq" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "id" uuid_text NOT NULL UNIQUE, "owner" varchar NOT NULL, "width" integer NOT NULL, "height" integer NOT NULL, "file" varchar NOT NULL UNIQUE, "created_at" integer NOT NULL );
CREATE TABLE "upload_uses" ( "seq" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "upload_id" uuid_text NOT NULL, "job_id" uuid_text NOT NULL, FOREIGN KEY ("upload_id") REFERENCES "uploads" ("id") ON DELETE RESTRICT, FOREIGN KEY ("job_id") REFERENCES "jobs" ("id") ON DELETE CASCADE );
CREATE INDEX "uploads_by_age" ON "uploads" ("created_at");
CREATE INDEX "upload_uses_by_upload" ON "upload_uses" ("upload_id");
CREATE INDEX "upload_uses_by_job" ON "upload_uses" ("job_id");
CREATE INDEX "jobs_by_fingerprint" ON "jobs" ("fingerprint");
CREATE UNIQUE INDEX "jobs_by_idempotency_key" ON "jobs" ("owner", "idempotency_key");
INSERT INTO "seaql_migrations" VALUES ('m0001_jobs_and_pictures', 1767225600);
INSERT INTO "seaql_migrations" VALUES ('m0002_attempts_and_faults', 1767225600);
INSERT INTO "seaql_migrations" VALUES ('m0003_uploads', 1767225600);
INSERT INTO "seaql_migrations" VALUES ('m0004_notes', 1767225600);
INSERT INTO "seaql_migrations" VALUES ('m0005_asked_again', 1767225600);
INSERT INTO "jobs" VALUES (1, X'01010101010101010101010101010101', '2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90', 'done', 1, 0, 2, '{"prompt":"a red boat","negative_prompt":"rain","model":"demo","steps":20,"guidance_scale":4.0,"sampler":"dpmpp_2m","schedule":"karras","seed":7,"width":256,"height":192,"count":2}', NULL, 1767225600000, 1767225605000, NULL, NULL, '[{"note":"decoded_in_f32","attempt":1,"index":0}]', 'print', 'once', 'hash', 0);
INSERT INTO "jobs" VALUES (2, X'02020202020202020202020202020202', '2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90', 'running', 1, 0, 0, '{"prompt":"a blue cottage","negative_prompt":"rain","model":"demo","steps":20,"guidance_scale":4.0,"sampler":"dpmpp_2m","schedule":"karras","seed":7,"width":256,"height":192,"count":2}', NULL, 1767225600000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0);
INSERT INTO "jobs" VALUES (3, X'03030303030303030303030303030303', '2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90', 'failed', 1, 0, 0, '{"prompt":"a green hill","negative_prompt":"rain","model":"demo","steps":20,"guidance_scale":4.0,"sampler":"dpmpp_2m","schedule":"karras","seed":7,"width":256,"height":192,"count":2}', 'the disk is full; delete pictures or make room, then try again', 1767225600000, 1767225605000, 1767225600000, 'storage_full', NULL, NULL, NULL, NULL, 0);
INSERT INTO "pictures" VALUES (1, X'0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B', X'01010101010101010101010101010101', 0, 1, '2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90', 'a red boat', 7, 256, 192, 1, '01010101010101010101010101010101/1-0.png', 1767225600000);
INSERT INTO "pictures" VALUES (2, X'0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C', X'01010101010101010101010101010101', 1, 1, '2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90', 'a red boat', 8, 256, 192, 0, '01010101010101010101010101010101/1-1.png', 1767225600000);
INSERT INTO "uploads" VALUES (1, X'15151515151515151515151515151515', '2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90', 256, 192, '15151515151515151515151515151515.png', 1767225600000);
INSERT INTO "upload_uses" VALUES (1, X'15151515151515151515151515151515', X'01010101010101010101010101010101');
