import type { Pool } from '../usage/usage-store.js';
import { bookOf, hostBookOf, PROXIES, refused, resting } from './books.js';
import { isDead } from './ladder.js';
import type { Standing } from './standing.js';
import type { Book, Standings } from './standings.js';

/** Why somebody does not serve. */
export interface Reason {
  readonly untilMs: number;
  readonly because: string;
  readonly dead: boolean;
}

/** Why credentials of `pool` do not serve for a request to `host`, as far as it is not their windows; by id. */
export async function reasonsIn(
  standings: Standings,
  pool: Pool,
  host: string | undefined,
  nowMs: number,
): Promise<ReadonlyMap<string, Reason>> {
  const [own, everywhere, there] = await Promise.all([
    standings.read(bookOf(pool.endpoint)),
    standings.read(PROXIES),
    host === undefined ? NO_BOOK : standings.read(hostBookOf(host)),
  ]);
  const found = new Map<string, Reason>();
  const add = (id: string, standing: Standing | undefined, because: (why: string) => string, dead = false): void => {
    if (standing === undefined || (standing.untilMs <= nowMs && !standing.held)) return;
    const { untilMs, why } = standing;
    if ((found.get(id)?.untilMs ?? 0) < untilMs) found.set(id, { untilMs, because: because(why), dead });
  };
  for (const { id } of pool.sections.flatMap(({ meters }) => meters)) {
    add(id, own.get(resting(id)), (why) => why);
    const refusal = own.get(refused(id));
    if (refusal !== undefined && isDead(refusal)) add(id, refusal, (why) => `dead: ${why}`, true);
    const out = everywhere.get(id);
    add(id, out, (why) => (out?.held === true ? `${why}, a probe brings it back` : why));
    add(id, there.get(id), (why) => `${why} for host ${host}`);
  }
  return found;
}

const NO_BOOK: Book = new Map();
