import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalProcess } from './local-process.js';

/** Processes that answer together: a cluster or a single server. */
export interface Service {
  /** How clients name it, as in the environment variable. */
  address: string;
  processes: readonly LocalProcess[];
  /** Folders that hold its data, also outside of the given one. */
  folders: readonly string[];
  /** Asks one of the processes for an orderly end. */
  stopSignal: NodeJS.Signals;
  /** Resolves once all of it answers. */
  ready(): Promise<void>;
}

export const READY_TIMEOUT_MS = 90_000;
const POLL_MS = 50;
const PORT_TRIES = 3;
const PORT_TAKEN = /address already in use|could not create listening/i;

/**
 * Starts what `prepare` made and waits until it answers. A port that someone took between the
 * choice and the start is no failure: it is prepared again with others.
 */
export async function startWithFreePorts(prepare: () => Promise<Service>): Promise<Service> {
  for (let tried = 1; ; tried += 1) {
    const service = await prepare();
    try {
      for (const one of service.processes) one.start();
      await service.ready();
      return service;
    } catch (error) {
      await Promise.all(service.processes.map((one) => one.kill('SIGKILL')));
      if (tried === PORT_TRIES || !PORT_TAKEN.test(String(error))) throw error;
    }
  }
}

/** Asks again and again; a throw means "not yet". Fails once a process has ended, or in time. */
export async function until(
  what: string,
  processes: readonly LocalProcess[],
  check: () => Promise<boolean>,
): Promise<void> {
  const endMs = performance.now() + READY_TIMEOUT_MS;
  let last: unknown = 'no answer';
  while (performance.now() < endMs) {
    const ended = processes.find((one) => !one.isRunning());
    if (ended) throw new Error(`${ended.spec.name} ended before it answered:\n${ended.logTail()}`);
    try {
      if (await check()) return;
    } catch (error) {
      last = error;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`${what} did not answer within ${READY_TIMEOUT_MS / 1000} s: ${String(last)}`);
}
