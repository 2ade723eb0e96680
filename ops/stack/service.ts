import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** One member of a service: a process of this machine, or a container. */
export interface ServiceProcess {
  readonly name: string;
  start(): Promise<void>;
  isRunning(): boolean;
  /** Resolves when the signal is sent, and for SIGKILL when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Asks it to end by `signal`; after `graceMs` it is killed. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<void>;
  /** The last lines that it wrote, for the error that says why it did not start. */
  logTail(): string;
}

/** Processes that answer together: a cluster or a single server. */
export interface Service {
  /** How clients name it, as in the environment variable. */
  address: string;
  processes: readonly ServiceProcess[];
  /** Asks one of the processes for an orderly end. */
  stopSignal: NodeJS.Signals;
  /** Resolves once all of it answers. */
  ready(): Promise<void>;
  /** Ends it at once and removes its data. */
  discard(): Promise<void>;
}

const READY_TIMEOUT_MS = 90_000;
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
      await Promise.all(service.processes.map((one) => one.start()));
      await service.ready();
      return service;
    } catch (error) {
      await Promise.all(service.processes.map((one) => one.kill('SIGKILL')));
      if (tried === PORT_TRIES || !PORT_TAKEN.test(String(error))) throw error;
    }
  }
}

/** Local processes need no orderly end when their data go too: three brokers take six seconds. */
export async function discardLocal(
  processes: readonly ServiceProcess[],
  folders: readonly string[],
): Promise<void> {
  await Promise.all(processes.map((one) => one.kill('SIGKILL')));
  for (const folder of folders) {
    // The workers of a killed server may still write while its folder is being removed.
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/** Asks again and again; a throw means "not yet". Fails once a process has ended, or in time. */
export async function until(
  what: string,
  processes: readonly ServiceProcess[],
  check: () => Promise<boolean>,
): Promise<void> {
  const endMs = performance.now() + READY_TIMEOUT_MS;
  let last: unknown = 'no answer';
  while (performance.now() < endMs) {
    const ended = processes.find((one) => !one.isRunning());
    if (ended) throw new Error(`${ended.name} ended before it answered:\n${ended.logTail()}`);
    try {
      if (await check()) return;
    } catch (error) {
      last = error;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`${what} did not answer within ${READY_TIMEOUT_MS / 1000} s: ${String(last)}`);
}
