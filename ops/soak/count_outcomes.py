"""Reads a topic of outcomes from its start to its end and counts what is in it.

Written against the format alone (docs/events.md, schemas/avro): Kafka's C client and fastavro, none
of AiRouter's code. Arguments: brokers, topic, folder of the schemas, and where there is one a file of
acknowledged event ids, 16 bytes each, to compare with. Prints one JSON object.
"""

import io
import json
import os
import struct
import sys

import fastavro
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition


def main(brokers, topic, folder, acknowledged=None):
    types = read_types(folder)
    found = {"records": 0, "events": 0, "broken": 0}
    event_ids = set()
    for value, headers in records_of(brokers, topic):
        found["records"] += 1
        magic, schema_id = struct.unpack(">bI", value[:5])
        name, schema = types[schema_id]
        record = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema)
        is_batch = name == "ai.router.OutcomeBatch"
        if magic != 0 or (is_batch and headers.get("crc32c") != struct.pack(">I", crc32c(value))):
            found["broken"] += 1
        for outcome in record["outcomes"] if is_batch else [record]:
            found["events"] += 1
            event_ids.add(outcome["event_id"])
    found["distinct_event_ids"] = len(event_ids)
    if acknowledged is not None:
        found.update(compare(event_ids, read_ids(acknowledged)))
    print(json.dumps(found))


def read_ids(path):
    with open(path, "rb") as file:
        data = file.read()
    return {data[at : at + 16] for at in range(0, len(data), 16)}


def compare(event_ids, acknowledged):
    return {
        "acknowledged": len(acknowledged),
        "missing": len(acknowledged - event_ids),
        "unacknowledged": len(event_ids - acknowledged),
    }


def read_types(folder):
    with open(os.path.join(folder, "ids.json")) as file:
        rows = json.load(file)
    types = {}
    for row in rows:
        with open(os.path.join(folder, "avro", row["file"])) as file:
            types[row["id"]] = (row["subject"], fastavro.parse_schema(json.load(file)))
    return types


def records_of(brokers, topic):
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": f"independent-{os.getpid()}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in partitions])
    open_partitions = set(partitions)
    while open_partitions:
        message = consumer.poll(30)
        if message is None:
            raise SystemExit("nothing came for 30 s")
        if message.error() is None:
            yield message.value(), dict(message.headers() or [])
        elif message.error().code() == KafkaError._PARTITION_EOF:
            open_partitions.discard(message.partition())
        else:
            raise SystemExit(message.error().str())
    consumer.close()


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


if __name__ == "__main__":
    main(*sys.argv[1:])
