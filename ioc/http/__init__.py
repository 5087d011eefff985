"""The REST routes, one small router a subject; the table in docs/architecture.md is their contract."""

API = "/api/v1"
