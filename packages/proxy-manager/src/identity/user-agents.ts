import type { UserAgentFilter } from '../config/options.js';
import { ConfigError } from '../errors.js';
import { drawnUserAgent } from './drawn-user-agent.js';

/** Browsers whose client hints are not known, and user agents that no real browser of their platform has. */
const UNFIT = /SamsungBrowser|YaBrowser|DuckDuckGo|Ddg\/|Brave|HeadlessChrome|; wv\)|(?:iPhone|iPad).* Chrome\//;

/** Filters whose choice is kept; people have one or two. */
const KEPT_FILTERS = 50;

const sources = new Map<string, Promise<() => string>>();

/**
 * A real browser's user agent, as often as it is seen in the wild, among those that pass the filter. All the data is
 * loaded for a filter alone; rejects with a `ConfigError` where none passes.
 */
export async function randomUserAgent(filter: UserAgentFilter = {}): Promise<string> {
  const drawn = Object.keys(filter).length === 0 ? fitUserAgent() : undefined;
  if (drawn !== undefined) return drawn;
  const name = filterName(filter);
  const source = sources.get(name) ?? load(filter);
  if (sources.size >= KEPT_FILTERS && !sources.has(name)) sources.clear();
  sources.set(name, source);
  return (await source)();
}

function fitUserAgent(): string | undefined {
  let drawn = drawnUserAgent();
  // One in forty is unfit.
  while (drawn !== undefined && UNFIT.test(drawn)) drawn = drawnUserAgent();
  return drawn;
}

/** The same for equal filters. */
export function filterName(filter: UserAgentFilter): string {
  return JSON.stringify(filter, (_name, value: unknown) => (value instanceof RegExp ? String(value) : value));
}

async function load(filter: UserAgentFilter): Promise<() => string> {
  const { default: UserAgent } = await import('user-agents');
  const fields = Object.entries(filter) as [keyof UserAgentFilter, RegExp | string | undefined][];
  const passes = (data: object): boolean =>
    fields.every(([name, wanted]) => {
      const found = String(Reflect.get(data, name));
      if (wanted === undefined) return true;
      // Without the state that a global one keeps from call to call.
      return wanted instanceof RegExp ? found.search(wanted) !== -1 : found === wanted;
    });
  try {
    const generator = new UserAgent((data) => !UNFIT.test(data.userAgent) && passes(data));
    return () => generator.random().data.userAgent;
  } catch (error) {
    throw new ConfigError('userAgent', [`no user agent passes ${filterName(filter)}`], { cause: error });
  }
}
