import { toJsonSchema } from '@valibot/to-json-schema';
import { expect, test } from 'vitest';
import { secretsSchema } from '../../src/config/secrets-schema.js';

// Written anew by `npm run schema`.
test('the JSON Schema that editors read is that of the check', async () => {
  const schema = { ...toJsonSchema(secretsSchema, { target: 'draft-07' }), title: 'secrets.json of Proxy Manager' };
  // Short lists on one line, as oxfmt wants them.
  const text = JSON.stringify(schema, null, 2).replaceAll(/\[\s+("[^[\]{}]*")\s+\]/g, (_, items: string) => {
    return `[${items.replaceAll(/,\s+/g, ', ')}]`;
  });
  await expect(`${text}\n`).toMatchFileSnapshot('../../secrets.schema.json');
});
