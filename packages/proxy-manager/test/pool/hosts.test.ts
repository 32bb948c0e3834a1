import { expect, it } from 'vitest';
import { allowsHost } from '../../src/pool/hosts.js';

it.each<[string[] | undefined, string, boolean]>([
  [undefined, 'https://anywhere.example/', true],
  [['api.example.com'], 'https://api.example.com:8443/', true],
  [['api.example.com'], 'https://evil-api.example.com/', false],
  [['*.example.com'], 'https://api.example.com/', true],
  [['*.example.com'], 'https://example.com/', false],
  [['*.example.com'], 'https://evilexample.com/', false],
  [['api.example.com:443'], 'https://api.example.com/', true],
  [['api.example.com:443'], 'http://api.example.com/', false],
  [['api.example.com:8443'], 'https://api.example.com:8443/', true],
  [['[::1]'], 'http://[::1]:8080/', true],
  [['[::1]:8080'], 'http://[::1]:8080/', true],
  [[], 'https://api.example.com/', false],
])('%j allows %s: %s', (hosts, url, allowed) => {
  expect(allowsHost(hosts, new URL(url))).toBe(allowed);
});
