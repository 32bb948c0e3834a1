import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadSecrets } from '../../src/config/secrets.js';
import { ConfigError } from '../../src/errors.js';

const read = (name: string): string => readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');
const text = read('secrets.md');
const both = text + read('quotas.md');
const examples = [...both.matchAll(/```json\n([^]*?)```/g)].map(([, json = '']) => json);
const variables = [...new Set(both.match(/(?<=env:)[A-Z\d_]*_[A-Z\d_]*/g))];

beforeEach(() => {
  for (const name of variables) process.env[name] = `proxy.example.com:${variables.indexOf(name) + 1}`;
});

afterEach(() => {
  for (const name of variables) delete process.env[name];
});

test('docs/secrets.md and docs/quotas.md have examples', () => {
  expect(examples.length).toBeGreaterThan(4);
  expect(variables).toContain('SHOP_PROXY');
});

test.each(examples)('example %# of docs/secrets.md and docs/quotas.md loads', (json) => {
  expect(loadSecrets(JSON.parse(json)).size).toBeGreaterThan(0);
});

test('the mistakes that it shows are those that are told', () => {
  delete process.env.SHOP_PROXY;
  const wrong = {
    key_based: { weather: { limit: '60', refreshrate: 1, keys: ['a'] } },
    ip_based: { shop: { proxies: ['a:1', 'b:1', 'env:SHOP_PROXY'] } },
  };
  let told: readonly string[] = [];
  try {
    Reflect.apply(loadSecrets, undefined, [wrong]);
  } catch (error) {
    if (error instanceof ConfigError) told = error.problems;
  }
  const shown =
    text
      .match(/```text\n[^\n]*\n([^]*?)```/)?.[1]
      ?.trim()
      .split('\n') ?? [];
  expect(shown).toHaveLength(3);
  for (const line of shown) expect(told).toContain(line.trim());
});
