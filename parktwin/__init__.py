"""The parktwin command: one module a verb."""
