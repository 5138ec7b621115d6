// A generic client drives all of Gjirafa VP's key operations.

import { assert, done, it, setting } from './promise.mjs';
import { open } from './document.mjs';

const api = await open(setting('DOCUMENT'), setting('URL'));
const organizationId = setting('ORGANIZATION');
const [sports, news] = [setting('PROJECT'), setting('OTHER_PROJECT')];
const foreign = setting('FOREIGN_PROJECT');
const manager = { Authorization: setting('SECRET') };

/** Calls an operation and returns its result, out of an envelope that is whole. */
async function want(status, operationId, parameters, body, headers = manager) {
  const envelope = await api.want(status, operationId, parameters, body, headers);
  assert.deepEqual(Object.keys(envelope).sort(),
    ['errors', 'messages', 'result', 'resultInfo', 'statusCode', 'success']);
  assert.equal(envelope.statusCode, status);
  assert.equal(envelope.success, status === 200);
  assert.equal(envelope.errors.length > 0, status !== 200, JSON.stringify(envelope));
  return envelope.result;
}

const [start, end] = ['2026-02-01T00:00:00.000Z', '2096-08-01T00:00:00.000Z'];
const wanted = (apiName, roleId, listProjectsId = [], more = {}) =>
  ({ listProjectsId, roleId, userApiKey: { apiKeyId: 0, apiName, hasExpireTime: false, startDateTime: start, ...more } });
const listed = async (id) =>
  (await want(200, 'getApiKeysOfOrganization', { organizationId })).find((key) => key.apiKeyId === id);
const projectsOf = async (id) => (await listed(id)).projectsNameList.map((project) => project.publicId).sort();

let key;

await it('a key is created in the organization', async () => {
  key = await want(200, 'postAddUserAPIKey', { organizationId },
    wanted('upload bot', 5, [sports], { hasExpireTime: true, expireDateTime: end }));
  const { id, apiKey, ...rest } = key;
  assert.ok(Number.isInteger(id) && id > 0);
  assert.ok(apiKey);
  assert.deepEqual(rest, { name: 'upload bot', startDate: start, expireDate: end, hasExpireTime: true, roleId: 5 });
});

await it('the list calls the same things by its own names', async () => {
  const { apiKey, ...item } = await listed(key.id);
  assert.deepEqual(item, {
    apiKeyId: key.id, apiKeyName: 'upload bot', startDate: start, expireDate: end, hasExpireTime: true,
    projectsNameList: [{ publicId: sports, name: 'Sports' }],
  });
  assert.equal(apiKey === key.apiKey, setting('RECOVERABLE') === 'true', `apiKey is ${apiKey}`);
});

await it('a key is read', async () => {
  const read = await want(200, 'getApiKey', { organizationId, id: key.id });
  assert.deepEqual({ ...read, apiKey: null }, { ...key, apiKey: null });
});

await it('a key is updated by the id in the body', async () => {
  const changed = await want(200, 'putUpdateAPIKey', { organizationId },
    { id: key.id, name: 'new name', startDate: start, hasExpireTime: false, roleId: 5 });
  assert.equal(changed.name, 'new name');
  assert.equal(changed.expireDate, null);
  assert.deepEqual(await projectsOf(key.id), [sports]);
});

await it('projects are added and removed', async () => {
  const id = key.id;
  assert.equal(await want(200, 'postAddApiKeysToProjects', { organizationId }, { apiKeyId: id, projectIds: [news] }), true);
  assert.deepEqual(await projectsOf(id), [sports, news].sort());
  assert.equal(await want(200, 'putRemoveProjectFromApiKey', { organizationId, id, projectId: sports }), true);
  assert.deepEqual(await projectsOf(id), [news]);
});

await it('a project sees its keys and no other', async () => {
  const made = await want(200, 'postAPIKeywithProjectRole', { projectId: sports }, wanted('of sports', 39));
  const ids = async (projectId) =>
    (await want(200, 'getAPIKeysAssignedToProject', { projectId })).map((item) => item.apiKeyId);
  assert.deepEqual(await ids(sports), [made.id]);
  assert.deepEqual(await ids(news), [key.id]);
  const body = { id: made.id, name: 'still of sports', startDate: start, hasExpireTime: false, roleId: 39 };
  assert.equal((await want(200, 'updateAPIKeyfromProject', { projectId: sports }, body)).name, 'still of sports');
  await want(404, 'updateAPIKeyfromProject', { projectId: news }, body);
  await want(404, 'deleteAPIkeyProjectRole', { projectId: news, id: made.id });
  assert.equal(await want(200, 'deleteAPIkeyProjectRole', { projectId: sports, id: made.id }), true);
  assert.deepEqual(await ids(sports), []);
});

