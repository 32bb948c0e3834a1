import { expect, it } from 'vitest';
import { masker } from '../../src/stages/mask.js';
import { TransportFault } from '../../src/transport/fault.js';

const mask = masker('s3cr/et');

it('finds a key in text and bytes, raw and percent-encoded', () => {
  expect(mask.finds('token=s3cr%2Fet')).toBe(true);
  expect(mask.finds(Buffer.from('…s3cr/et…'))).toBe(true);
  expect(mask.finds(Buffer.from('s3cr'))).toBe(false);
});

it('writes the placeholder in its place', () => {
  expect(mask.text('a=s3cr%2Fet&b=s3cr/et')).toBe('a={key}&b={key}');
});

it('gives a fault whose message held the key a new message, and keeps what it says besides', () => {
  const fault = mask.error(new TransportFault('ECONNRESET', 'GET /s3cr/et', { phase: 'response', sent: true }));
  expect(fault).toMatchObject({ code: 'ECONNRESET', message: 'GET /{key}', phase: 'response', sent: true });
});
