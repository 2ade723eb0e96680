import { cpSync, mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Publisher } from '../../src/publish/publisher.js';
import { counted, outcome, readBatch } from './outcomes.js';
import { HandClock, publisher, TOPIC, temporaryFolder, until } from './publishing.js';
import { type Answer, type ScriptedConnection, ScriptedLog } from './scripted-log.js';

type Step =
  | { do: 'record'; outcomes: number; offering: number }
  | { do: 'flush' }
  | { do: 'answers'; answers: Answer[] }
  | { do: 'turns'; turns: number }
  | { do: 'release'; how: 'ack' | 'reject' }
  | { do: 'wait'; ms: number }
  | { do: 'crash' }
  | { do: 'restart'; deadlineMs: number };

const answer = fc.constantFrom<Answer>('ack', 'reject', 'reject_written', 'hang', 'hang_written');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      outcomes: fc.integer({ min: 1, max: 12 }),
      offering: fc.integer({ min: 0, max: 6 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant<Step>({ do: 'flush' }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('answers' as const),
      answers: fc.array(answer, { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('turns' as const),
      turns: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('release' as const),
      how: fc.constantFrom('ack' as const, 'reject' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(2_000) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'crash' }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('restart' as const),
      // With none, every disk is slower than the deadline.
      deadlineMs: fc.constantFrom(0, 200),
    }),
  },
);

const bounds = fc.record({
  queueMax: fc.constantFrom(15, 60, 10_000),
  spoolBytesMax: fc.constantFrom(3_000, 10_000, 1_000_000),
  batchBytesMax: fc.constantFrom(200, 600, 65_536),
  hasSpool: fc.boolean(),
  // With one, batches are due by themselves, and grow behind an append that hangs.
  lingerMs: fc.constantFrom(0, 1),
});

interface Drawn {
  queueMax: number;
  spoolBytesMax: number;
  batchBytesMax: number;
  hasSpool: boolean;
  lingerMs: number;
}

it('every outcome that was accepted and not counted as dropped is in the log exactly once and in order, whatever fails (I1, I2)', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), bounds, async (steps, it) => {
      const world = new World(it);
      for (const one of steps) await world.take(one);
      await world.end();
      world.check();
    }),
    { numRuns: 150 },
  );
});

interface Life {
  publisher: Publisher;
  connection: ScriptedConnection;
  hex: string;
  accepted: number[];
  /** So many of `accepted` were covered by a flush that resolved. */
  durable: number;
}

/** One log, one partition of a disk, and the processes that publish, one after the other. */
class World {
  readonly #bounds: Omit<Drawn, 'hasSpool'>;
  readonly #root = temporaryFolder();
  readonly #clock = new HandClock();
  readonly #log = new ScriptedLog();
  readonly #lives: Life[] = [];
  readonly #offeringOf = new Map<number, number>();
  readonly #atRisk = new Set<number>();
  #spoolDir: string | null;
  #lost = 0;
  #recorded = 0;
  #copies = 0;

