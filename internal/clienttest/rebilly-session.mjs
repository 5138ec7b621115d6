// Rebilly's own client with a session token, alone and beside a key.

import { RebillyAPI } from 'rebilly-js-sdk';
import { assert, done, failure, it, setting } from './promise.mjs';

const url = setting('URL');
const urls = { live: url, sandbox: url };
const organizationId = setting('ORGANIZATION');

async function signIn() {
  const response = await fetch(`${url}/signin`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: setting('EMAIL'), password: setting('PASSWORD') }),
  });
  assert.equal(response.status, 201, await response.clone().text());
  return (await response.json()).token;
}

let token;

await it('a person signs in', async () => {
  token = await signIn();
  assert.equal(token.split('.').length, 3);
});

for (const [sentence, options] of [
  ['a session token alone', { organizationId }],
  ['a session token without an organization', {}],
  ['a session token beside a key', { organizationId, apiKey: setting('SECRET') }],
  ['a session token beside a key that is wrong', { organizationId, apiKey: 'sk_live_wrong' }],
]) {
  await it(`${sentence} manages keys`, async () => {
    const api = RebillyAPI({ ...options, urls });
    api.setSessionToken(token);
    const made = await api.apiKeys.create({ data: { description: sentence } });
    assert.equal(made.fields.apiUser, setting('EMAIL'));
    assert.equal((await api.apiKeys.getAll({ filter: `description:${sentence}` })).total, 1);
    await api.apiKeys.update({ id: made.fields.id, data: { description: 'changed' } });
    assert.equal((await api.apiKeys.get({ id: made.fields.id })).fields.description, 'changed');
    await api.apiKeys.delete({ id: made.fields.id });
  });
}

await it('a person reads and changes the organization', async () => {
  const api = RebillyAPI({ urls });
  api.setSessionToken(token);
  const { fields } = await api.organizations.get({ id: organizationId });
  assert.equal(fields.id, organizationId);
  const changed = await api.organizations.update({ id: organizationId, data: { name: 'renamed', country: 'AT' } });
  assert.deepEqual([changed.fields.name, changed.fields.country], ['renamed', 'AT']);
  assert.equal((await api.organizations.get({ id: organizationId })).fields.country, 'AT');
});

await it('after logging out the token is dead, also beside a good key', async () => {
  const response = await fetch(`${url}/logout`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });
  assert.equal(response.status, 204);
  const api = RebillyAPI({ organizationId, apiKey: setting('SECRET'), urls });
  api.setSessionToken(token);
  const error = await failure(() => api.apiKeys.getAll());
  assert.deepEqual([error.name, error.status], ['RebillyForbiddenError', 401]);
});

done();
