/** The wall clock in epoch ms; given to whoever reads time, so that tests may turn it. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
