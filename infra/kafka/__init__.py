"""Kafka clients: their configuration, reading a topic to its end, writing events, and topics as code."""
