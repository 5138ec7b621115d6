// Rebilly's own client manages keys: one life of keys, as an application would.

import { RebillyAPI } from 'rebilly-js-sdk';
import { assert, done, failure, it, setting } from './promise.mjs';

const url = setting('URL');
const organizationId = process.env.ORGANIZATION ?? null; // none is the key's own
const api = RebillyAPI({
  apiKey: setting('SECRET'), organizationId, sandbox: true, urls: { live: url, sandbox: url },
});
const keys = api.apiKeys;
const mark = organizationId ? 'in-path' : 'bare';
let first;

await it('a key is created', async () => {
  first = await keys.create({ data: { description: `${mark} first`, type: 'secret' } });
  assert.equal(first.response.status, 201);
  assert.equal(first.fields.description, `${mark} first`);
  assert.equal(first.fields.type, 'secret');
  assert.ok(first.fields.secretKey, 'no secretKey');
  assert.equal(first.response.headers.location, first.fields._links[0].href);
});

await it('what was created authenticates', async () => {
  const other = RebillyAPI({ apiKey: first.fields.secretKey, organizationId, urls: { live: url, sandbox: url } });
  assert.equal((await other.apiKeys.get({ id: first.fields.id })).fields.id, first.fields.id);
});

await it('a key is created with a chosen id', async () => {
  const made = await keys.create({ id: `${mark}@key~1`, data: {
    description: `${mark} second`, type: 'publishable',
    acl: [{ scope: { organizationId: ['org_1'], customFieldName: ['a-b'] }, permissions: ['GetApiKeyCollection', 'GetApiKey'] }],
    allowedIps: ['203.0.113.7', '2001:db8::/32'],
  } });
  assert.equal(made.response.status, 201);
  assert.equal(made.fields.id, `${mark}@key~1`);
  assert.deepEqual(made.fields.allowedIps, ['203.0.113.7', '2001:db8::/32']);
  assert.deepEqual(made.fields.acl[0].scope.customFieldName, ['a-b']);
});

await it('a chosen id that is taken is a conflict', async () => {
  const error = await failure(() => keys.create({ id: `${mark}@key~1`, data: { description: 'again' } }));
  assert.equal(error.name, 'RebillyConflictError');
});

await it('a key is read, the same as it was created', async () => {
  const { fields } = await keys.get({ id: first.fields.id });
  const { secretKey, ...rest } = first.fields;
  const { secretKey: shown, ...read } = fields;
  assert.deepEqual(read, rest);
  assert.equal(shown === secretKey, setting('RECOVERABLE') === 'true', `secretKey is ${shown}`);
});

await it('keys are listed with a filter and a sort', async () => {
  const list = await keys.getAll({
    filter: `description:${mark.toUpperCase()} first,${mark} second`, sort: ['-createdTime', 'id'], limit: 20, offset: 0,
  });
  assert.deepEqual([list.total, list.limit, list.offset], [2, 20, 0]);
  assert.deepEqual(list.items.map((item) => item.fields.id), [`${mark}@key~1`, first.fields.id]);
  const oldest = await keys.getAll({ filter: `type:secret;createdTime:${first.fields.createdTime}..`, sort: 'createdTime' });
  assert.equal(oldest.items[0].fields.id, first.fields.id);
  assert.ok(oldest.items.every((item) => item.fields.type === 'secret'));
});

await it('a list is walked by limit and offset', async () => {
  const all = await keys.getAll({ sort: ['id'] });
  const walked = [];
  for (let offset = 0; offset < all.total; offset += 1) {
    const page = await keys.getAll({ sort: ['id'], limit: 1, offset });
    assert.equal(page.total, all.total);
    walked.push(...page.items.map((item) => item.fields.id));
  }
  assert.deepEqual(walked, all.items.map((item) => item.fields.id));
  const none = await keys.getAll({ limit: 0 });
  assert.equal(none.total, all.total);
  assert.equal(none.items.length, 0);
});

await it('a key is updated, and what is not named stays', async () => {
  const changed = await keys.update({ id: `${mark}@key~1`, data: { description: 'new' } });
  assert.equal(changed.response.status, 200);
  assert.equal(changed.fields.description, 'new');
  assert.equal(changed.fields.type, 'publishable');
  assert.deepEqual(changed.fields.allowedIps, ['203.0.113.7', '2001:db8::/32']);
  assert.deepEqual(changed.fields.acl[0].permissions, ['GetApiKeyCollection', 'GetApiKey']);
});

await it('null clears the addresses', async () => {
  await keys.update({ id: `${mark}@key~1`, data: { description: 'new', allowedIps: null } });
  assert.equal((await keys.get({ id: `${mark}@key~1` })).fields.allowedIps ?? null, null);
});

await it('what was read can be sent back, read-only members and all', async () => {
  const { fields } = await keys.get({ id: first.fields.id });
  const again = await keys.update({ id: first.fields.id, data: { ...fields, description: 'sent back' } });
  assert.equal(again.fields.createdTime, fields.createdTime);
  assert.equal(again.fields.description, 'sent back');
});

await it('a key is deleted, and gone', async () => {
  for (const id of [`${mark}@key~1`, first.fields.id]) {
    assert.equal((await keys.delete({ id })).response.status, 204);
    assert.equal((await failure(() => keys.get({ id }))).name, 'RebillyNotFoundError');
  }
});

await it('organizations are listed and read, also below the one that is named', async () => {
  const id = setting('OWN_ORGANIZATION');
  const list = await api.organizations.getAll();
  assert.deepEqual(list.items.map((item) => item.fields.id), [id]);
  assert.ok((await api.organizations.get({ id })).fields.name);
});

done();
