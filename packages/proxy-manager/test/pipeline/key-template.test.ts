import { describe, expect, it } from 'vitest';
import type { OutboundRequest } from '../../src/pipeline/exchange.js';
import { fillBody, fillText, fillUrl, placesKey } from '../../src/pipeline/key-template.js';

function outbound(parts: Partial<OutboundRequest> & { href?: string }): OutboundRequest {
  return {
    method: 'GET',
    url: new URL(parts.href ?? 'https://api.example.com/items'),
    headers: [],
    body: undefined,
    auth: undefined,
    wire: { body: 'buffer', decompress: true, maxRedirects: 5, maxResponseBytes: 1e6, maxRequestBytes: 1e6 },
    ...parts,
  };
}

const text = (body: OutboundRequest['body']): string => (typeof body === 'string' ? body : '');

describe('placesKey', () => {
  it.each<[string, Partial<OutboundRequest> & { href?: string }]>([
    ['the query', { href: 'https://api.example.com/items?k={key}' }],
    ['the path, which URL percent-encodes', { href: 'https://api.example.com/{key}/items' }],
    ['a header', { headers: [['authorization', 'Bearer {key}']] }],
    ['basic authentication', { auth: { username: '{key}', password: '' } }],
    ['a JSON body', { body: '{"token":"{key}"}', headers: [['content-type', 'application/json']] }],
    ['an encoded form', { body: 'token=%7Bkey%7D', headers: [['content-type', 'application/x-www-form-urlencoded']] }],
    ['bytes of text', { body: Buffer.from('token: {key}'), headers: [['content-type', 'text/plain']] }],
  ])('finds the placeholder in %s', (_where, parts) => {
    expect(placesKey(outbound(parts))).toBe(true);
  });

  it('takes no other spelling for it', () => {
    const plain: Partial<OutboundRequest> = {
      body: 'Dear {Key}, 100%7BKEY%7D',
      headers: [['content-type', 'text/plain']],
    };
    expect(placesKey(outbound(plain))).toBe(false);
  });

  it('finds none in a request without it, nor in bytes that are no text', () => {
    expect(placesKey(outbound({ headers: [['x-a', 'b']], body: 'key' }))).toBe(false);
    expect(placesKey(outbound({ body: Buffer.from('{key}'), headers: [['content-type', 'image/png']] }))).toBe(false);
  });
});

describe('filling', () => {
  it('takes a key with replacement patterns literally', () => {
    expect(fillText('Bearer {key}', '$&$1')).toBe('Bearer $&$1');
  });

  it('percent-encodes in urls', () => {
    expect(fillUrl(new URL('https://a.example/{key}?k={key}'), 'a/b&c').href).toBe(
      'https://a.example/a%2Fb%26c?k=a%2Fb%26c',
    );
  });

  it('escapes as the content type wants', () => {
    const json = fillBody('{"t":"{key}"}', [['Content-Type', 'application/json']], 'a"b');
    expect(JSON.parse(text(json))).toEqual({ t: 'a"b' });
    const form = fillBody('t=%7Bkey%7D', [['content-type', 'application/x-www-form-urlencoded']], 'a&b');
    expect(new URLSearchParams(text(form)).get('t')).toBe('a&b');
  });

  it('leaves the bytes around a key as they are', () => {
    const body = Buffer.concat([Buffer.from([0xff, 0x00, 0xfe]), Buffer.from('{key}'), Buffer.from('é')]);
    const filled = fillBody(body, [['content-type', 'multipart/form-data; boundary=x']], 'ключ');
    expect(Buffer.from(filled as Uint8Array)).toEqual(
      Buffer.concat([Buffer.from([0xff, 0x00, 0xfe]), Buffer.from('ключ'), Buffer.from('é')]),
    );
  });
});
