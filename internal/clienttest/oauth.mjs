// An OAuth library gets a token at the dialect's endpoint and manages keys with it.

import { createRequire } from 'node:module';
import { assert, done, failure, it, setting } from './promise.mjs';

const { ClientCredentials } = createRequire(import.meta.url)('simple-oauth2');
const url = setting('URL');

const client = (options, secret = setting('SECRET')) => new ClientCredentials({
  client: { id: setting('CLIENT'), secret },
  auth: { tokenHost: new URL(url).origin, tokenPath: new URL(`${url}/oauth/token`).pathname },
  options,
});

const ways = {
  'a JSON body': { authorizationMethod: 'body', bodyFormat: 'json' },
  'a form': { authorizationMethod: 'body', bodyFormat: 'form' },
  'HTTP Basic': { authorizationMethod: 'header', bodyFormat: 'form' },
};

for (const [way, options] of Object.entries(ways)) {
  await it(`${way} gets a token that lists keys`, async () => {
    const { token } = await client(options).getToken({});
    assert.equal(token.token_type, 'Bearer');
    assert.equal(token.expires_in, 28800);
    const claims = JSON.parse(Buffer.from(token.access_token.split('.')[1], 'base64url'));
    assert.equal(claims['dbaas.aerospike.com/org_id'], setting('ORGANIZATION'));
    for (const version of ['v1', 'v2']) {
      const response = await fetch(`${url}/${version}/api-keys`, {
        headers: { Authorization: `Bearer ${token.access_token}` },
      });
      const list = await response.json();
      assert.equal(response.status, 200, JSON.stringify(list));
      assert.ok(list.apiKeys.some((key) => key.clientId === setting('CLIENT')), JSON.stringify(list));
    }
  });

  await it(`${way} with a wrong secret gets none`, async () => {
    const error = await failure(() => client(options, 'wrong').getToken({}));
    assert.equal(error.output.statusCode, 401);
    assert.equal(error.data.payload.error, 'access_denied');
  });

  await it(`${way} may name an audience, which is ignored`, async () => {
    assert.ok((await client(options).getToken({ audience: 'https://example.test/' })).token.access_token);
  });
}

done();
