/** Confluent's wire format: a zero byte, the schema id (32 bits, big-endian), the Avro body. */
export const MAGIC = 0;
export const BODY_START = 5;

/** Header of a batch: CRC-32C of the whole value, its first five bytes included, big-endian. */
export const CRC_HEADER = 'crc32c';
export const CRC_BYTES = 4;
