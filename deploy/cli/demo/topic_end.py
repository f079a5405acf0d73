"""Where the demo begins to read topics."""

from aiokafka import AIOKafkaConsumer


async def start_at_end(consumer: AIOKafkaConsumer) -> None:
    """Start at the end of its topics, and resolve that end before the demo sends its first message."""
    await consumer.start()
    while not consumer.assignment():
        await consumer.getmany(timeout_ms=50)
    await consumer.seek_to_end()
    for partition in consumer.assignment():
        await consumer.position(partition)
