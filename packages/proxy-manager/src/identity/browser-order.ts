import type { HeaderList } from '../pipeline/headers.js';

/** Which of the three engines a user agent names; every browser on iOS is the last. */
export type BrowserFamily = 'chromium' | 'firefox' | 'safari';

export function browserFamily(userAgent: string): BrowserFamily | undefined {
  if (/iPhone|iPad|iPod/.test(userAgent)) return 'safari';
  if (userAgent.includes(' Chrome/')) return 'chromium';
  if (userAgent.includes(' Firefox/')) return 'firefox';
  return userAgent.includes(' Safari/') ? 'safari' : undefined;
}

/** The order of header fields in front of and behind those that only the caller knows; undici writes `host` before all. */
const ORDER: Readonly<Record<BrowserFamily, { readonly front: readonly string[]; readonly back: readonly string[] }>> =
  {
    chromium: {
      front: ['sec-ch-ua', 'sec-ch-ua-mobile', 'sec-ch-ua-platform', 'user-agent', 'accept', 'content-type'],
      back: [
        'origin',
        'sec-fetch-site',
        'sec-fetch-mode',
        'sec-fetch-dest',
        'referer',
        'accept-encoding',
        'accept-language',
        'cookie',
      ],
    },
    firefox: {
      front: ['user-agent', 'accept', 'accept-language', 'accept-encoding', 'content-type'],
      back: ['origin', 'referer', 'cookie', 'sec-fetch-dest', 'sec-fetch-mode', 'sec-fetch-site'],
    },
    safari: {
      front: ['user-agent', 'accept', 'content-type'],
      back: ['origin', 'referer', 'accept-language', 'accept-encoding', 'cookie'],
    },
  };

const RANKS: Readonly<Record<BrowserFamily, ReadonlyMap<string, number>>> = {
  chromium: ranksOf(ORDER.chromium),
  firefox: ranksOf(ORDER.firefox),
  safari: ranksOf(ORDER.safari),
};

function ranksOf({ front, back }: (typeof ORDER)[BrowserFamily]): ReadonlyMap<string, number> {
  return new Map([
    ...front.map((name, place) => [name, place - front.length] as const),
    ...back.map((name, place) => [name, place + 1] as const),
  ]);
}

/** The same fields in the order of this browser; those that it does not know keep their own, in between. */
export function inBrowserOrder(headers: HeaderList, family: BrowserFamily): HeaderList {
  const ranks = RANKS[family];
  const ranked = headers.map((field) => ({ field, rank: ranks.get(field[0].toLowerCase()) ?? 0 }));
  return ranked.toSorted((one, other) => one.rank - other.rank).map(({ field }) => field);
}
