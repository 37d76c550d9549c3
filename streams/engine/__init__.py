"""The engine: transactional batches over Kafka, state in changelogs, exactly once under kill -9. It knows no measure."""
