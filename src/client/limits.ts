/** Outcomes that wait in memory, some 10 MB: beyond it they are dropped and counted. */
export const QUEUE_MAX = 10_000;
/** How long an outcome waits for company. */
export const LINGER_MS = 200;
/** Between tries of one batch: many services come back to one server. */
export const DELIVER_RETRY = { initialMs: 100, maxMs: 5_000 };
/** A tick of the projection: more gauges than one for each say nothing more. */
export const GAUGE_INTERVAL_MS = 5_000;
/** Longest goodbye: a service that stops has other work. */
export const CLOSE_TIMEOUT_MS = 2_000;
/** Questions that are under way at once; others wait for a socket, and for their own time limit. */
export const SOCKETS_MAX = 64;
/** One batch of each kind is under way at most. */
export const INGEST_SOCKETS_MAX = 2;
/**
 * The server answers within 5 s, whatever the log does: who hears nothing for so long sends again.
 */
export const INGEST_TIMEOUT_MS = 10_000;
/** Half of what the server takes in one body. */
export const BATCH_ITEMS_MAX = 500;
/** A fifth of what the server takes in one body. */
export const BATCH_BYTES_MAX = 1024 * 1024;
/** Most take a few hundred: the bound of the memory in bytes follows from that in outcomes. */
export const BYTES_PER_OUTCOME = 1024;
