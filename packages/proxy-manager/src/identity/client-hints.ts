import type { HeaderList } from '../pipeline/headers.js';

interface Browser {
  readonly brand: string;
  readonly version: string;
  readonly chromium: number;
}

/** The first Chromium whose brand list is made by the rule below. */
const FIRST_RULED_VERSION = 105;

/** Chromium browsers that name themselves in the user agent by a token of their own and are unlike Chrome in the list. */
const UNKNOWN_BRANDS = /SamsungBrowser|YaBrowser|Vivaldi|DuckDuckGo|HeadlessChrome|EdgW|OPX\/|; wv\)/;

/**
 * The client hints that a browser with this user agent sends unasked, in its order. None for Firefox, Safari, every
 * browser on iOS, and a Chromium whose list is not known: to send nothing is less wrong than to send another's.
 */
export function clientHints(userAgent: string): HeaderList {
  const browser = browserOf(userAgent);
  const platform = platformOf(userAgent);
  if (browser === undefined || platform === undefined) return [];
  return [
    ['sec-ch-ua', brandList(browser)],
    ['sec-ch-ua-mobile', /\bMobile\b/.test(userAgent) ? '?1' : '?0'],
    ['sec-ch-ua-platform', `"${platform}"`],
  ];
}

function browserOf(userAgent: string): Browser | undefined {
  const chromium = Number(/ Chrome\/(\d+)\./.exec(userAgent)?.[1] ?? 0);
  if (chromium < FIRST_RULED_VERSION || UNKNOWN_BRANDS.test(userAgent)) return undefined;
  const edge = / EdgA?\/(\d+)/.exec(userAgent)?.[1];
  if (edge !== undefined) return { brand: 'Microsoft Edge', version: edge, chromium };
  const opera = / OPR\/(\d+)/.exec(userAgent)?.[1];
  if (opera !== undefined) return { brand: 'Opera', version: opera, chromium };
  return { brand: 'Google Chrome', version: String(chromium), chromium };
}

function platformOf(userAgent: string): string | undefined {
  if (/iPhone|iPad|iPod/.test(userAgent)) return undefined;
  if (userAgent.includes('Windows NT')) return 'Windows';
  if (userAgent.includes('Android')) return 'Android';
  if (userAgent.includes('Macintosh')) return 'macOS';
  if (userAgent.includes('CrOS')) return 'Chrome OS';
  return userAgent.includes('Linux') ? 'Linux' : undefined;
}

const GREASE_MARKS = [' ', '(', ':', '-', '.', '/', ')', ';', '=', '?', '_'] as const;
const GREASE_VERSIONS = ['8', '99', '24'] as const;

/** Where grease, Chromium and the browser's own brand go, by the rest of the version divided by six. */
const PLACES = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/**
 * Chromium hides one meaningless brand in the list; its text, its version and the order all follow from the major
 * version (https://wicg.github.io/ua-client-hints/#create-arbitrary-brands-section).
 */
function brandList({ brand, version, chromium }: Browser): string {
  const mark = (offset: number): string => GREASE_MARKS[(chromium + offset) % GREASE_MARKS.length] ?? '';
  const entries = [
    `"Not${mark(0)}A${mark(1)}Brand";v="${GREASE_VERSIONS[chromium % GREASE_VERSIONS.length]}"`,
    `"Chromium";v="${chromium}"`,
    `"${brand}";v="${version}"`,
  ];
  const places = PLACES[chromium % PLACES.length] ?? PLACES[0];
  return entries.map((_, place) => entries[places.findIndex((at) => at === place)]).join(', ');
}
