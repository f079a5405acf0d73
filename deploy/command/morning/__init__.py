"""A city's morning, played: residents write in, departments answer over Kafka, residents rate; all of it made up."""
