import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ndjson } from '../src/ndjson.js';
import { savedObjects } from '../src/saved-objects.js';
import { decodedDashboards } from './support/decoded.js';
import { picture } from './support/picture.js';
import { readable } from './support/readable.js';

const directory = new URL('../kibana/', import.meta.url);

/** `npm run dashboards` writes the files anew. */
it('is in the repository as it is built, byte by byte', async () => {
  await expect(ndjson()).toMatchFileSnapshot('../kibana/proxy-manager.ndjson');
});

it.each(savedObjects())('$type $id is in the repository in a form that can be reviewed', async (object) => {
  await expect(`${JSON.stringify(readable(object), undefined, 2)}\n`).toMatchFileSnapshot(
    `../kibana/${object.type}/${object.id}.json`,
  );
});

it.each(decodedDashboards())('$id is drawn in the documentation as it is', async (dashboard) => {
  await expect(picture(dashboard)).toMatchFileSnapshot(`../../../docs/kibana/${dashboard.id}.svg`);
});

it('leaves no file behind of an object that is gone', () => {
  const found = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const expected = ['proxy-manager.ndjson', ...savedObjects().map(({ id }) => `${id}.json`)];
  expect(found.map(({ name }) => name).toSorted()).toEqual(expected.toSorted());
});
