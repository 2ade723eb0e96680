/** What this process answered from what it had made before, since it started. */
export class ServiceCounts {
  /** Answers whose plan or body was there already, and those for which it had to be made. */
  hits = 0;
  misses = 0;
  #seconds = 0;

  count(isHit: boolean, seconds: number): void {
    if (isHit) this.hits += 1;
    else this.misses += 1;
    this.#seconds += seconds;
  }

  /** Share of hits, of 0..1; null = nothing was asked yet. */
  get hitRate(): number | null {
    const all = this.hits + this.misses;
    return all === 0 ? null : this.hits / all;
  }

  /** Mean seconds of deciding, or of making or finding a body; null = nothing was asked yet. */
  get meanSeconds(): number | null {
    const all = this.hits + this.misses;
    return all === 0 ? null : this.#seconds / all;
  }
}
