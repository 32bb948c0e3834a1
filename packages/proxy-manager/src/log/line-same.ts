import { hostname } from 'node:os';

const DATASET = 'proxy_manager.exchange';

/** What is the same in all documents of this process, by the level of what they tell. */
export const SAME: Readonly<Record<'error' | 'info' | 'warn', string>> = {
  error: sameFor('error'),
  info: sameFor('info'),
  warn: sameFor('warn'),
};

function sameFor(level: string): string {
  return membersOf({
    ecs: { version: '8.11.0' },
    data_stream: { type: 'logs', dataset: DATASET, namespace: 'default' },
    host: { name: hostname() },
    process: { pid: process.pid },
    log: { level, logger: 'proxy_manager' },
  });
}

/** Members of `event` by how it ended. */
const EVENT = { category: ['web'], dataset: DATASET, module: 'proxy_manager' };
export const SUCCESS: string = membersOf({ ...EVENT, kind: 'event', type: ['access'], outcome: 'success' });
export const FAILURE: string = membersOf({ ...EVENT, kind: 'event', type: ['access', 'error'], outcome: 'failure' });
export const LOSS: string = membersOf({
  ...EVENT,
  kind: 'pipeline_error',
  type: ['error'],
  action: 'log-loss',
  outcome: 'failure',
});

function membersOf(object: object): string {
  return JSON.stringify(object).slice(1, -1);
}
