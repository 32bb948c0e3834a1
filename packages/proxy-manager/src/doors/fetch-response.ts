import type { HeaderList } from '../pipeline/headers.js';

interface Head {
  readonly status: number;
  readonly statusText: string;
  readonly headers: HeaderList;
  readonly url: URL;
  readonly redirected: boolean;
}

type Body = ConstructorParameters<typeof Response>[0];

/** A `Response` of the platform with what only fetch itself can give one: `url`, `redirected`, `type`, and statuses such as 999. */
export function fetchResponse(body: Body, head: Head): Response {
  const { status, statusText, redirected } = head;
  const isUsual = status >= 200 && status <= 599;
  const response = new Response(body, {
    status: isUsual ? status : 200,
    statusText,
    headers: head.headers as [string, string][],
  });
  const { href } = head.url;
  const fragment = href.indexOf('#');
  const clone = response.clone.bind(response);
  return Object.defineProperties(response, {
    url: { value: fragment === -1 ? href : href.slice(0, fragment) },
    redirected: { value: redirected },
    type: { value: 'basic' },
    clone: { value: () => fetchResponse(clone().body, head) },
    ...(isUsual ? {} : { status: { value: status }, ok: { value: false } }),
  });
}
