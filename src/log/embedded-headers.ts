import type { Headers } from './port.js';

/** As JSON text [[name, base64], …], the bytes exact; null = none. */
export function encodeHeaders(headers: Headers | undefined): string | null {
  const entries = Object.entries(headers ?? {});
  if (entries.length === 0) return null;
  return JSON.stringify(entries.map(([name, value]) => [name, value.toString('base64')]));
}

export function decodeHeaders(text: string | null): Headers {
  if (text === null) return {};
  const entries: unknown = JSON.parse(text);
  return Object.fromEntries(
    (entries as [string, string][]).map(([name, value]) => [name, Buffer.from(value, 'base64')]),
  );
}
