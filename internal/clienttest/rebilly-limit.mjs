// Rebilly's own client in an organization that has used up its requests.

import { RebillyAPI } from 'rebilly-js-sdk';
import { assert, done, failure, it, setting } from './promise.mjs';

const url = setting('URL');
const keys = RebillyAPI({
  apiKey: setting('SECRET'), organizationId: setting('ORGANIZATION'), urls: { live: url, sandbox: url },
}).apiKeys;

await it('a change too many is RebillyRequestError, and says when to come back', async () => {
  const error = await failure(() => keys.create({ data: { description: 'too many' } }));
  assert.deepEqual([error.name, error.status], ['RebillyRequestError', 429]);
  assert.equal(error.response.data.title, 'Rate Limit Exceeded');
  const wait = Number(error.response.headers['x-ratelimit-retry-after']) - Date.now() / 1000;
  assert.ok(wait > 0 && wait <= 601, `X-RateLimit-Retry-After is ${wait} s from now`);
  assert.ok(Number(error.response.headers['retry-after']) > 0);
  assert.equal(error.response.headers['rate-limit-limit'], '3000');
});

await it('reading goes on', async () => {
  assert.ok((await keys.getAll()).total > 0);
});

done();
