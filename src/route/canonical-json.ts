/**
 * JSON of RFC 8785: keys in the order of their UTF-16 code units, no white space, numbers and
 * strings as ECMAScript writes them, which is what the RFC asks for. Takes what JSON.parse makes;
 * absent (undefined) members are left out.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
