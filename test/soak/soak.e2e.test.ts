import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../ops/simulate/random.js';
import { FAULTS } from '../../ops/soak/alphabet.js';
import { runCampaign } from '../../ops/soak/campaign.js';
import { judge } from '../../ops/soak/verdict.js';
import { openWorld, type World } from '../../ops/soak/world.js';
import { silent } from '../../ops/stack/progress.js';
import { noBrokers, serviceEnvironment } from '../log/kafka-brokers.js';

// A sample of `npm run test:soak`: faults in a row, without a rest between them.
const FAULTS_IN_A_ROW = 30;
const RATE = 50;

/** Services are slow to come back: seldom. What only takes time is for the long campaign. */
const WEIGHTS: Readonly<Record<string, number>> = {
  'kill project': 6,
  'kill route': 5,
  'kill ingest': 5,
  'kill redis': 3,
  'kill postgres': 2,
  'kill kafka': 1,
  'flush redis': 2,
  'cut kafka': 2,
  'cut postgres': 2,
  'cut redis': 1,
  'lost reply to a commit': 2,
  'lost reply of a broker': 2,
  'turned bit on the way from a broker': 1,
};
const SAMPLE = FAULTS.flatMap((fault) => {
  const weight = WEIGHTS[fault.kind];
  return weight === undefined ? [] : [{ ...fault, weight }];
});

const skipped = noBrokers === null ? '' : ` (skipped: ${noBrokers})`;

describe.skipIf(noBrokers !== null)(`processes on a real stack${skipped}`, () => {
  const seed = Number(process.env['SOAK_SEED'] ?? 7);
  let world: World;
  beforeAll(async () => {
    const environment = serviceEnvironment;
    world = await openWorld({ environment, progress: silent, seed, rate: RATE });
  }, 180_000);
  afterAll(() => world.close(), 60_000);

  it(`I1 I2 I3 I5 I7 I9 I10 ${FAULTS_IN_A_ROW} faults of seed ${seed} lose nothing and count nothing twice, as a foreign reader sees too`, async (context) => {
    expect(SAMPLE).toHaveLength(Object.keys(WEIGHTS).length);
    const campaign = await runCampaign(world, {
      random: createRandom(seed),
      faults: SAMPLE,
      faultsMax: FAULTS_IN_A_ROW,
      durationMs: Number.POSITIVE_INFINITY,
      holdMsMax: 500,
      warmUpMs: 0,
      paceMs: 300,
      say: () => {},
    });
    expect(campaign.faults).toBe(FAULTS_IN_A_ROW);
    const { failures, events } = await judge(world);
    expect(events.acknowledged).toBeGreaterThan(0);
    const withoutReader = failures.filter((failure) => failure.startsWith('no foreign reader'));
    expect(failures.filter((failure) => !withoutReader.includes(failure))).toEqual([]);
    if (withoutReader.length > 0) context.skip(true, withoutReader[0]);
  });
});
