import { isDeepStrictEqual } from 'node:util';
import { PoolExhaustedError, type Request } from 'proxy-manager';
import { openProgress } from './progress.js';

/** What the callers of one endpoint saw. */
export interface Tally {
  readonly sends: number;
  /** Replies, those out of the cache included. */
  answered: number;
  hits: number;
  /** Sends that got ERR_POOL_EXHAUSTED before anything left. */
  exhausted: number;
  /** Attempts that reached the network, over all replies. */
  attempts: number;
  /** Milliseconds as the caller waited. */
  readonly networkMs: number[];
  readonly hitMs: number[];
  /** The server's name of a caller, and the library's ids that came under it: one each, or something is mixed up. */
  readonly ids: Map<string, Set<string>>;
  /** What went otherwise than it should. */
  readonly faults: string[];
}

type Reply = Awaited<ReturnType<Request['send']>>;

/** One send, and the data that its reply must hold. */
interface Task {
  send(): Promise<Reply>;
  readonly expected: unknown;
}

/** As many lanes as `concurrency`; lane 0 works on 0, `concurrency`, 2 × `concurrency` …, one after the other. */
async function inParallel(total: number, concurrency: number, work: (n: number) => Promise<void>): Promise<void> {
  const lane = async (first: number): Promise<void> => {
    for (let n = first; n < total; n += concurrency) await work(n);
  };
  await Promise.all(Array.from({ length: concurrency }, (_, first) => lane(first)));
}

function note(tally: Tally, reply: Reply, ms: number): void {
  const { exchange } = reply;
  tally.answered += 1;
  if (exchange.cache === 'hit') {
    tally.hits += 1;
    tally.hitMs.push(ms);
    return;
  }
  tally.attempts += exchange.attempts;
  tally.networkMs.push(ms);
  const id = (exchange.proxy ?? exchange.credential)?.id;
  const name = String(reply.headers['x-demo-caller']);
  if (id !== undefined) tally.ids.set(name, (tally.ids.get(name) ?? new Set()).add(id));
}

export interface Workload {
  readonly name: string;
  readonly sends: number;
  readonly concurrency: number;
  task(n: number): Task;
  summary(tally: Tally): string;
}

/** Does all its sends and tells what came of them. */
export async function runWorkload(workload: Workload): Promise<Tally> {
  const tally: Tally = {
    sends: workload.sends,
    answered: 0,
    hits: 0,
    exhausted: 0,
    attempts: 0,
    networkMs: [],
    hitMs: [],
    ids: new Map(),
    faults: [],
  };
  const progress = openProgress(workload.name, workload.sends);
  await inParallel(workload.sends, workload.concurrency, async (n) => {
    const task = workload.task(n);
    const startedMs = performance.now();
    try {
      const reply = await task.send();
      note(tally, reply, performance.now() - startedMs);
      if (!isDeepStrictEqual(reply.data, task.expected)) {
        tally.faults.push(`${workload.name}: send ${n} got another reply than it asked for`);
      }
    } catch (error) {
      if (error instanceof PoolExhaustedError) tally.exhausted += 1;
      else tally.faults.push(`${workload.name}: send ${n}: ${error instanceof Error ? error.message : String(error)}`);
    }
    progress.step();
  });
  progress.done(workload.summary(tally));
  return tally;
}
