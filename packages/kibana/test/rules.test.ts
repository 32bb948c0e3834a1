import { expect, it } from 'vitest';
import { LOG_MAPPINGS } from '../../proxy-manager/src/log/log-mappings.js';
import { importRules } from '../src/index.js';
import { rules } from '../src/rules/rules.js';
import type { Criterion } from '../src/rules/rules.js';
import { savedObjects } from '../src/saved-objects.js';
import { startFakeKibana } from './support/fake-kibana.js';
import { fieldsOf, parseKql } from './support/kql.js';

it('makes three rules, and leaves them as they are when it runs again', async () => {
  const kibana = await startFakeKibana();
  const made = await importRules({ url: kibana.url, quietMinutes: 30 });
  expect(made.map(({ isNew }) => isNew)).toEqual([true, true, true]);
  const bodies = structuredClone([...kibana.rules]);
  const again = await importRules({ url: kibana.url, quietMinutes: 5 });
  expect(again).toEqual(made.map(({ name }) => ({ name, isNew: false })));
  expect([...kibana.rules]).toEqual(bodies);
  expect(bodies.at(-1)?.[1]).toMatchObject({
    rule_type_id: '.es-query',
    consumer: 'stackAlerts',
    params: { timeWindowSize: 30, timeWindowUnit: 'm' },
  });
});

it('says what to do where Kibana keeps no rules, or the login may not make any', async () => {
  const keyless = await startFakeKibana({ hasNoEncryptionKey: true });
  await expect(importRules({ url: keyless.url })).rejects.toThrow(
    'xpack.encryptedSavedObjects.encryptionKey in kibana.yml',
  );
  const readOnly = await startFakeKibana({ isReadOnly: true });
  await expect(importRules({ url: readOnly.url })).rejects.toMatchObject({ code: 'ERR_KIBANA_REFUSED', status: 403 });
  await expect(importRules({ url: readOnly.url, quietMinutes: 0.5 })).rejects.toMatchObject({
    code: 'ERR_KIBANA_OPTIONS',
  });
});

it('looks at fields of the shipped template, through the data view that is imported', () => {
  const dataViews = savedObjects().flatMap(({ type, id }) => (type === 'index-pattern' ? [id] : []));
  const found = rules(15).flatMap(({ params }) => {
    const { criteria, groupBy, searchConfiguration } = params as Partial<ThresholdParams>;
    if (criteria === undefined || groupBy === undefined || searchConfiguration === undefined) return [];
    expect(dataViews).toContain(searchConfiguration.index);
    const metrics = criteria.flatMap((criterion) => criterion.metrics);
    return [
      ...groupBy,
      ...fieldsOf(parseKql(searchConfiguration.query.query)),
      ...metrics.flatMap(({ field, filter = '' }) => [field ?? [], fieldsOf(parseKql(filter))].flat()),
    ];
  });
  expect(found.length).toBeGreaterThan(6);
  expect(found.filter((field) => !isMapped(field))).toEqual([]);
});

interface ThresholdParams {
  readonly criteria: readonly Criterion[];
  readonly groupBy: readonly string[];
  readonly searchConfiguration: { readonly index: string; readonly query: { readonly query: string } };
}

function isMapped(field: string): boolean {
  let mapping: unknown = LOG_MAPPINGS;
  for (const name of field.split('.')) {
    mapping = (mapping as { readonly properties?: Readonly<Record<string, unknown>> } | undefined)?.properties?.[name];
  }
  return mapping !== undefined;
}