await it('one key of a project is read, if the document offers that', async () => {
  const offered = api.keyOperations().find(
    ({ method, path }) => method === 'get' && /\/projects\/\{\w+\}\/api-keys\/\{\w+\}$/.test(path));
  if (!offered) return;
  const read = await want(200, offered.operationId, { projectId: news, id: key.id });
  assert.equal(read.id, key.id);
  await want(404, offered.operationId, { projectId: sports, id: key.id });
});

await it('a role decides what a key may do', async () => {
  const editor = await want(200, 'postAddUserAPIKey', { organizationId }, wanted('editor', 39));
  const admin = await want(200, 'postAddUserAPIKey', { organizationId }, wanted('admin of sports', 5, [sports]));
  const as = (made) => ({ Authorization: `Bearer ${made.apiKey}` });
  await want(403, 'getApiKeysOfOrganization', { organizationId }, undefined, as(editor));
  await want(403, 'getAPIKeysAssignedToProject', { projectId: sports }, undefined, as(editor));
  await want(200, 'getAPIKeysAssignedToProject', { projectId: sports }, undefined, as(admin));
  for (const made of [editor, admin]) {
    await want(200, 'deleteApiKey', { organizationId, id: made.id });
    await want(401, 'getApiKeysOfOrganization', { organizationId }, undefined, as(made));
  }
});

await it('what is not valid is refused', async () => {
  for (const body of [
    wanted('', 5), wanted('no such role', 123456), wanted('foreign project', 5, [foreign]),
    wanted('ends at once', 5, [], { hasExpireTime: true, expireDateTime: start }),
    wanted('ends never', 5, [], { hasExpireTime: true }),
  ]) {
    await want(400, 'postAddUserAPIKey', { organizationId }, body);
    await want(400, 'postAPIKeywithProjectRole', { projectId: sports }, body);
  }
  await want(400, 'getApiKey', { organizationId, id: 'one' });
  await want(400, 'postAddApiKeysToProjects', { organizationId }, { apiKeyId: key.id, projectIds: [foreign] });
  await want(400, 'putRemoveProjectFromApiKey', { organizationId, id: key.id });
});

await it('what is not there is not found', async () => {
  const unknown = { id: 2147483647, name: 'x', startDate: start, hasExpireTime: false, roleId: 5 };
  await want(404, 'getApiKey', { organizationId, id: unknown.id });
  await want(404, 'putUpdateAPIKey', { organizationId }, unknown);
  await want(404, 'postAddApiKeysToProjects', { organizationId }, { apiKeyId: unknown.id, projectIds: [news] });
  await want(404, 'getAPIKeysAssignedToProject', { projectId: foreign });
  await want(404, 'getApiKeysOfOrganization', { organizationId: 'zzzzzzzz' });
});

await it('a deleted key is gone', async () => {
  assert.equal(await want(200, 'deleteApiKey', { organizationId, id: key.id }), true);
  await want(404, 'deleteApiKey', { organizationId, id: key.id });
  await want(404, 'getApiKey', { organizationId, id: key.id });
});

await it('no operation about keys goes without a key', async () => {
  for (const { operationId } of api.keyOperations()) {
    await want(401, operationId, { organizationId, projectId: sports, id: 1 }, undefined, {});
  }
});

await it('organizations are read, and not made by a key', async () => {
  const organization = await want(200, 'getOrganization', { organizationId });
  assert.equal(organization.publicId, organizationId);
  assert.deepEqual((await want(200, 'getOrganizationsOfUser')).items, [organization]);
  const { publicId, isDefault, ...body } = organization;
  await want(403, 'postOrganization', {}, body);
});

await it('projects are made, read and listed', async () => {
  const made = await want(200, 'postProject', { organizationId }, { name: 'Weather' });
  assert.equal((await want(200, 'postProjectWithoutPrefix', { organizationId }, { name: 'Traffic' })).name, 'Traffic');
  const projectId = made.publicProjectId;
  assert.deepEqual(await want(200, 'getProject', { projectId }), made);
  assert.equal((await want(200, 'putExternalProjects', { projectId })).publicProjectId, projectId);
  const page = await want(200, 'getProjectsOfOrganization', { organizationId, page: 1, take: 2, order: 'name' });
  assert.deepEqual([page.currentPage, page.pageSize, page.items.length], [1, 2, 2]);
  assert.equal(page.totalPages, Math.ceil(page.totalCount / 2));
  await want(404, 'getProject', { projectId: foreign });
});

await it('roles are listed and read, of the organization and of a project', async () => {
  const roles = await want(200, 'getRoles', { organizationId });
  assert.deepEqual(roles.items.map((role) => role.id), [4, 5, 39]);
  assert.deepEqual((await want(200, 'getRolesOfProject', { projectId: sports })).items, roles.items);
  for (const role of roles.items) {
    assert.deepEqual(await want(200, 'getRole', { id: role.id }), role);
    assert.deepEqual(await want(200, 'getRoleOfProject', { projectId: sports, id: role.id }), role);
  }
  await want(404, 'getRole', { id: 123456 });
});

await it('every operation of the document was called', () => api.wantAll(['postOrganization']));

done();
