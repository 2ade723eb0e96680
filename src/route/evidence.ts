import { generationOf, referenceMs } from '../fold/reference.js';
import type { ModelsValueOffering } from '../hotkeys/values.js';
import { type Estimates, estimatesOf, type PaceEstimate, paceOf } from './estimate.js';
import { gaugeOf } from './in-flight.js';
import { kept } from './kept.js';
import { type LoadSlope, loadSlopeOf, rateOf } from './load-slope.js';
import type { Measurements } from './measurements.js';
import { DEFAULT_PRIOR, narrowedPace, narrowedSuccess, type Prior } from './prior.js';
import type { Snapshot } from './snapshot.js';
import { addTally, emptyTally, type Tally } from './tally.js';
import { TickMemory } from './tick-memory.js';
import { type OfferingRows, sumNewest, type Window, windowOf } from './window.js';

/** Of most offerings of a catalogue: they are never used, but their providers' others are. */
const NOTHING_KNOWN = windowOf(
  { offering: '', metrics: undefined, health: null, plainMs: 0, usualGeneration: 0 },
  0,
  false,
);

/**
 * What the rows of a snapshot say as of one tick of 5 s, for streamed or for whole answers:
 * windows, priors, estimates. Nothing of it changes within a tick, so what is not touched by a new
 * state is taken from the one before. Computed when first asked for.
 */
export class Evidence {
  readonly snapshot: Snapshot;
  /** Seconds since the epoch, any of the tick. */
  readonly asOf: number;
  readonly stream: boolean;
  readonly measured: Measurements;
  readonly #memory: TickMemory;
  readonly #estimates = new Map<string, Estimates>();
  readonly #windows = new Map<string, Window>();
  readonly #wholes = new Map<string, Tally>();
  readonly #priors = new Map<string, Prior>();
  readonly #rates = new Map<string, number>();
  readonly #slopes = new Map<string, LoadSlope>();
  readonly #paces = new Map<string, PaceEstimate>();

  constructor(
    snapshot: Snapshot,
    asOf: number,
    stream: boolean,
    memory: TickMemory = new TickMemory(snapshot, asOf, stream),
  ) {
    this.snapshot = snapshot;
    this.asOf = asOf;
    this.stream = stream;
    this.measured = memory.measurementsOf(snapshot);
    this.#memory = memory;
  }

  estimates(offering: ModelsValueOffering): Estimates {
    const key = offering.offering;
    return kept(this.#estimates, key, () => {
      const prior = this.#priorOfPair(offering);
      const window = this.#window(key);
      return this.#memory.estimates.get(key, [...Object.values(prior), window], () =>
        estimatesOf(prior, window),
      );
    });
  }

  /** The pace of the newest minutes. */
  paceWithin(offering: ModelsValueOffering, minutes: number): PaceEstimate {
    return kept(this.#paces, `${minutes}:${offering.offering}`, () =>
      paceOf(this.#prior(offering), sumNewest(this.#window(offering.offering), minutes)),
    );
  }

  /** First attempts a second at the model's offerings, over the last two minutes. */
  rateOf(model: string): number {
    return kept(this.#rates, model, () => {
      const offerings = this.snapshot.catalogue.offeringsByModel.get(model) ?? [];
      return rateOf(offerings.map(({ offering }) => this.#window(offering)));
    });
  }

  /** How an offering's times rise with what it is sent. */
  loadSlope(offering: ModelsValueOffering): LoadSlope {
    const key = offering.offering;
    return kept(this.#slopes, key, () => {
      const { estimate } = this.estimates(offering);
      // It changes with every change of the window.
      return this.#memory.slopes.get(key, [estimate], () => {
        const window = this.#window(key);
        const usedBins = estimate.changedBins ?? window.bins.length;
        return loadSlopeOf(window, usedBins, estimate.pace);
      });
    });
  }

  #usualSize(offering: string): Pick<OfferingRows, 'plainMs' | 'usualGeneration'> {
    const model = this.snapshot.catalogue.offerings.get(offering)?.model ?? '';
    const { inputTokens, outputTokens } = this.measured.usualSize(model);
    return {
      plainMs: referenceMs(inputTokens, outputTokens),
      usualGeneration: generationOf(inputTokens, outputTokens),
    };
  }

  #window(offering: string): Window {
    return kept(this.#windows, offering, () => {
      const { health } = this.snapshot;
      const metrics = this.snapshot.metrics.get(offering);
      const ticks = health?.ticks.get(offering);
      const gauge = gaugeOf(health, offering, this.asOf);
      if (metrics === undefined && ticks === undefined && gauge === null) return NOTHING_KNOWN;
      const { plainMs, usualGeneration } = this.#usualSize(offering);
      const read = [metrics, health === null, ticks, gauge, plainMs, usualGeneration];
      return this.#memory.windows.get(offering, read, () =>
        windowOf({ offering, metrics, health, plainMs, usualGeneration }, this.asOf, this.stream),
      );
    });
  }

  /**
   * Success: default, model, provider, then the offering's own 30 minutes. Pace: default, provider,
   * model, then the offering's own: how long an answer takes is first of all a matter of the model,
   * whether there is one, of the provider. Hourly rows are not read: they are computed at a pace of
   * their own, and equal logs must give equal decisions.
   */
  #prior(offering: ModelsValueOffering): Prior {
    const { whole } = this.#window(offering.offering);
    return narrowedSuccess(narrowedPace(this.#priorOfPair(offering), whole), whole);
  }

  #priorOfPair({ model, provider }: ModelsValueOffering): Prior {
    return kept(this.#priors, JSON.stringify([model, provider]), () => {
      const { offeringsByModel, offeringsByProvider } = this.snapshot.catalogue;
      const modelTally = this.#wholeOf('model', model, offeringsByModel.get(model));
      const providerTally = this.#wholeOf('provider', provider, offeringsByProvider.get(provider));
      const success = narrowedSuccess(narrowedSuccess(DEFAULT_PRIOR, modelTally), providerTally);
      return narrowedPace(narrowedPace(success, providerTally), modelTally);
    });
  }

  #wholeOf(
    kind: 'model' | 'provider',
    name: string,
    offerings: readonly ModelsValueOffering[] = [],
  ): Tally {
    return kept(this.#wholes, `${kind}:${name}`, () => {
      const sum = emptyTally();
      for (const { offering } of offerings) addTally(sum, this.#window(offering).whole);
      return sum;
    });
  }
}
