/** Browsers whose client hints are not known, and user agents that no real browser of their platform has. */
const UNFIT = /SamsungBrowser|YaBrowser|DuckDuckGo|Ddg\/|Brave|HeadlessChrome|; wv\)|(?:iPhone|iPad).* Chrome\//;

let source: Promise<() => string> | undefined;

/** A real browser's user agent, as often as it is seen in the wild. Loads its data on first use. */
export async function randomUserAgent(): Promise<string> {
  source ??= load();
  return (await source)();
}

async function load(): Promise<() => string> {
  const { default: UserAgent } = await import('user-agents');
  const generator = new UserAgent(({ userAgent }) => !UNFIT.test(userAgent));
  return () => generator.random().data.userAgent;
}
