import { asAiRouterError } from '../../src/errors.js';
import type { HotView } from '../../src/hotkeys/poller.js';
import type { PartitionReport } from '../../src/log/partition-report.js';
import type { TopicPartition } from '../../src/log/port.js';
import { CommitChecks } from './commit-checks.js';
import { Failures } from './failures.js';
import { HotKeyChecks } from './hot-key-checks.js';
import { FOLDED, placeName, START_MS } from './layout.js';
import {
  type ProjectorProcess,
  type PublisherProcess,
  type RouterProcess,
  type Services,
  startProjector,
  startPublisher,
  startRouter,
} from './processes.js';
import { createRandom } from './random.js';
import type { Role } from './scenario.js';
import { type Process, Scheduler } from './scheduler.js';
import { SimulatedHotKeys } from './simulated-hot-keys.js';
import { SimulatedLog } from './simulated-log.js';
import { SimulatedStore } from './simulated-store.js';
import type { Trace } from './trace.js';

/** Two processes of each role. */
export const SLOTS = 2;
const CLOSE_MS = 5_000;

/** The services, the processes that run on them, and what watches them. */
export class System implements Services {
  readonly failures = new Failures();
  readonly scheduler: Scheduler;
  readonly log: SimulatedLog;
  readonly store: SimulatedStore;
  readonly hotKeys: SimulatedHotKeys;
  readonly commitChecks: CommitChecks;
  readonly hotKeyChecks: HotKeyChecks;
  readonly publishers: PublisherProcess[] = [];
  readonly projectors: ProjectorProcess[] = [];
  readonly routers: RouterProcess[] = [];
  /** Processes that were asked to end and have not yet. */
  readonly closing = new Set<Process>();
  /** Ids that came to the log in more ways than by one publisher. */
  readonly sharedIds = new Set<string>();
  /** Ids of outcomes that were acknowledged to whoever gave them, as hex. */
  readonly acknowledged = new Set<string>();
  #started = 0;
  readonly #dealt = new Map<Process, readonly TopicPartition[]>();
  readonly #views = new Map<Process, HotView>();

  constructor(seed: number, trace: Trace) {
    this.scheduler = new Scheduler(createRandom(seed), trace, START_MS);
    this.log = new SimulatedLog(this.scheduler);
    this.commitChecks = new CommitChecks(this.log, this.failures);
    this.store = new SimulatedStore((...commit) => this.commitChecks.onCommit(...commit));
    this.hotKeyChecks = new HotKeyChecks(this.store.hotValues, this.failures);
    this.hotKeys = new SimulatedHotKeys(this.scheduler, (...write) =>
      this.hotKeyChecks.onWrite(...write),
    );
  }

  async start(): Promise<void> {
    for (let slot = 0; slot < SLOTS; slot++) {
      for (const role of ['publisher', 'projector', 'router'] as const) {
        await this.#start(role, slot);
      }
    }
    this.rebalance();
  }

  process(role: Role, slot: number): PublisherProcess | ProjectorProcess | RouterProcess {
    const processes = {
      publisher: this.publishers,
      projector: this.projectors,
      router: this.routers,
    };
    return processes[role][slot]!;
  }

  get processes(): Process[] {
    return [...this.publishers, ...this.projectors, ...this.routers, ...this.closing];
  }

  /** Ends a process as a power failure does; another one takes its place. */
  async crash(role: Role, slot: number): Promise<void> {
    const process = this.process(role, slot);
    if (process.role === 'projector') process.consumer.forget();
    this.#views.delete(process);
    await this.scheduler.crash(process);
    await this.#start(role, slot);
    if (role === 'projector') this.rebalance();
  }

  /** Ends a publisher and a projector as they are meant to end, while others take their places. */
  async restart(slot: number): Promise<void> {
    const publisher = this.publishers[slot]!;
    const projector = this.projectors[slot]!;
    this.closing.add(publisher).add(projector);
    await this.scheduler.run(publisher, 'closes', () => {
      void publisher.publisher.close({ deadlineMs: CLOSE_MS }).then(() => {
        this.#onClosed(publisher);
        this.#checkBooks(publisher);
      });
    });
    await this.scheduler.run(projector, 'closes', () => {
      void projector.consumer
        .close()
        .then(() => projector.refresher.close())
        .then(() => this.#onClosed(projector));
    });
    await this.#start('publisher', slot);
    await this.#start('projector', slot);
    this.rebalance();
  }

  /** Partitions are dealt anew among the projectors that are not stalled; each is told some time. */
  rebalance(): void {
    const { random } = this.scheduler;
    const awake = this.projectors.filter((projector) => !projector.isStalled);
    const members = awake.length === 0 ? this.projectors : awake;
    const dealt = new Map<ProjectorProcess, TopicPartition[]>(
      this.projectors.map((projector) => [projector, []]),
    );
    for (const place of FOLDED) dealt.get(random.pick(members))!.push(place);
    for (const [projector, places] of dealt) {
      this.#dealt.set(projector, places);
      const text = 'hears of its partitions';
      if (this.scheduler.hasSignal(projector, text)) continue;
      this.scheduler.signal(projector, text, () =>
        projector.consumer.assign(this.#dealt.get(projector)!),
      );
    }
  }

  /** Asks the publisher to send what it holds; what it took before is acknowledged after that. */
  async flush(slot: number): Promise<void> {
    const process = this.publishers[slot]!;
    if (process.isStalled) return;
    const { publisher, accepted } = process;
    const covered = accepted.slice();
    await this.scheduler.run(process, 'flushes', () => {
      void publisher.flush().then(() => {
        const { expired, closed } = publisher.stats().dropped;
        if (expired + closed > 0) return;
        for (const id of covered) this.acknowledge(id);
      });
    });
  }

  acknowledge(id: string): void {
    this.acknowledged.add(id);
    if (!this.log.outcomeIds.has(id)) {
      this.failures.fail('I1', `outcome ${id} is acknowledged and not in the log`);
    }
  }

  #onClosed(process: Process): void {
    process.isAlive = false;
    this.closing.delete(process);
  }

  #checkBooks({ publisher, accepted, name }: PublisherProcess): void {
    const { acknowledged, dropped } = publisher.stats();
    const lost = dropped.expired + dropped.closed;
    this.failures.equal('I1', `${name}: its books`, accepted.length, acknowledged + lost);
    if (lost === 0) for (const id of accepted) this.acknowledge(id);
  }

  async #start(role: Role, slot: number): Promise<void> {
    this.#started += 1;
    const number = this.#started;
    if (role === 'publisher') this.publishers[slot] = await startPublisher(this, number);
    if (role === 'projector') {
      this.projectors[slot] = await startProjector(this, number, (each) => this.#onReport(each));
    }
    if (role === 'router') {
      this.routers[slot] = await startRouter(this, number, (...view) => this.#onView(...view));
    }
  }

  /** Only the limit of dead letters may stop a partition, and only once it is passed. */
  #onReport(report: PartitionReport): void {
    if (report.kind !== 'stopped') return;
    const { code, message } = asAiRouterError(report.error);
    const place = placeName(report.partition);
    if (code === 'dead_letter_limit' && this.commitChecks.isLimitPassed(place)) return;
    this.failures.fail('I9', `${place} stops by ${code}: ${message}`);
  }

  #onView(router: Process, view: HotView): void {
    this.hotKeyChecks.onView(router.name, view, this.#views.get(router) ?? null);
    this.#views.set(router, view);
  }
}
