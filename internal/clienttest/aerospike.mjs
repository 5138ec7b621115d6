// A generic client drives all of Aerospike's key operations, in both versions.

import { assert, done, it, setting } from './promise.mjs';
import { open } from './document.mjs';

const api = await open(setting('DOCUMENT'), setting('URL'));

async function token(client_id, client_secret, status = 200) {
  const answer = await api.want(status, 'getToken', {}, { grant_type: 'client_credentials', client_id, client_secret });
  return { Authorization: `Bearer ${answer.access_token}` };
}

const manager = await token(setting('CLIENT'), setting('SECRET'));
const versions = {
  v1: { list: 'listApiKeys', create: 'createApiKey', remove: 'deleteApiKey' },
  v2: { list: 'listApiKeysV2', create: 'createApiKeyV2', remove: 'deleteApiKeyV2' },
};

for (const [version, { list, create, remove }] of Object.entries(versions)) {
  let made;
  let own;

  await it(`${version}: a key is created, with its secret`, async () => {
    made = await api.want(201, create, {}, { name: 'my dev key' }, manager);
    assert.equal(made.name, 'my dev key');
    assert.match(made.clientId, /^[A-Za-z0-9]{32}$/);
    assert.ok(made.clientSecret);
  });

  await it(`${version}: keys are listed, without secrets`, async () => {
    const keys = await api.want(200, list, {}, undefined, manager);
    assert.equal(keys.count, keys.apiKeys.length);
    assert.deepEqual(keys.apiKeys.at(-1), { name: 'my dev key', clientId: made.clientId });
  });

  await it(`${version}: the new key gets tokens and manages keys with them`, async () => {
    own = await token(made.clientId, made.clientSecret);
    const other = await api.want(201, create, {}, { name: 'other' }, own);
    await api.want(204, remove, { clientId: other.clientId }, undefined, own);
  });

  await it(`${version}: a deleted key is gone, and so are its tokens`, async () => {
    await api.want(204, remove, { clientId: made.clientId }, undefined, manager);
    await api.want(404, remove, { clientId: made.clientId }, undefined, manager);
    await api.want(401, list, {}, undefined, own);
    await token(made.clientId, made.clientSecret, 401);
  });

  await it(`${version}: what is not valid is refused`, async () => {
    for (const body of [{}, { name: '' }, { name: '   ' }, { name: 'x'.repeat(101) }]) {
      await api.want(400, create, {}, body, manager);
    }
    await api.want(201, create, {}, { name: 'x'.repeat(100), more: 'is ignored' }, manager);
  });

  await it(`${version}: nothing goes without a token, or with one that is forged`, async () => {
    for (const headers of [{}, { Authorization: 'Bearer forged' }]) {
      await api.want(401, list, {}, undefined, headers);
      await api.want(401, create, {}, { name: 'x' }, headers);
      await api.want(401, remove, { clientId: setting('CLIENT') }, undefined, headers);
    }
  });

  await it(`${version}: a key that may only read does no more`, async () => {
    const reader = await token(setting('READER_CLIENT'), setting('READER_SECRET'));
    await api.want(200, list, {}, undefined, reader);
    await api.want(403, create, {}, { name: 'x' }, reader);
    await api.want(403, remove, { clientId: setting('CLIENT') }, undefined, reader);
  });
}

await it('v1: a list is walked by limit and offset', async () => {
  const first = await api.want(200, 'listApiKeys', { limit: 2 }, undefined, manager);
  assert.equal(first.count, 2);
  const rest = await api.want(200, 'listApiKeys', { limit: 100, offset: 2 }, undefined, manager);
  assert.deepEqual(rest.meta, { total: first.meta.total, limit: 100, offset: 2 });
  assert.equal(rest.count, first.meta.total - 2);
  for (const parameters of [{ limit: 0 }, { limit: 101 }, { offset: -1 }]) {
    const problem = await api.want(400, 'listApiKeys', parameters, undefined, manager);
    assert.equal(problem.type, 'urn:aerospike:errors:validation:failed');
  }
});

for (const suffix of ['', 'V2']) {
  const version = suffix ? 'v2' : 'v1';

  await it(`${version}: the organization is the token's`, async () => {
    const organization = await api.want(200, `getOrganization${suffix}`, {}, undefined, manager);
    assert.equal(organization.name, 'example');
  });

  await it(`${version}: the description is served beside the API`, async () => {
    assert.match(await api.want(200, `getContract${suffix}`, {}, undefined, manager), /^openapi:/m);
  });

  await it(`${version}: what is beside keys says that it is not implemented`, async () => {
    const id = '2f1c6f0e-7a51-4d0c-9f0e-0d6a1b2c3d4e';
    for (const [operation, parameters, body] of [
      ['listOrgMembers', {}], ['removeOrgMember', { userId: id }], ['listSecrets', {}],
      ['createSecret', {}, { name: 'x', value: 'y' }], ['getSecretById', { secretId: id }], ['deleteSecretById', { secretId: id }],
    ]) {
      const answer = await api.want(501, operation + suffix, parameters, body, manager);
      assert.equal(answer.message, 'This endpoint has not been implemented yet.');
    }
  });
}

await it('every operation of the document was called', () => api.wantAll());

done();
