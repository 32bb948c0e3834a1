import { expect, test } from 'vitest';
import { parseProxyAddress } from '../../src/config/proxy-address.js';

test.each([
  ['45.33.99.194:8888', 'http', '45.33.99.194', 8888, undefined, '45.33.99.194:8888'],
  ['Proxy.Example.com:1', 'http', 'proxy.example.com', 1, undefined, 'proxy.example.com:1'],
  ['http://proxy.example.com', 'http', 'proxy.example.com', 80, undefined, 'proxy.example.com:80'],
  ['https://proxy.example.com/', 'https', 'proxy.example.com', 443, undefined, 'proxy.example.com:443'],
  ['socks5://127.0.0.1', 'socks5', '127.0.0.1', 1080, undefined, '127.0.0.1:1080'],
  ['SOCKS5h://h:9', 'socks5', 'h', 9, undefined, 'h:9'],
  ['http://user:pass@h:8080', 'http', 'h', 8080, 'user:pass', 'h:8080'],
  ['user:pass@h:8080', 'http', 'h', 8080, 'user:pass', 'h:8080'],
  ['http://user@h:8080', 'http', 'h', 8080, 'user:', 'h:8080'],
  ['http://us%40er:p%3Aa%2Fss@h:1', 'http', 'h', 1, 'us@er:p:a/ss', 'h:1'],
  ['http://user:p@ss:w/o#rd@h:1', 'http', 'h', 1, 'user:p@ss:w/o#rd', 'h:1'],
  ['http://[2001:DB8::1]:3128', 'http', '[2001:db8::1]', 3128, undefined, '[2001:db8::1]:3128'],
  ['[::1]:3128', 'http', '[::1]', 3128, undefined, '[::1]:3128'],
  ['http://bücher.example:80', 'http', 'xn--bcher-kva.example', 80, undefined, 'xn--bcher-kva.example:80'],
])('%s', (address, protocol, hostname, port, userinfo, origin) => {
  expect(parseProxyAddress(address)).toEqual({ protocol, hostname, port, userinfo, origin });
});

test.each([
  ['', 'an empty string'],
  ['proxy.example.com', 'an address without a port'],
  ['ftp://h:1', 'an address whose scheme is not http, https or socks5'],
  ['socks4://h:1', 'an address whose scheme is not http, https or socks5'],
  ['h:0', 'an address whose port is not from 1 to 65535'],
  ['h:65536', 'an address whose port is not from 1 to 65535'],
  ['http://h:', 'an address whose port is not from 1 to 65535'],
  [':8080', 'an address without a valid host'],
  ['http://user:secret@:8080', 'an address without a valid host'],
  ['[::g]:1', 'an address without a valid host'],
  ['::1:8080', 'an IPv6 address without brackets'],
  ['1.2.3.4:8080:user:secret', 'host:port:user:password (write http://user:password@host:port)'],
  ['http://h:1/path', 'an address of another form'],
  ['http://user:secret%@h:1', 'an address with a lone % in its user or password (write it %25)'],
  ['http://us%3Aer:secret@h:1', 'an address with a colon in its user name'],
  ['http://user:sec%0Aret@h:1', 'an address with a control character in its user or password'],
])('%j is refused without being shown', (address, mistake) => {
  expect(parseProxyAddress(address)).toEqual({ mistake });
});