  constructor(drawn: Drawn) {
    const { hasSpool, ...bounds } = drawn;
    this.#bounds = bounds;
    this.#spoolDir = hasSpool ? join(this.#root, 'spool-0') : null;
    this.#start();
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'record') this.#record(step.outcomes, step.offering);
    if (step.do === 'flush') this.#flush();
    if (step.do === 'answers') this.#log.answers = [...step.answers];
    if (step.do === 'turns') await turns(step.turns);
    if (step.do === 'release') this.#life.connection.release(step.how);
    if (step.do === 'wait') this.#clock.ms += step.ms;
    if (step.do === 'crash') this.#crash();
    if (step.do === 'restart') await this.#restart(step.deadlineMs);
    this.#checkBooks();
  }

  /** The log comes back for good; all that can be sent is sent. */
  async end(): Promise<void> {
    const life = this.#life;
    this.#log.answers = [];
    life.connection.release('ack');
    await life.publisher.flush();
    while (life.publisher.stats().spoolBytes > 0) await turns(1);
    this.#checkBooks();
    await this.#close(life, 20_000);
    if (this.#spoolDir !== null) expect(openFilesBelow(this.#spoolDir)).toEqual([]);
    // Only for their files: what crashed has its own copy of the disk and no log.
    await Promise.all(this.#lives.map((it) => it.publisher.close({ deadlineMs: 0 })));
  }

  check(): void {
    expect(this.#log.overlaps).toBe(0);
    this.#checkResends();
    const batches = [...this.#log.partitions].flatMap(([partition, records]) =>
      counted(records).map((batch) => ({ ...batch, partition })),
    );
    const numbers = batches.flatMap((it) => it.numbers);
    const present = new Set(numbers);
    expect(present.size).toBe(numbers.length);
    const missing = this.#lives
      .flatMap((life) => life.accepted)
      .filter((number) => !present.has(number) && !this.#atRisk.has(number));
    expect(missing.length).toBeLessThanOrEqual(this.#lost);
    for (const life of this.#lives) {
      for (const partition of [0, 1, 2]) {
        const own = batches.filter((it) => it.publisher === life.hex && it.partition === partition);
        // From 1 by one: only an end can be missing.
        expect(own.map((it) => it.sequence)).toEqual(own.map((_, at) => at + 1));
        const sent = own.flatMap((it) => it.numbers);
        const offerings = new Set(sent.map((number) => this.#offeringOf.get(number)));
        const recorded = life.accepted.filter((number) =>
          offerings.has(this.#offeringOf.get(number)),
        );
        expect(sent).toEqual(recorded.filter((number) => present.has(number)));
        expect(sent).toEqual(recorded.slice(0, sent.length));
      }
    }
  }

  get #life(): Life {
    return this.#lives.at(-1) as Life;
  }

  #start(): void {
    const id = Buffer.alloc(16, this.#lives.length + 1);
    const connection = this.#log.connect();
    const { queueMax, spoolBytesMax, batchBytesMax, lingerMs } = this.#bounds;
    this.#lives.push({
      publisher: publisher(connection, {
        queueMax,
        spoolBytesMax,
        batchBytesMax,
        lingerMs,
        publisherId: () => id,
        clock: this.#clock,
        spoolDir: this.#spoolDir,
      }),
      connection,
      hex: id.toString('hex'),
      accepted: [],
      durable: 0,
    });
  }

  #record(outcomes: number, offering: number): void {
    for (let left = outcomes; left > 0; left -= 1) {
      const number = this.#recorded;
      this.#recorded += 1;
      this.#offeringOf.set(number, offering);
      const life = this.#life;
      const answer = life.publisher.record(outcome(number, { model: `model-${offering}` }));
      if (answer === 'accepted') life.accepted.push(number);
      else expect(answer).toBe('dropped');
      expect(life.publisher.stats().queued).toBeLessThanOrEqual(this.#bounds.queueMax);
    }
  }

  #flush(): void {
    const life = this.#life;
    const covered = life.accepted.length;
    void life.publisher.flush().then(() => {
      life.durable = Math.max(life.durable, covered);
    });
  }

  /** As kill -9: nothing of the process goes on, the disk stays as it is at this moment. */
  #crash(): void {
    const life = this.#life;
    life.connection.kill();
    for (const number of life.accepted.slice(life.durable)) this.#atRisk.add(number);
    if (this.#spoolDir !== null) {
      this.#copies += 1;
      const image = join(this.#root, `spool-${this.#copies}`);
      mkdirSync(image);
      cpSync(this.#spoolDir, image, { recursive: true });
      const folder = join(image, TOPIC);
      for (const name of readdirSync(folder)) {
        if (name.startsWith('owner-')) rmSync(join(folder, name));
      }
      this.#spoolDir = image;
    }
    this.#start();
  }

  async #restart(deadlineMs: number): Promise<void> {
    await this.#close(this.#life, deadlineMs);
    // A process would be gone now. Here its last write may still be on its way to the disk, and
    // the folder is its own until then.
    if (this.#spoolDir !== null) {
      const folder = join(this.#spoolDir, TOPIC);
      await until(() => !readdirSync(folder).some((name) => name.startsWith('owner-')));
    }
    this.#start();
  }

  async #close(life: Life, deadlineMs: number): Promise<void> {
    await life.publisher.close({ deadlineMs });
    this.#lost += life.publisher.stats().dropped.closed;
    life.connection.kill();
  }

  #checkBooks(): void {
    const stats = this.#life.publisher.stats();
    const { accepted, recovered, acknowledged, dropped, queued, inSpool } = stats;
    expect(accepted + recovered).toBe(
      acknowledged + dropped.expired + dropped.closed + queued + inSpool,
    );
    expect(accepted).toBe(this.#life.accepted.length);
    expect(stats.spoolBytes).toBeLessThanOrEqual(this.#bounds.spoolBytesMax);
  }

  /** The same batch is always the same bytes, and none goes before the one below it has been acknowledged. */
  #checkResends(): void {
    const bytes = new Map<string, string>();
    const acknowledgedAt = new Map<string, number>();
    for (const [at, attempt] of this.#log.attempts.entries()) {
      const { publisher: id, sequence } = readBatch(attempt);
      const name = (of: number) => `${id}/${attempt.partition}/${of}`;
      const { crc32c } = attempt.headers as { crc32c: Buffer };
      const hex = attempt.value.toString('hex') + crc32c.toString('hex');
      expect(bytes.get(name(sequence)) ?? hex).toBe(hex);
      bytes.set(name(sequence), hex);
      if (sequence > 1) {
        expect(acknowledgedAt.get(name(sequence - 1)) ?? Infinity).toBeLessThanOrEqual(at);
      }
      if (attempt.acknowledgedAt !== null && !acknowledgedAt.has(name(sequence))) {
        acknowledgedAt.set(name(sequence), attempt.acknowledgedAt);
      }
    }
  }
}

function openFilesBelow(dir: string): string[] {
  return readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    })
    .filter((path) => path.startsWith(`${dir}/`));
}

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await new Promise((go) => setImmediate(go));
}
