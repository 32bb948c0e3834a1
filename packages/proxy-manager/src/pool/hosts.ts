const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** True where the url's host is one of `hosts` (`api.example.com`, `*.example.com`, either with a port), or any is allowed. */
export function allowsHost(hosts: readonly string[] | undefined, url: URL): boolean {
  return (
    hosts === undefined ||
    hosts.some((allowed) => {
      // URL leaves the default port out, secrets.json may name it.
      const host = /:\d+$/.test(allowed) ? `${url.hostname}:${url.port || DEFAULT_PORTS[url.protocol]}` : url.hostname;
      return allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) : host === allowed;
    })
  );
}
