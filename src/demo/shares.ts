/** One routed request: which provider its first candidate was of. */
interface Routed {
  atMs: number;
  provider: string;
}

export interface BrownoutShares {
  provider: string;
  /** Null = no request was routed in that time. */
  share_before: number | null;
  share_during: number | null;
  share_after: number | null;
}

/**
 * The share of a provider among the first candidates, before, in and after its brown-out. The
 * first minute of the brown-out and the first five after it are left out: in the one the outcomes
 * only begin to show it, in the other trust comes back step by step.
 */
export class Shares {
  readonly #routed: Routed[] = [];

  count(atMs: number, provider: string): void {
    this.#routed.push({ atMs, provider });
  }

  of(provider: string, brownout: { fromMs: number; toMs: number }): BrownoutShares {
    const share = (fromMs: number, toMs: number): number | null => {
      const within = this.#routed.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
      const own = within.filter((routed) => routed.provider === provider).length;
      return within.length === 0 ? null : Math.round((own / within.length) * 10_000) / 10_000;
    };
    return {
      provider,
      share_before: share(Number.NEGATIVE_INFINITY, brownout.fromMs),
      share_during: share(brownout.fromMs + 60_000, brownout.toMs),
      share_after: share(brownout.toMs + 300_000, Number.POSITIVE_INFINITY),
    };
  }

  /** Requests of the last minute before a moment, by provider, most first. */
  lastMinute(nowMs: number): [provider: string, requests: number][] {
    const counts = new Map<string, number>();
    for (let i = this.#routed.length - 1; i >= 0; i--) {
      const { atMs, provider } = this.#routed[i]!;
      if (atMs < nowMs - 60_000) break;
      counts.set(provider, (counts.get(provider) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  }
}
