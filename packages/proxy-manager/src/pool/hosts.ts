/** True where the url's host is one of `hosts` (`api.example.com`, `*.example.com`, either with a port), or any is allowed. */
export function allowsHost(hosts: readonly string[] | undefined, url: URL): boolean {
  return (
    hosts === undefined ||
    hosts.some((allowed) => {
      const host = /:\d+$/.test(allowed) ? url.host : url.hostname;
      return allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) : host === allowed;
    })
  );
}
