/**
 * An offering is what can be called: (model, provider, deployment, region). Its key text is the
 * same in Kafka, Redis and HTTP; golden vectors are in schemas/offering-key.json.
 */
export interface Offering {
  model: string;
  provider: string;
  deployment: string;
  region: string;
}

/** Where keys beyond the limit are folded to (an empty model is refused elsewhere). */
export const OTHER_OFFERING = '|||';

// %, |, {, } and the control characters (C0, DEL, C1) are the only ones that are encoded: the
// separators of this text, the hash tag of Redis, and what no store keeps as it is.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it encodes
const RESERVED = /[%|{}\u0000-\u001f\u007f-\u009f]/g;

/** `model|provider|deployment|region`, each part percent-encoded, an empty part stays empty. */
export function offeringKey(offering: Offering): string {
  return `${encodePart(offering.model)}|${encodePart(offering.provider)}|${encodePart(offering.deployment)}|${encodePart(offering.region)}`;
}

/** The parts of a key text; null where the text is not one that `offeringKey` makes. */
export function parseOfferingKey(text: string): Offering | null {
  const parts = text.split('|');
  if (parts.length !== 4) return null;
  try {
    const [model, provider, deployment, region] = parts.map(decodeURIComponent) as [
      string,
      string,
      string,
      string,
    ];
    const offering = { model, provider, deployment, region };
    return offeringKey(offering) === text ? offering : null;
  } catch {
    return null;
  }
}

function encodePart(part: string): string {
  return part.search(RESERVED) === -1 ? part : part.replace(RESERVED, encodeURIComponent);
}
