import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { expect, it, vi } from 'vitest';
import { repairRequestQueue } from '../../src/log/kafka-request-queue.js';

interface Queue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: unknown;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

function newQueue(): Queue {
  const Made = RequestQueue as unknown as new (options: object) => Queue;
  const logger = { debug: () => {}, warn: () => {} };
  return new Made({ maxInFlightRequests: null, requestTimeout: 1000, clientId: 'test', logger });
}

it('runs no timer on a connection that has nothing to send', () => {
  vi.useFakeTimers();
  try {
    // As shipped, each look orders the next one: without this the test would prove nothing.
    newQueue().checkPendingRequests();
    expect(vi.getTimerCount()).toBe(1);
    vi.clearAllTimers();
    repairRequestQueue(null);
    newQueue().checkPendingRequests();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

it('sends a request that was throttled once the time has come', () => {
  vi.useFakeTimers();
  try {
    repairRequestQueue(null);
    const queue = newQueue();
    let sentAt = 0;
    queue.throttledUntil = Date.now() + 300;
    queue.pending.push({
      send: () => {
        sentAt = Date.now();
      },
      expectResponse: true,
    });
    queue.scheduleCheckPendingRequests();
    vi.advanceTimersByTime(299);
    expect(sentAt).toBe(0);
    vi.advanceTimersByTime(20);
    expect(sentAt).not.toBe(0);
    expect(queue.pending).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
