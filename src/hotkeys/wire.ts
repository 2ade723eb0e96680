import { AiRouterError } from '../errors.js';
import {
  type HotPosition,
  type HotRead,
  type HotState,
  type HotWrite,
  LANES,
  type Lane,
  type LaneState,
  type StoredLane,
  type StoreFigures,
  type Vector,
} from './port.js';

/**
 * The calls of the port as JSON, between a projector and the process that owns the embedded
 * state. Maps travel as pairs: a key named `__proto__` is a key like any other.
 */
export type HotKeysCall =
  | { op: 'generation' }
  | { op: 'set_generation'; expected: string | null; next: string }
  | { op: 'state'; generation: string }
  | { op: 'write'; generation: string; expected: HotState | null; write: WireWrite }
  | { op: 'read'; since: HotPosition | null }
  | { op: 'is_lost'; generation: string }
  | { op: 'figures' }
  | { op: 'put_database_figures'; text: string };

type Pairs = [key: string, value: string | null][];
export type WireWrite = Omit<HotWrite, 'values'> & { values: Pairs };

/** The call, checked; rejects with `invalid_request`, naming field and rule. */
export function parseCall(value: unknown): HotKeysCall {
  const call = object(value, 'call');
  switch (call['op']) {
    case 'generation':
      return { op: 'generation' };
    case 'set_generation': {
      const expected = nullable(call['expected'], 'expected', text);
      return { op: 'set_generation', expected, next: text(call['next'], 'next') };
    }
    case 'state':
      return { op: 'state', generation: text(call['generation'], 'generation') };
    case 'write': {
      const generation = text(call['generation'], 'generation');
      const expected = nullable(call['expected'], 'expected', hotState);
      return { op: 'write', generation, expected, write: hotWrite(call['write'], 'write') };
    }
    case 'read':
      return { op: 'read', since: nullable(call['since'], 'since', hotPosition) };
    case 'is_lost':
      return { op: 'is_lost', generation: text(call['generation'], 'generation') };
    case 'figures':
      return { op: 'figures' };
    case 'put_database_figures':
      return { op: 'put_database_figures', text: text(call['text'], 'text') };
    default:
      throw broken('op', 'a call of the port: generation, state, write, read and so on');
  }
}

/** What the owner answered; throws where it is not what the port promises. */
export const parseResult = {
  generation: (value: unknown) => nullable(value, 'result', text),
  state: (value: unknown) => nullable(value, 'result', hotState),
  read: (value: unknown): HotRead | null => nullable(value, 'result', hotRead),
  flag: (value: unknown) => flag(value, 'result'),
  figures: (value: unknown) => {
    const { store, database } = object(value, 'result');
    return { store: storeFigures(store, 'store'), database: nullable(database, 'database', text) };
  },
};

function storeFigures(value: unknown, field: string): StoreFigures {
  const store = object(value, field);
  return {
    connected_clients: nullable(store['connected_clients'], field, count),
    used_memory_human: nullable(store['used_memory_human'], field, text),
    keyspace_hits: nullable(store['keyspace_hits'], field, count),
    keyspace_misses: nullable(store['keyspace_misses'], field, count),
  };
}

function hotRead(value: unknown, field: string): HotRead {
  const read = object(value, field);
  return {
    generation: text(read['generation'], `${field}.generation`),
    state: hotState(read['state'], `${field}.state`),
    changed: new Map(pairs(read['changed'], `${field}.changed`)),
    complete: flag(read['complete'], `${field}.complete`),
  };
}

function hotWrite(value: unknown, field: string): WireWrite {
  const write = object(value, field);
  return {
    lane: lane(write['lane'], `${field}.lane`),
    next: laneState(write['next'], `${field}.next`),
    values: pairs(write['values'], `${field}.values`),
    complete: flag(write['complete'], `${field}.complete`),
  };
}

function hotPosition(value: unknown, field: string): HotPosition {
  const position = object(value, field);
  return {
    generation: text(position['generation'], `${field}.generation`),
    epoch: text(position['epoch'], `${field}.epoch`),
    revision: count(position['revision'], `${field}.revision`),
    writeId: text(position['writeId'], `${field}.writeId`),
  };
}

function hotState(value: unknown, field: string): HotState {
  const state = object(value, field);
  const lanes = object(state['lanes'], `${field}.lanes`);
  return {
    epoch: text(state['epoch'], `${field}.epoch`),
    revision: count(state['revision'], `${field}.revision`),
    writeId: text(state['writeId'], `${field}.writeId`),
    lanes: {
      health: nullable(lanes['health'], `${field}.lanes.health`, storedLane),
      metrics: nullable(lanes['metrics'], `${field}.lanes.metrics`, storedLane),
    },
  };
}

function storedLane(value: unknown, field: string): StoredLane {
  const writeId = text(object(value, field)['writeId'], `${field}.writeId`);
  return { ...laneState(value, field), writeId };
}

function laneState(value: unknown, field: string): LaneState {
  const state = object(value, field);
  return {
    version: count(state['version'], `${field}.version`),
    vector: vector(state['vector'], `${field}.vector`),
    writtenAtMs: count(state['writtenAtMs'], `${field}.writtenAtMs`),
  };
}

function vector(value: unknown, field: string): Vector {
  const topics = Object.entries(object(value, field)).map(([topic, offsets]) => {
    if (!Array.isArray(offsets)) throw broken(field, 'lists of offsets by topic');
    return [topic, offsets.map((offset) => count(offset, field))] as const;
  });
  return Object.fromEntries(topics);
}

function pairs(value: unknown, field: string): Pairs {
  if (!Array.isArray(value)) throw broken(field, 'a list of pairs');
  return value.map((pair: unknown) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw broken(field, 'a list of pairs');
    return [text(pair[0], field), nullable(pair[1], field, string)];
  });
}

function lane(value: unknown, field: string): Lane {
  const found = LANES.find((name) => name === value);
  if (found === undefined) throw broken(field, LANES.join(' or '));
  return found;
}

function object(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw broken(field, 'an object');
  }
  return value as Record<string, unknown>;
}

function nullable<T>(
  value: unknown,
  field: string,
  parse: (value: unknown, field: string) => T,
): T | null {
  return value === null ? null : parse(value, field);
}

function string(value: unknown, field: string): string {
  if (typeof value !== 'string') throw broken(field, 'a string');
  return value;
}

function text(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '') throw broken(field, 'a string that is not empty');
  return value;
}

function count(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw broken(field, 'an integer >= 0');
  }
  return value;
}

function flag(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw broken(field, 'true or false');
  return value;
}

function broken(field: string, rule: string): AiRouterError {
  return new AiRouterError('invalid_request', `${field} must be ${rule}`, { field, rule });
}
