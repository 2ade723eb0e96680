/**
 * Powers and logarithms made of + − × ÷ and constants alone. IEEE 754 fixes the result of these
 * four to the last bit, but not that of exp, log and pow: with them, two engines could answer the
 * same request differently.
 */
const { LN2, SQRT2 } = Math;

/** 2^(i/8), i = 0..7. */
const EIGHTHS_OF_OCTAVE = [
  1,
  1.0905077326652577,
  1.189207115002721,
  1.2968395546510096,
  SQRT2,
  1.5422108254079407,
  1.681792830507429,
  1.8340080864093424,
];

/** Twenty octaves: a million times the reference. What is beyond is no duration. */
const PACE_MAX = 160;

/**
 * 2^(pace / 8): how many times the reference a duration of that pace is. Exact to 1e-11 (the
 * Taylor series of exp within an eighth of an octave).
 */
export function ratioOfPace(pace: number): number {
  const bounded = pace > PACE_MAX ? PACE_MAX : pace < -PACE_MAX ? -PACE_MAX : pace;
  const whole = Math.floor(bounded);
  const octave = Math.floor(whole / 8);
  const x = ((bounded - whole) * LN2) / 8;
  const series = 1 + x * (1 + (x / 2) * (1 + (x / 3) * (1 + (x / 4) * (1 + x / 5))));
  let ratio = EIGHTHS_OF_OCTAVE[whole - octave * 8]! * series;
  for (let i = 0; i < octave; i++) ratio *= 2;
  for (let i = octave; i < 0; i++) ratio /= 2;
  return ratio;
}

/**
 * Natural logarithm of a positive number: its octave times ln 2, and 2·artanh((m − 1)/(m + 1)) of
 * the rest m in [√½, √2). Exact to 1e-10.
 */
export function naturalLog(value: number): number {
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`naturalLog takes a positive number, got ${value}`);
  }
  let rest = value;
  let octave = 0;
  for (; rest >= SQRT2; rest /= 2) octave += 1;
  for (; rest < SQRT2 / 2; rest *= 2) octave -= 1;
  const t = (rest - 1) / (rest + 1);
  const square = t * t;
  const series =
    1 + square * (1 / 3 + square * (1 / 5 + square * (1 / 7 + square * (1 / 9 + square / 11))));
  return octave * LN2 + 2 * t * series;
}
