// Each class of error that Rebilly's own client makes of an answer.

import { RebillyAPI, RebillyErrors } from 'rebilly-js-sdk';
import { assert, done, failure, it, setting } from './promise.mjs';

const url = setting('URL');
const organizationId = setting('ORGANIZATION');

const client = (apiKey, organization = organizationId) =>
  RebillyAPI({ apiKey, organizationId: organization, urls: { live: url, sandbox: url } });
const as = (...arguments_) => client(...arguments_).apiKeys;
const keys = as(setting('SECRET'));

async function wants(name, status, run) {
  const error = await failure(run);
  assert.deepEqual([error.name, error.status], [name, status], `${error.stack}\n${JSON.stringify(error.response?.data)}`);
  assert.ok(error instanceof RebillyErrors[name]);
  assert.equal(error.response.data.status, status);
  assert.ok(error.message, 'no message');
  return error;
}

await it('a key that is not known is RebillyForbiddenError', async () => {
  await wants('RebillyForbiddenError', 401, () => as('sk_live_unknown').getAll());
  await wants('RebillyForbiddenError', 401, () => as(null).getAll());
});

await it('what is not there is RebillyNotFoundError', async () => {
  await wants('RebillyNotFoundError', 404, () => keys.get({ id: 'nothing' }));
  await wants('RebillyNotFoundError', 404, () => keys.delete({ id: 'nothing' }));
});

await it('an organization that is foreign or unknown is RebillyNotFoundError', async () => {
  for (const other of [setting('FOREIGN'), 'org_nowhere']) {
    await wants('RebillyNotFoundError', 404, () => as(setting('SECRET'), other).getAll());
    await wants('RebillyNotFoundError', 404, () => as(setting('SECRET'), other).create({ data: { description: 'x' } }));
  }
});

await it('a method that is not there is RebillyMethodNotAllowedError', async () => {
  const error = await wants('RebillyMethodNotAllowedError', 405, () => keys.delete({ id: '' }));
  assert.ok(error.response.headers.allow.includes('POST'));
});

await it('a key that deletes itself is RebillyConflictError', async () => {
  const made = await keys.create({ data: { description: 'itself' } });
  await wants('RebillyConflictError', 409, () => as(made.fields.secretKey).delete({ id: made.fields.id }));
  await keys.delete({ id: made.fields.id });
});

await it('an id that was deleted never comes back: RebillyConflictError', async () => {
  await keys.create({ id: 'once', data: { description: 'once' } });
  await keys.delete({ id: 'once' });
  await wants('RebillyConflictError', 409, () => keys.update({ id: 'once', data: { description: 'again' } }));
});

await it('what is not valid is RebillyValidationError, with its fields', async () => {
  const made = await keys.create({ data: { description: 'valid' } });
  for (const [data, field] of [
    [{}, 'description'],
    [{ description: '' }, 'description'],
    [{ description: 'x', type: 'x' }, 'type'],
    [{ description: 'x', allowedIps: ['203.0.113.1', '10.0.0.1'] }, 'allowedIps.1'],
    [{ description: 'x', acl: [{ scope: {}, permissions: 'all' }] }, 'acl.0.permissions'],
  ]) {
    for (const run of [() => keys.create({ data }), () => keys.update({ id: made.fields.id, data })]) {
      const error = await wants('RebillyValidationError', 422, run);
      assert.equal(error.invalidFields[0].field, field, JSON.stringify(error.response.data));
      assert.ok(error.invalidFields[0].message);
    }
  }
  await keys.delete({ id: made.fields.id });
});

await it('what a key may not do is RebillyRequestError', async () => {
  const acl = [{ scope: {}, permissions: ['GetApiKeyCollection'] }];
  const reader = await keys.create({ data: { description: 'reader', acl } });
  const only = as(reader.fields.secretKey);
  assert.ok((await only.getAll()).total > 0);
  await wants('RebillyRequestError', 403, () => only.create({ data: { description: 'x' } }));
  await keys.delete({ id: reader.fields.id });
});

await it('a filter that cannot be read is RebillyRequestError, with its field', async () => {
  const error = await wants('RebillyRequestError', 400, () => keys.getAll({ filter: 'colour:red' }));
  assert.equal(error.invalidFields[0].field, 'filter');
  await wants('RebillyRequestError', 400, () => keys.getAll({ sort: ['colour'] }));
});

await it('what is beside keys and not implemented is RebillyRequestError', async () => {
  const api = client(setting('SECRET'));
  await wants('RebillyRequestError', 501, () => api.roles.getAll());
  await wants('RebillyRequestError', 501, () => api.profile.get());
});

done();
