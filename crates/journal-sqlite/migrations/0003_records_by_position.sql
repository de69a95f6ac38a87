-- Records lie by their run's position and not by its id. Ids are random: each record went to a page of its own of an
-- index that grows without end, and each commit wrote all those pages twice. Runs that go on at the same time have
-- neighbouring positions, so the records of a commit share a few pages.
--
-- Within a run `sequence` counts from 1 without gaps; the record at 1 is its start. `run` is the run's `position`.
CREATE TABLE run_records (
    run      INTEGER NOT NULL REFERENCES runs (position),
    sequence INTEGER NOT NULL CHECK (sequence >= 1),
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL, -- JSON
    PRIMARY KEY (run, sequence)
) STRICT, WITHOUT ROWID;

INSERT INTO run_records (run, sequence, kind, body)
SELECT position, sequence, kind, body FROM records JOIN runs USING (run_id) ORDER BY position, sequence;

DROP TABLE records;

-- For whoever reads the journal from outside: what runs wrote down, under their ids.
CREATE VIEW records AS
SELECT runs.run_id, run_records.sequence, run_records.kind, run_records.body
FROM run_records JOIN runs ON runs.position = run_records.run;
