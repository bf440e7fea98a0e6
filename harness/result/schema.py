"""The tables of the results store, as SQL."""

from __future__ import annotations

SCHEMA = 3
"""The version of the file. It increases when older programs can no longer read it."""
_OF_2 = """
create table latency(
    evaluation text, machine text, p50 real, p95 real, megabytes real, queries integer, at text,
    primary key(evaluation, machine)) without rowid;
create table noise(
    evaluation text, measure text, difference real, made text, primary key(evaluation, measure)) without rowid;
create table look(
    id text primary key, at text, release text, tier text, split text, collections text, measure text, anchor text,
    candidate text, policy text, verdict text, alpha real, accepted integer, figures text) without rowid;
"""
TABLES = f"""
create table collection(
    fingerprint text primary key, name text, split text, language text, sampled_from integer, counts text, rules text,
    queries text, part_of text, grouped text) without rowid;
create table evaluation(
    id text primary key, collection text references collection, first_stage text, reranker text, depth integer,
    candidates text, identity text, audit text, controls text, environment text, command text, created text,
    updated text) without rowid;
create table value(
    evaluation text references evaluation, measure text, mean real, per_query blob, questions text,
    primary key(evaluation, measure)) without rowid;
create table timing(evaluation text, machine text, pairs integer, seconds real, at text);
create index timing_of on timing(evaluation);
create index evaluation_of on evaluation(collection);
{_OF_2}"""
SINCE_1 = f"""
alter table collection add column part_of text;
alter table collection add column grouped text;
alter table value add column questions text;
{_OF_2}"""
"""Changes a file of version 1 into version 2. Version 3 has the same tables, and those of `ADDED`."""
COLUMNS = {
    "collection": (
        "fingerprint", "name", "split", "language", "sampled_from", "counts", "rules", "queries", "part_of", "grouped",
    ),
    "evaluation": (
        "id", "collection", "first_stage", "reranker", "depth", "candidates", "identity", "audit", "controls",
        "environment", "command", "created", "updated",
    ),
    "value": ("evaluation", "measure", "mean", "per_query", "questions"),
    "look": (
        "id", "at", "release", "tier", "split", "collections", "measure", "anchor", "candidate", "policy", "verdict",
        "alpha", "accepted", "figures",
    ),
}  # fmt: skip
"""The columns that are read by name. A damaged schema may lack one."""
ADDED = {
    "mark": "evaluation text primary key, kind text, identity text",
    "corpus": "collection text primary key, fingerprint text",
    "detected": "collection text primary key, language text",
    "parallel": "collection text primary key, name text, known_by text",
    "robustness": "evaluation text, perturbation text, measure text, version integer, queries text, per_query blob, "
    "changed integer, eligible integer, primary key(evaluation, perturbation, measure)",
    "checksum": "kind text, id text, part text, sum integer, primary key(kind, id, part)",
    "reservation": "id text primary key, release text, tier text, collections text, candidate text, alpha real, "
    "host text, place text, pid integer, started text, at real, beat real",
}
"""Separate tables, which an earlier version of the file may lack.

mark: an alarm that was added to an evaluation after it was stored, and the current identity, if it changed.
corpus: the fingerprint of the corpus of a collection, without queries and judgments.
detected: the language of collections that declare none; null if none was recognised, no row if detection was not tried.
parallel: the parallel set of a collection; null if it is known to be in none, no row if nothing is known.
robustness: the values of an evaluation under a perturbation; see `harness.measuring.robustness.perturbed`.
checksum: see `harness.result.sums`. Programs of version 2 would leave it as it is when they write, so they are refused.
reservation: a look of the gate that a running process will take, and that process (`harness.judging.gate.holders`).
"""
