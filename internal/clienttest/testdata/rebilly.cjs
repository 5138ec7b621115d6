const { RebillyAPI } = require('rebilly-js-sdk');
const url = 'http://127.0.0.1:8099';
const api = RebillyAPI({ apiKey: 'sk_sandbox_…', organizationId: 'org1', sandbox: true, urls: { live: url, sandbox: url } });
(async () => {
  const a = await api.apiKeys.create({ data: { description: 'first', type: 'secret' } });
  const b = await api.apiKeys.create({ id: 'my-key', data: { description: 'second' } });
  const l = await api.apiKeys.getAll({ filter: 'type:secret', sort: ['-createdTime', 'id'], limit: 20, offset: 0 });
  console.log(a.fields.secretKey, b.response.status, l.total, l.items[0].fields.id);
  await api.apiKeys.update({ id: 'my-key', data: { description: 'new', allowedIps: ['8.8.8.8'] } });
  console.log((await api.apiKeys.get({ id: 'my-key' })).fields.description, (await api.apiKeys.delete({ id: 'my-key' })).response.status);
})();
