import type { Noted, Standing, StandingEvent } from '../pool/standing.js';

/** Where it is kept, for all who share the store, who rests why: the events of pool/standing.ts, each one atomic. */
export interface StandingStore {
  /** Notes what happened to `id` in `book`, and gives how it stands now. */
  note(book: string, id: string, event: StandingEvent): Promise<Noted>;
  /** Everybody against whom something is held in `book`, by id. */
  standings(book: string): Promise<ReadonlyMap<string, Standing>>;
}
